// From StreamID and IOVA to a physical address: stage 1 of an SMMUv3 (Arm IHI 0070), as far as a trace
// shows it.
//
// A stream's configuration names its tables by TTB0. A table is a map from the number of a leaf to the
// leaf, one map for all tables and sizes; a lookup tries the sizes that were ever mapped. There is no TLB: an
// unmapped page faults at once, which an architecture permits and no recording of ours contradicts.
// Stage 2 is left out: what the guest calls physical is where it lies.
#ifndef SMMU_H
#define SMMU_H

#include "doorbell_backend.h"
#include "map.h"

typedef struct {
  Map streams; // StreamID → TTB0 << 3 | STE.Config; TTB0 is aligned to 64 bytes at least.
  Map widths;  // StreamID → input bits.
  Map blocks;  // StreamID >> 8, of streams that have an entry: level 1 of the stream table.
  Map spaces;  // ASID → a TTB0 with it.
  Map tables;  // TTB0 → number of the table, from 1.
  Map leaves;  // leaf_key() → leaf, see smmu.c.
  uint64_t sizes; // Bit n: a leaf of 2ⁿ bytes was mapped.
  uint32_t output_bits;
  uint64_t accesses, commands, faults, leaf_reads;
} SMMU;

void smmu_init(SMMU *s, const struct doorbell_geometry *geometry);
void smmu_free(SMMU *s);
void smmu_configure(SMMU *s, const struct doorbell_event *e);
void smmu_map(SMMU *s, const struct doorbell_event *e);
void smmu_unmap(SMMU *s, const struct doorbell_event *e);

/// TRANSLATED with the address, or the class of the fault.
uint8_t smmu_translate(SMMU *s, uint32_t stream, uint64_t iova, bool write, uint64_t *address);

#endif
