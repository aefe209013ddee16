#include "TraceFormatInC.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

// Numbers.

static uint64_t number(const uint8_t *bytes, int size) {
  uint64_t value = 0;
  for (int i = size - 1; i >= 0; i--) value = value << 8 | bytes[i];
  return value;
}

static uint64_t unzigzag(uint64_t x) { return x >> 1 ^ (0 - (x & 1)); }

// XXH64 with seed 0.

#define P1 0x9E3779B185EBCA87u
#define P2 0xC2B2AE3D27D4EB4Fu
#define P3 0x165667B19E3779F9u
#define P4 0x85EBCA77C2B2AE63u
#define P5 0x27D4EB2F165667C5u

static uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }
static uint64_t round64(uint64_t lane, uint64_t x) { return rotate(lane + x * P2, 31) * P1; }

static uint64_t hash(const uint8_t *p, size_t size) {
  const uint8_t *end = p + size;
  uint64_t h = P5;
  if (size >= 32) {
    uint64_t lane[4] = {P1 + P2, P2, 0, 0 - P1};
    for (; end - p >= 32; p += 32)
      for (int i = 0; i < 4; i++) lane[i] = round64(lane[i], number(p + 8 * i, 8));
    h = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
    for (int i = 0; i < 4; i++) h = (h ^ round64(0, lane[i])) * P1 + P4;
  }
  h += size;
  for (; end - p >= 8; p += 8) h = rotate(h ^ round64(0, number(p, 8)), 27) * P1 + P4;
  if (end - p >= 4) {
    h = rotate(h ^ number(p, 4) * P1, 23) * P2 + P3;
    p += 4;
  }
  for (; p < end; p++) h = rotate(h ^ *p * P5, 11) * P1;
  h = (h ^ h >> 33) * P2;
  h = (h ^ h >> 29) * P3;
  return h ^ h >> 32;
}

// Columns.

typedef struct {
  const uint8_t *at, *end;
} Cursor;

/// The next column, of `count` values, or NULL. The caller frees it.
static uint64_t *column(Cursor *c, size_t count, int nested) {
  if (c->end - c->at < 16) return NULL;
  int coding = c->at[0], width = c->at[1], differences = c->at[2] & 1;
  uint64_t base = number(c->at + 8, 8);
  if (number(c->at + 4, 4) != count) return NULL;
  c->at += 16;
  uint64_t *values = calloc(count + 1, sizeof *values);
  if (!values) return NULL;
  if (coding == 0) {
    for (size_t i = 0; i < count; i++) values[i] = base;
    return values;
  }
  if (coding == 1 || coding == 2) {
    int widest = coding == 1 ? 8 : 56;
    size_t size = coding == 1 ? width * count : (width * count + 7) / 8;
    if (width < 1 || width > widest || (size_t)(c->end - c->at) < size) goto fail;
    for (size_t i = 0; i < count; i++) {
      uint64_t x = 0;
      if (coding == 1) {
        for (int plane = width - 1; plane >= 0; plane--) x = x << 8 | c->at[plane * count + i];
      } else {
        for (int bit = width - 1; bit >= 0; bit--) {
          size_t place = i * width + bit;
          x = x << 1 | (c->at[place / 8] >> place % 8 & 1);
        }
      }
      uint64_t previous = i ? values[i - 1] : base;
      values[i] = differences ? previous + unzigzag(x) : base + x;
    }
    c->at += size;
    return values;
  }
  if (coding > 4 || nested || base < 1 || base > count) goto fail;
  uint64_t *first = column(c, base, 1);
  uint64_t *second = first ? column(c, coding == 3 ? count : base, 1) : NULL;
  size_t filled = 0;
  int bad = !second;
  if (!bad && coding == 3) {
    for (; filled < count && !bad; filled++) {
      bad = second[filled] >= base;
      if (!bad) values[filled] = first[second[filled]];
    }
  } else if (!bad) {
    for (size_t run = 0; run < base && !bad; run++) {
      bad = second[run] > count - filled;
      for (uint64_t i = 0; !bad && i < second[run]; i++) values[filled++] = first[run];
    }
  }
  free(first);
  free(second);
  if (!bad && filled == count) return values;
fail:
  free(values);
  return NULL;
}

// The events payload.

enum { CODES, TIMES, LATE_GAPS, LATE, EXTENDED_GAPS, EXTENDED, DIRECT_GAPS, SHAPES, WORD0, LITERALS,
       STRIDE0, STRIDE1, WORD2, WORD3, TAIL, SOURCE, COLUMNS };

typedef struct {
  uint64_t word0, word1, word2, word3, tail, stride0, stride1;
} Slot;

/// Gives every entry of the table its number and fills the slot of that number.
static int load_slots(uint64_t **c, size_t slots, size_t shapes, size_t literals, Slot *slot) {
  uint64_t memory[1024] = {0};
  size_t direct = 0, other = 256, literal = 0, direct_count = slots < 256 ? slots : 256;
  uint64_t next_direct = c[DIRECT_GAPS][0] - 1;
  for (size_t entry = 0; entry < slots; entry++) {
    size_t n;
    if (direct < direct_count && entry == next_direct) {
      n = direct++;
      if (direct < direct_count) next_direct += c[DIRECT_GAPS][direct];
    } else {
      n = other++;
    }
    uint64_t shape = c[SHAPES][entry], word0 = c[WORD0][entry], word1 = 0;
    if (n >= slots || shape >= shapes) return 0;
    uint64_t *page = &memory[(word0 >> 12) * 0x9E3779B97F4A7C15u >> 54];
    uint64_t source = c[SOURCE][shape];
    if (source == 0) {
      if (literal == literals) return 0;
      word1 = c[LITERALS][literal++];
    } else if (source == 1) {
      word1 = *page | (word0 & 0xFFF);
    } else if (source != 2) {
      return 0;
    }
    if (source != 2) *page = word1 & ~(uint64_t)0xFFF;
    slot[n] = (Slot){word0, word1, c[WORD2][shape], c[WORD3][shape], c[TAIL][shape],
                     c[STRIDE0][entry], c[STRIDE1][entry]};
  }
  return 1;
}

static const char *events_payload(const uint8_t *plain, size_t size, size_t count,
                                  TraceFormatInC_Event *out) {
  if (size < 40) return "events payload: too short";
  uint64_t time = number(plain, 8), per_tick = number(plain + 8, 8);
  size_t slots = number(plain + 16, 4), shapes = number(plain + 20, 4);
  size_t literals = number(plain + 24, 4), extended = number(plain + 28, 4);
  size_t late = number(plain + 32, 4);
  if (slots < 1 || slots > count || shapes < 1 || shapes > slots || literals > slots ||
      extended > count || late > count)
    return "events payload: counts out of range";
  size_t direct = slots < 256 ? slots : 256;
  size_t counts[COLUMNS] = {count,  count,  late,     late,   extended, extended, direct, slots,
                            slots,  literals, slots,  slots,  shapes,   shapes,   shapes, shapes};
  uint64_t *c[COLUMNS] = {0};
  Slot *slot = calloc(slots, sizeof *slot);
  Cursor cursor = {plain + 40, plain + size};
  const char *error = slot ? NULL : "no memory";
  for (int i = 0; i < COLUMNS && !error; i++)
    if (!(c[i] = column(&cursor, counts[i], 0))) error = "broken column";
  if (!error && !load_slots(c, slots, shapes, literals, slot)) error = "broken slot table";
  size_t next_late = 0, next_extended = 0;
  uint64_t late_at = late && !error ? c[LATE_GAPS][0] - 1 : UINT64_MAX;
  uint64_t extended_at = extended && !error ? c[EXTENDED_GAPS][0] - 1 : UINT64_MAX;
  for (size_t i = 0; i < count && !error; i++) {
    uint64_t ticks = c[TIMES][i], code = c[CODES][i];
    if (i == late_at) {
      ticks = unzigzag(c[LATE][next_late++]);
      late_at = next_late < late ? late_at + c[LATE_GAPS][next_late] : UINT64_MAX;
    }
    if (i == extended_at) {
      code = c[EXTENDED][next_extended++];
      extended_at =
          next_extended < extended ? extended_at + c[EXTENDED_GAPS][next_extended] : UINT64_MAX;
    }
    if (code >= slots) {
      error = "code without slot";
      break;
    }
    Slot *s = &slot[code];
    time += ticks * per_tick;
    out[i] = (TraceFormatInC_Event){time, s->word0, s->word1, s->word2, s->word3, s->tail};
    s->word0 += s->stride0;
    s->word1 += s->stride1;
  }
  for (int i = 0; i < COLUMNS; i++) free(c[i]);
  free(slot);
  return error;
}

// Frames.

static const char *payload(const uint8_t *head, uint8_t *plain) {
  const uint8_t *stored = head + number(head + 8, 2);
  size_t plain_size = number(head + 12, 4), stored_size = number(head + 16, 4);
  size_t got = 0;
  switch (head[11]) {
  case 0: memcpy(plain, stored, got = stored_size); break;
  case 1: got = ZSTD_decompress(plain, plain_size, stored, stored_size); break;
  case 2: {
    int n = LZ4_decompress_safe((const char *)stored, (char *)plain, (int)stored_size,
                                (int)plain_size);
    got = n < 0 ? 0 : n;
    break;
  }
  default: return "unknown codec";
  }
  if (got != plain_size) return "payload does not decompress";
  return hash(plain, plain_size) == number(head + 64, 8) ? NULL : "payload hash";
}

/// Checks a frame header inside the file; its size, or 0.
static size_t frame_header(const uint8_t *head, size_t left, uint64_t file_id) {
  uint8_t copy[96 + 4 * 256];
  if (left < 96) return 0;
  size_t size = number(head + 8, 2), limit = 16 << 20;
  if (size < 96 || size > sizeof copy || size > left) return 0;
  memcpy(copy, head, size);
  memset(copy + 88, 0, 8);
  size_t plain_size = number(head + 12, 4), stored_size = number(head + 16, 4);
  int good = hash(copy, size) == number(head + 88, 8) && number(head + 56, 8) == file_id &&
             plain_size <= limit && stored_size <= plain_size && stored_size <= left - size &&
             (head[11] != 0 || stored_size == plain_size);
  return good ? size : 0;
}

const char *TraceFormatInC_decode(const uint8_t *file, size_t size, TraceFormatInC_Event **events,
                                  size_t *count) {
  static const uint8_t magic[8] = {0x89, 0x44, 0x42, 0x54, 0x0D, 0x0A, 0x1A, 0x0A};
  static const uint8_t frame[8] = {0xDB, 0x46, 0x52, 0x4D, 0x0D, 0x0A, 0xB0, 0xF5};
  static const uint8_t trailer[8] = {0xDB, 0x45, 0x4E, 0x44, 0x0D, 0x0A, 0xB0, 0xF5};
  static const char layout[] =
      "TraceEvent 48: time u64@0 word0 u64@8 word1 u64@16 word2 u64@24 word3 u64@32 target u16@40 "
      "vector u16@42 kind u8@44 flags u8@45 outcome u8@46 origin u8@47";
  *events = NULL;
  *count = 0;
  if (size < 160 || memcmp(file, magic, 8)) return "not a trace";
  if (number(file + 8, 2) != 1 || number(file + 10, 2) != 160) return "another version";
  if (hash(file, 152) != number(file + 152, 8)) return "header hash";
  if (number(file + 16, 8) != hash((const uint8_t *)layout, sizeof layout - 1))
    return "another record layout";
  size_t provenance = number(file + 136, 4);
  uint64_t file_id = number(file + 128, 8);
  if (provenance > size - 160 || hash(file + 160, provenance) != number(file + 144, 8))
    return "provenance hash";
  size_t at = 160 + provenance;
  for (;;) {
    const uint8_t *head = file + at;
    if (size - at < 96) return "no trailer";
    if (!memcmp(head, trailer, 8)) {
      if (hash(head, 88) != number(head + 88, 8)) return "trailer hash";
      return number(head + 24, 8) == *count ? NULL : "event count";
    }
    if (memcmp(head, frame, 8)) return "no frame";
    size_t header_size = frame_header(head, size - at, file_id);
    if (!header_size) return "frame header";
    size_t frame_count = number(head + 20, 4);
    if (head[10] == 1) {
      if (frame_count > 65536 || number(head + 24, 8) != *count) return "ordinals";
      uint8_t *plain = malloc(number(head + 12, 4) + 1);
      TraceFormatInC_Event *more = realloc(*events, (*count + frame_count) * sizeof **events);
      if (more) *events = more;
      const char *error = plain && more ? payload(head, plain) : "no memory";
      if (!error) error = events_payload(plain, number(head + 12, 4), frame_count, more + *count);
      free(plain);
      if (error) return error;
      *count += frame_count;
    }
    at += header_size + number(head + 16, 4);
  }
}
