// A design in C behind `doorbell_backend.h`: direct injection. The guest programs its device, its
// SMMU and its ITS itself; an MSI goes through the SMMU to GITS_TRANSLATER, and from there through the
// ITS's tables to a pending bit. Written to be read: `SMMUCore` and `ITSCore` are the fast ones.
//
//   smmu.c   StreamID, IOVA → physical address
//   its.c    DeviceID, EventID → target, INTID, pending bit
//   direct.c this file: events to the two, answers back
#include <stdio.h>

#include "its.h"
#include "smmu.h"

typedef struct {
  SMMU smmu;
  ITS its;
  uint64_t doorbell; // GITS_TRANSLATER
} Instance;

static void *create(const struct doorbell_geometry *geometry, char *message, size_t message_size) {
  Instance *i = calloc(1, sizeof *i);
  if (i && !its_init(&i->its, geometry)) {
    its_free(&i->its);
    free(i);
    i = NULL;
  }
  if (!i) {
    snprintf(message, message_size, "no memory for tables of %u PEs with %u-bit INTIDs",
             geometry->pe_count, geometry->intid_bits);
    return NULL;
  }
  smmu_init(&i->smmu, geometry);
  i->doorbell = geometry->its_translation_page + 0x40;
  return i;
}

static void destroy(void *instance) {
  Instance *i = instance;
  smmu_free(&i->smmu);
  its_free(&i->its);
  free(i);
}

static void configure(void *instance, const struct doorbell_event *events, size_t count) {
  Instance *i = instance;
  for (size_t at = 0; at < count; at++) {
    const struct doorbell_event *e = &events[at];
    switch (e->kind) {
    case DOORBELL_STREAM_CONFIGURATION: smmu_configure(&i->smmu, e); break;
    case DOORBELL_ITS_COMMAND: its_command(&i->its, e); break;
    case DOORBELL_ITS_REGISTER_WRITE: its_register(&i->its, e); break;
    case DOORBELL_REDISTRIBUTOR_WRITE: its_redistributor(&i->its, e); break;
    case DOORBELL_LPI_CONFIGURATION: its_store_configuration(&i->its, e); break;
    }
  }
}

/// Where a recording does not tell the direction, the one that the recorded translation allows.
static bool is_write(uint8_t flags) {
  if (flags & DOORBELL_WRITE) return true;
  return !(flags & DOORBELL_READ) && flags & DOORBELL_WRITABLE && !(flags & DOORBELL_READABLE);
}

static struct doorbell_outcome access_memory(Instance *i, const struct doorbell_event *e) {
  struct doorbell_outcome outcome = {0};
  outcome.outcome =
      smmu_translate(&i->smmu, (uint32_t)e->word2, e->word0, is_write(e->flags), &outcome.address);
  return outcome;
}

static struct doorbell_outcome raise_interrupt(Instance *i, const struct doorbell_event *e) {
  struct doorbell_outcome outcome = {0};
  outcome.outcome =
      smmu_translate(&i->smmu, (uint32_t)e->word2, e->word0, true, &outcome.address);
  if (outcome.outcome != DOORBELL_TRANSLATED) return outcome;
  if (outcome.address != i->doorbell) {
    i->its.offered++;
    outcome.outcome = DOORBELL_NOT_A_DOORBELL;
    return outcome;
  }
  its_translate(&i->its, (uint32_t)(e->word2 >> 32), (uint32_t)e->word3, &outcome);
  return outcome;
}

static size_t translate(void *instance, const struct doorbell_event *events, size_t count,
                        struct doorbell_outcome *outcomes) {
  Instance *i = instance;
  size_t answered = 0;
  for (size_t at = 0; at < count; at++) {
    const struct doorbell_event *e = &events[at];
    switch (e->kind) {
    case DOORBELL_DMA:
      outcomes[at] = access_memory(i, e);
      answered++;
      break;
    case DOORBELL_MSI:
      outcomes[at] = raise_interrupt(i, e);
      answered++;
      break;
    case DOORBELL_ACKNOWLEDGE: its_acknowledge(&i->its, e); break;
    case DOORBELL_MAP: smmu_map(&i->smmu, e); break;
    case DOORBELL_UNMAP: smmu_unmap(&i->smmu, e); break;
    case DOORBELL_SMMU_COMMAND: i->smmu.commands++; break; // Nothing is cached.
    }
  }
  return answered;
}

static const char *const counter_names[] = {
    "accesses",           "smmu-commands", "smmu-faults", "stage-1-descriptor-reads",
    "interrupts-offered", "its-commands",  "device-table-reads", "itt-reads",
    "collection-table-reads", "vpe-table-reads", "pending-bits-set"};

static void read_counters(void *instance, uint64_t *values) {
  const Instance *i = instance;
  const uint64_t counters[] = {
      i->smmu.accesses, i->smmu.commands, i->smmu.faults, i->smmu.leaf_reads,
      i->its.offered,   i->its.commands,  i->its.device_reads, i->its.entry_reads,
      i->its.collection_reads, i->its.vpe_reads, i->its.set};
  _Static_assert(sizeof counters / sizeof *counters == sizeof counter_names / sizeof *counter_names,
                 "a name for each counter");
  memcpy(values, counters, sizeof counters);
}

const struct doorbell_backend *doorbell_backend_open(uint32_t host_abi_version) {
  static const struct doorbell_backend backend = {
      .abi_version = DOORBELL_ABI_VERSION,
      .struct_size = sizeof backend,
      .name = "direct-in-c",
      .version = "1.0",
      .counter_count = sizeof counter_names / sizeof *counter_names,
      .counter_names = counter_names,
      .create = create,
      .destroy = destroy,
      .configure = configure,
      .translate = translate,
      .read_counters = read_counters,
  };
  return host_abi_version >> 16 == DOORBELL_ABI_MAJOR ? &backend : NULL;
}
