// From DeviceID and EventID to a pending interrupt: an ITS of GICv4.0 with its redistributors (Arm IHI
// 0069, §5.2 and §5.3), as the guest sees it.
//
//     DeviceID → device table → ITT ┐
//     EventID ──────────────────────┴→ entry ┬ physical: ICID → collection → PE's pending bits
//                                            └ virtual:  vPEID → vPE's pending bits
//
// Configuration bytes that nobody stored count as "enabled": recordings do not hold the stores that a
// driver makes before MAPTI. A redistributor goes on using the byte that it read until INV or INVALL.
// Left out because no answer depends on it: residency of vPEs, doorbells, GITS_CWRITER.
#ifndef ITS_H
#define ITS_H

#include "doorbell_backend.h"
#include "map.h"

/// Pending bits and configuration bytes of one PE or vPE. Bytes are 0 where nothing is known.
typedef struct {
  uint8_t *pending, *stored, *known;
  uint32_t intids; // One past the last.
  bool enabled;    // A PE's GICR_CTLR.EnableLPIs; a vPE that is mapped.
} Target;

typedef struct {
  uint32_t count;
  uint64_t *entries; // VALID | VIRTUAL | ICID or vPEID << 32 | INTID; see its.c.
} Device;

typedef struct {
  Map devices; // DeviceID → place in `slots` + 1; 0: not mapped any more.
  Device *slots;
  size_t slot_count;
  uint32_t *collections; // PE + 1, 0: not mapped.
  Target *pes, *vpes;
  struct doorbell_geometry geometry;
  bool enabled;
  uint64_t offered, commands, device_reads, entry_reads, collection_reads, vpe_reads, set;
} ITS;

/// False without memory.
bool its_init(ITS *its, const struct doorbell_geometry *geometry);
void its_free(ITS *its);
void its_command(ITS *its, const struct doorbell_event *e);
void its_register(ITS *its, const struct doorbell_event *e);
void its_redistributor(ITS *its, const struct doorbell_event *e);
void its_store_configuration(ITS *its, const struct doorbell_event *e);
void its_acknowledge(ITS *its, const struct doorbell_event *e);
void its_translate(ITS *its, uint32_t device, uint32_t event, struct doorbell_outcome *outcome);

#endif
