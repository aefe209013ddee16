// The loop of the `direct` design in C: the same tables, caches, reads and stores as `SMMUCore` and
// `ITSCore`, with the same short ways for common cases, written as a C programmer would, to see what
// Swift costs. The interrupt tables are not only alike: they are those of an `ITSCore`, whose owner
// also executes the set-up.
//
// It has what the benchmark's workloads need: nested or plain stage 1 with any granule, leaves of
// one record each, unmapping, TLBI by address and ASID, CFGI. Not in it: contiguous runs, block
// splitting, recorded stage 2, global entries. A record that needs one of these is counted in
// `refused`, so that a comparison cannot pass by leaving work out.
#ifndef CORE_TWIN_H
#define CORE_TWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The 48 bytes of a `TraceEvent`.
typedef struct {
  uint64_t time, word0, word1, word2, word3;
  uint16_t target, vector;
  uint8_t kind, flags, outcome, origin;
} CoreTwinEvent;

typedef struct {
  uint64_t accesses, configuration_misses, ste_reads, cd_reads, tlb_misses, stage1_reads,
      stage2_reads, stage2_tlb_misses, commands, faults, descriptor_writes, interrupts_offered,
      device_reads, entry_reads, vpe_reads, pending_bits_set, doorbells, refused;
} CoreTwinCounters;

/// `PassTally`.
typedef struct {
  uint64_t accesses, interrupts, acknowledges, delivered, coalesced, masked, lost, digest;
} CoreTwinTally;

/// `ITSDevice`, `ITSEntry`, `ITSGate`, `ITSPlace`.
typedef struct {
  uint32_t event_count, first_entry;
} CoreTwinDevice;
typedef struct {
  uint32_t intid, gate;
} CoreTwinEntry;
typedef struct {
  uint64_t states, target;
} CoreTwinGate;
typedef struct {
  uint32_t bits, highest_intid;
} CoreTwinPlace;

/// `ITSCore.Tables`: who made them keeps them alive.
typedef struct {
  const CoreTwinDevice *_Nonnull devices;
  const CoreTwinEntry *_Nonnull entries;
  const CoreTwinGate *_Nonnull gates;
  const CoreTwinPlace *_Nonnull places;
  uint8_t *_Nonnull states;
  const uint8_t *_Nonnull configurations;
  /// Of the PEs' plane and of the vPEs': first place whose configuration is known, one past the last.
  int64_t *_Nonnull known_places;
  uint32_t device_count, interrupt_count;
  uint64_t doorbell;
} CoreTwinInterrupts;

/// `ITSRequest`, and the answer to it: `Outcome` as two words.
typedef struct {
  uint32_t device, event;
} CoreTwinRequest;
typedef struct {
  uint64_t address, interrupt;
} CoreTwinOutcome;

/// `ITSCore.translateBatch` on the same tables, for an ITS that is enabled: MSIs of virtual and of
/// physical entries become pending. Adds to the counters.
void CoreTwin_translate_batch(const CoreTwinInterrupts *_Nonnull interrupts,
                              const CoreTwinRequest *_Nonnull requests, size_t count,
                              CoreTwinOutcome *_Nonnull outcomes,
                              CoreTwinCounters *_Nonnull counters);

/// `PendingTable.acknowledge` for each interrupt that the outcomes name.
void CoreTwin_acknowledge(const CoreTwinInterrupts *_Nonnull interrupts,
                          const CoreTwinOutcome *_Nonnull outcomes, size_t count);

typedef struct CoreTwin CoreTwin;

/// NULL without memory. 16-bit StreamIDs, 44-bit addresses, the default options of `SMMUOptions`.
CoreTwin *_Nullable CoreTwin_create(bool nested, CoreTwinInterrupts interrupts);
void CoreTwin_destroy(CoreTwin *_Nonnull twin);
void CoreTwin_map_stage2(CoreTwin *_Nonnull twin, uint64_t ipa, uint64_t pa, uint32_t log2_bytes);

/// GITS_CTLR.Enabled.
void CoreTwin_enable_interrupts(CoreTwin *_Nonnull twin, bool enabled);

/// Runs the events through. Interrupt set-up has no effect.
void CoreTwin_run(CoreTwin *_Nonnull twin, const CoreTwinEvent *_Nonnull events, size_t count);
CoreTwinTally CoreTwin_tally(const CoreTwin *_Nonnull twin);
CoreTwinCounters CoreTwin_counters(const CoreTwin *_Nonnull twin);

#endif
