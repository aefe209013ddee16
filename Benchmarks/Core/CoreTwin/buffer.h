// The set-associative buffer of translations: `TranslationBuffer` in C, same layout, same order.
#ifndef CORE_TWIN_BUFFER_H
#define CORE_TWIN_BUFFER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  uint64_t tag, data;
} Line;

typedef struct {
  Line *lines, *near;
  uint64_t set_mask, set_shift, sizes;
  bool fragments;
} Buffer;

static bool buffer_init(Buffer *b, uint64_t entries, uint64_t ways_log2) {
  b->set_shift = ways_log2 + 4;
  b->set_mask = entries * sizeof(Line) - (1ull << b->set_shift);
  b->sizes = 0;
  b->fragments = false;
  b->lines = aligned_alloc(4096, entries * sizeof(Line) < 4096 ? 4096 : entries * sizeof(Line));
  b->near = b->lines;
  if (b->lines) memset(b->lines, 0, entries * sizeof(Line));
  return b->lines != NULL;
}

static inline uint64_t buffer_salt(uint64_t space) { return space * 0x9E3779B1u & 0xFFFFFFFFu; }

static inline uint64_t buffer_ways(const Buffer *b) { return 1ull << (b->set_shift - 4); }

static inline Line *buffer_set(const Buffer *b, uint64_t address, uint64_t shift, uint64_t salt) {
  return (Line *)((char *)b->lines + (((address >> (shift - b->set_shift)) ^ salt) & b->set_mask));
}

static inline uint64_t buffer_tag(uint64_t address, uint64_t shift, uint64_t space) {
  return (address & (~0ull << shift)) | space << 48 | shift;
}

static inline const Line *buffer_find(const Buffer *b, uint64_t address, uint64_t space) {
  uint64_t salt = buffer_salt(space), sizes = b->sizes;
  while (sizes) {
    uint64_t shift = 63 - (uint64_t)__builtin_clzll(sizes);
    sizes ^= 1ull << shift;
    uint64_t tag = buffer_tag(address, shift, space);
    const Line *line = buffer_set(b, address, shift, salt);
    for (uint64_t way = buffer_ways(b); way; way--, line++)
      if (line->tag == tag) return line;
  }
  return NULL;
}

/// As `buffer_find`, for addresses that tend to stay in the page of the last hit.
static inline const Line *buffer_find_near(Buffer *b, uint64_t address, uint64_t space) {
  if (buffer_tag(address, b->near->tag & 0x3F, space) == b->near->tag) return b->near;
  const Line *found = buffer_find(b, address, space);
  if (found) b->near = buffer_set(b, address, found->tag & 0x3F, buffer_salt(space));
  return found;
}

static inline void buffer_insert(Buffer *b, uint64_t address, uint64_t space, uint64_t shift,
                                 uint64_t leaf_shift, uint64_t output, uint64_t permissions) {
  b->sizes |= 1ull << shift;
  if (shift < leaf_shift) b->fragments = true;
  Line *first = buffer_set(b, address, shift, buffer_salt(space));
  for (uint64_t way = buffer_ways(b) - 1; way > 0; way--) first[way] = first[way - 1];
  first->tag = buffer_tag(address, shift, space);
  first->data = (output - address) | (permissions ^ 3) | leaf_shift << 4;
}

static inline bool line_touches(const Line *line, uint64_t first, uint64_t last) {
  uint64_t shift = line->data >> 4 & 0x3F;
  uint64_t leaf = (line->tag & 0xFFFFFFFFFFFFull) >> shift;
  return first >> shift <= leaf && leaf <= last >> shift;
}

/// Removes the entries of `space`, or all with `space` 0, that touch the range. One pass.
static void buffer_scan(Buffer *b, uint64_t space, uint64_t first, uint64_t last) {
  if (!b->sizes) return;
  uint64_t ways = buffer_ways(b), sizes = 0;
  bool fragments = false;
  for (uint64_t set = 0; set <= b->set_mask >> b->set_shift; set++) {
    Line *line = b->lines + set * ways;
    uint64_t kept = 0;
    for (uint64_t way = 0; way < ways && line[way].tag; way++) {
      if ((!space || line[way].tag >> 48 == space) && line_touches(&line[way], first, last))
        continue;
      line[kept++] = line[way];
      sizes |= 1ull << (line[way].tag & 0x3F);
      if ((line[way].tag & 0x3F) < (line[way].data >> 4 & 0x3F)) fragments = true;
    }
    for (uint64_t way = kept; way < ways; way++) line[way] = (Line){0, 0};
  }
  b->sizes = sizes;
  b->fragments = fragments;
}

static inline void set_remove(Line *set, uint64_t tag, uint64_t ways) {
  for (uint64_t way = 0; way < ways; way++) {
    if (set[way].tag != tag) continue;
    for (; way + 1 < ways; way++) set[way] = set[way + 1];
    set[ways - 1] = (Line){0, 0};
    return;
  }
}

static __attribute__((noinline)) void buffer_remove_range(Buffer *b, uint64_t space,
                                                          uint64_t first, uint64_t last,
                                                          uint64_t pages) {
  if (b->fragments || pages > b->set_mask >> (b->set_shift + 1)) {
    buffer_scan(b, space, first, last);
    return;
  }
  uint64_t salt = buffer_salt(space), sizes = b->sizes, ways = buffer_ways(b);
  while (sizes) {
    uint64_t shift = (uint64_t)__builtin_ctzll(sizes);
    sizes &= sizes - 1;
    for (uint64_t page = first >> shift; page <= last >> shift; page++) {
      uint64_t address = page << shift;
      set_remove(buffer_set(b, address, shift, salt), buffer_tag(address, shift, space), ways);
    }
  }
}

static inline void buffer_remove(Buffer *b, uint64_t space, uint64_t first, uint64_t last) {
  if (!b->sizes) return;
  uint64_t smallest = (uint64_t)__builtin_ctzll(b->sizes);
  uint64_t pages = (last >> smallest) - (first >> smallest);
  if (!pages && !(b->sizes & (b->sizes - 1)) && !b->fragments)
    set_remove(buffer_set(b, first, smallest, buffer_salt(space)),
               buffer_tag(first, smallest, space), buffer_ways(b));
  else
    buffer_remove_range(b, space, first, last, pages);
}

#endif
