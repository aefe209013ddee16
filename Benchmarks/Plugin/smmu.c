#include "smmu.h"

// SMMU events (IHI 0070, §7.3); 0 for an access that is aborted without one.
enum { ABORTED = 0, C_BAD_STREAMID = 0x02, C_BAD_STE = 0x04, F_TRANSLATION = 0x10,
       F_ADDR_SIZE = 0x11, F_ACCESS = 0x12, F_PERMISSION = 0x13 };
// STE.Config.
enum { BYPASS = 4, STAGE_1 = 5 };

// Bits of a leaf descriptor (Arm ARM, D8.3): AP[1], AP[2], AF. A leaf is kept as its output address, whose
// low bits are free, with these.
#define UNPRIVILEGED (1ull << 6)
#define READ_ONLY (1ull << 7)
#define ACCESSED (1ull << 10)
#define LEAF_BITS (UNPRIVILEGED | READ_ONLY | ACCESSED)

/// Table number, leaf number and size in one word: 14 + 44 + 6 bits.
static uint64_t leaf_key(uint64_t table, uint64_t iova, unsigned log2) {
  return table << 50 | (iova >> log2 & ((1ull << 44) - 1)) << 6 | log2;
}

void smmu_init(SMMU *s, const struct doorbell_geometry *geometry) {
  memset(s, 0, sizeof *s);
  s->output_bits = geometry->output_address_bits;
}

void smmu_free(SMMU *s) {
  Map *maps[] = {&s->streams, &s->widths, &s->blocks, &s->spaces, &s->tables, &s->leaves};
  for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) map_free(maps[i]);
}

void smmu_configure(SMMU *s, const struct doorbell_event *e) {
  uint32_t stream = (uint32_t)e->word2;
  uint16_t asid = (uint16_t)(e->word2 >> 32);
  uint64_t fields = e->word3, ttb0 = e->word0 & ~63ull, number;
  unsigned t0sz = fields & 0x3F;
  map_set(&s->streams, stream, ttb0 << 3 | (fields >> 11 & 7));
  map_set(&s->widths, stream, 64 - t0sz);
  map_set(&s->blocks, stream >> 8, 1);
  map_set(&s->spaces, asid, ttb0);
  if (!map_get(&s->tables, ttb0, &number)) map_set(&s->tables, ttb0, s->tables.count + 1);
}

/// The stream's table; for a stream without any, that of another with the same ASID. 0: none.
static uint64_t table_of(const SMMU *s, const struct doorbell_event *e) {
  uint64_t stream, ttb0, number = 0;
  if (map_get(&s->streams, (uint32_t)e->word2, &stream))
    ttb0 = stream >> 3;
  else if (!map_get(&s->spaces, (uint16_t)(e->word2 >> 32), &ttb0))
    return 0;
  map_get(&s->tables, ttb0, &number);
  return number;
}

void smmu_map(SMMU *s, const struct doorbell_event *e) {
  uint64_t table = table_of(s, e), end = 1ull << (e->word3 & 0x3F), attributes = e->word3 >> 32 & 0xFFF;
  // The granule is the smallest leaf; level 2 and 1 have blocks.
  unsigned granule = (e->word3 >> 12 & 3) * 2 + 10, level = e->word3 >> 8 & 3;
  unsigned log2 = granule + (3 - level) * (granule - 3);
  if (!table || (e->word3 >> 16 & 3) == 2 || log2 > 47) return;
  // A recording without attributes: ordinary memory.
  if (!attributes) {
    bool read_only = e->flags & DOORBELL_READABLE && !(e->flags & DOORBELL_WRITABLE);
    attributes = UNPRIVILEGED | ACCESSED | (read_only ? READ_ONLY : 0);
  }
  s->sizes |= 1ull << log2;
  for (uint64_t at = 0; at < end; at += 1ull << log2)
    map_set(&s->leaves, leaf_key(table, e->word0 + at, log2),
            ((e->word1 + at) & ~0xFFFull) | (attributes & LEAF_BITS));
}

void smmu_unmap(SMMU *s, const struct doorbell_event *e) {
  uint64_t table = table_of(s, e), end = 1ull << (e->word3 & 0x3F);
  if (!table || (e->word3 >> 16 & 3) == 2) return;
  for (unsigned log2 = 12; log2 < 48; log2++) {
    if (!(s->sizes >> log2 & 1)) continue;
    for (uint64_t at = 0; at < end; at += 1ull << log2)
      map_remove(&s->leaves, leaf_key(table, e->word0 + at, log2));
  }
}

static uint8_t fault(SMMU *s, uint8_t event) {
  s->faults++;
  return DOORBELL_SMMU_FAULT | event;
}

uint8_t smmu_translate(SMMU *s, uint32_t stream, uint64_t iova, bool write, uint64_t *address) {
  uint64_t entry, width = 0, number = 0, leaf;
  s->accesses++;
  *address = 0;
  // Not one stream is configured: the SMMU is off and lets everything pass.
  if (s->streams.count == 0) {
    if (iova >> s->output_bits) return fault(s, ABORTED);
    *address = iova;
    return DOORBELL_TRANSLATED;
  }
  if (!map_get(&s->streams, stream, &entry))
    return fault(s, map_get(&s->blocks, stream >> 8, &entry) ? C_BAD_STE : C_BAD_STREAMID);
  if ((entry & 7) == BYPASS) {
    if (iova >> s->output_bits) return fault(s, F_ADDR_SIZE);
    *address = iova;
    return DOORBELL_TRANSLATED;
  }
  if ((entry & 7) != STAGE_1) return fault(s, ABORTED);
  map_get(&s->widths, stream, &width);
  map_get(&s->tables, entry >> 3, &number);
  if (width < 64 && iova >> width) return fault(s, F_TRANSLATION);
  for (uint64_t sizes = s->sizes; sizes; sizes &= sizes - 1) {
    unsigned log2 = (unsigned)__builtin_ctzll(sizes);
    s->leaf_reads++;
    if (!map_get(&s->leaves, leaf_key(number, iova, log2), &leaf)) continue;
    uint64_t output = leaf & ~0xFFFull;
    if (output >> s->output_bits) return fault(s, F_ADDR_SIZE);
    if (!(leaf & ACCESSED)) return fault(s, F_ACCESS);
    // A device's access is unprivileged.
    if (!(leaf & UNPRIVILEGED) || (write && leaf & READ_ONLY)) return fault(s, F_PERMISSION);
    *address = output | (iova & ((1ull << log2) - 1));
    return DOORBELL_TRANSLATED;
  }
  return fault(s, F_TRANSLATION);
}
