// The C interface of a design that is not part of Doorbell: a shared object that `doorbell conform`
// proves and `doorbell replay --backend` measures beside the built-in designs.
//
// A plug-in exports one function, `doorbell_backend_open`, and includes this header only. From C, C++
// or Rust:
//
//   cc -O2 -shared -fPIC -I Sources/CDoorbellBackend/include mine.c -o mine.so
//   doorbell conform ./mine.so
//   doorbell replay --backend ./mine.so
//
// `Benchmarks/Plugin` holds a whole design in C.
//
// Life of an instance
//
//   doorbell_backend_open(host's version)          once per process
//   create(geometry)                               an instance: empty tables
//     configure(events) · translate(events)        in the order of the trace, over and over
//     signal(event) → inject(route)                instead of translate, for single interrupts, if
//                                                  the design delivers through an eventfd
//     read_counters · physical_address             at any time between
//   destroy
//
// Versions. The host gives its own version to `doorbell_backend_open`; the plug-in answers with the
// version it was compiled with, in `abi_version`. The upper 16 bits (major) must be equal, otherwise
// the host does not load it. Within a major version structures only grow at their end, and
// `struct_size` says how much of one is there: the host ignores what it does not know, and a plug-in
// must not read what a smaller `struct_size` leaves out.
//
// Threads. One call at a time per instance. Calls may come from different threads, one after the
// other; each happens before the next. Different instances may be used at the same time. A plug-in
// therefore keeps its state in its instance: not in globals, not in thread-local storage.
//
// What a plug-in must not do: throw, longjmp or exit through a call, write behind the arrays that it
// is given, keep pointers into them. The host runs it in a child process; a crash, a call that does
// not return, or a count that is not right ends that process and is reported as the plug-in's.
//
// All integers are in the machine's byte order. Arrays are aligned to 8 bytes.
#ifndef DOORBELL_BACKEND_H
#define DOORBELL_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DOORBELL_ABI_MAJOR 1u
#define DOORBELL_ABI_MINOR 0u
#define DOORBELL_ABI_VERSION (DOORBELL_ABI_MAJOR << 16 | DOORBELL_ABI_MINOR)

/// Events in one call of `translate` or `configure`, at most: so many and their answers stay in a first-level
/// cache of 32 KiB while both sides pass over them.
#define DOORBELL_BATCH_LIMIT 256u

/// Counters of a plug-in, at most, and bytes of a name with its NUL, at most.
#define DOORBELL_COUNTER_LIMIT 64u
#define DOORBELL_NAME_LIMIT 64u

/// One event of a trace: 48 bytes.
///
///   kind                  word0            word1             word2 (low, high)     word3 (low, high)
///   DMA                   IOVA             –                 StreamID, SubstreamID size bytes, –
///   MSI                   message address  –                 StreamID, DeviceID    data, –
///   ACKNOWLEDGE, EOI      –                –                 –                     –, INTID
///   MAP                   IOVA             output address    StreamID, VMID<<16|ASID  geometry, attr
///   UNMAP                 IOVA             –                 StreamID, VMID<<16|ASID  geometry, –
///   SMMU_COMMAND          DW0              DW1               –                     –
///   STREAM_CONFIGURATION  TTB0             S2TTB             StreamID, VMID<<16|ASID  S1, S2 fields
///   ITS_COMMAND           DW0              DW1               DW2                   DW3
///   MSIX_TABLE_WRITE      GPA of the write value             StreamID, DeviceID    byte offset, size
///   MSIX_CONTROL          –                –                 StreamID, DeviceID    enabled|masked<<1
///   LPI_CONFIGURATION     –                config byte       –                     –, INTID
///   ITS_REGISTER_WRITE    register offset  value             –                     size bytes, –
///   REDISTRIBUTOR_WRITE   register offset  value             –                     size bytes, –
///   VCPU_*                VPT address      –                 –                     from pCPU, to pCPU
///
/// Geometry of MAP and UNMAP, word3: log2 of the bytes 7:0, level of the leaf 11:8, granule 15:12 (1:
/// 4 KiB, 2: 16 KiB, 3: 64 KiB), stage 17:16. Attributes, word3: descriptor bits 11:0 in 43:32, bits
/// 63:50 in 61:48. S1 fields: T0SZ 5:0, granule 7:6, IPS 10:8, STE.Config 13:11; S2 fields alike:
/// S2T0SZ 5:0, granule 7:6, S2PS 10:8, S2SL0 12:11.
///
/// word1 and the upper half of word3 of DMA and MSI, `target` of an MSI and `outcome` hold what the
/// recording says of the answer. A design must not look at them, as a device's bus does not know them.
struct doorbell_event {
  uint64_t time;   ///< Nanoseconds since the trace began, in the clock of its recording.
  uint64_t word0;
  uint64_t word1;
  uint64_t word2;
  uint64_t word3;
  uint16_t target; ///< A PE by number, or 0x8000 | vPEID: of an acknowledge, a register, a vCPU.
  uint16_t vector; ///< MSI-X entry index, 0xFFFF if unknown.
  uint8_t kind;    ///< enum doorbell_kind
  uint8_t flags;   ///< enum doorbell_flag
  uint8_t outcome;
  uint8_t origin;
};

/// A plug-in ignores kinds that it does not know.
enum doorbell_kind {
  // To `translate`.
  DOORBELL_DMA = 0x01,
  DOORBELL_MSI = 0x02,
  DOORBELL_ACKNOWLEDGE = 0x03,
  DOORBELL_END_OF_INTERRUPT = 0x04,
  DOORBELL_MAP = 0x10,
  DOORBELL_UNMAP = 0x11,
  DOORBELL_SMMU_COMMAND = 0x12,
  // To `configure`.
  DOORBELL_STREAM_CONFIGURATION = 0x20,
  DOORBELL_ITS_COMMAND = 0x21,
  DOORBELL_MSIX_TABLE_WRITE = 0x22,
  DOORBELL_MSIX_CONTROL = 0x23,
  DOORBELL_LPI_CONFIGURATION = 0x24,
  DOORBELL_IRTE_WRITE = 0x25,
  DOORBELL_ITS_REGISTER_WRITE = 0x26,
  DOORBELL_REDISTRIBUTOR_WRITE = 0x27,
  DOORBELL_VCPU_LOAD = 0x30,
  DOORBELL_VCPU_PUT = 0x31,
  DOORBELL_VCPU_BLOCK = 0x32,
  DOORBELL_VCPU_MIGRATE = 0x33
};

enum doorbell_flag {
  DOORBELL_READ = 1 << 0,            ///< The access reads.
  DOORBELL_WRITE = 1 << 1,           ///< The access writes. Neither: not recorded.
  DOORBELL_READABLE = 1 << 2,        ///< The permission that the recorded translation found.
  DOORBELL_WRITABLE = 1 << 3,
  DOORBELL_ADDRESS_RECORDED = 1 << 4,
  DOORBELL_INTERRUPT_RECORDED = 1 << 5,
  DOORBELL_SUBSTREAM_VALID = 1 << 6, ///< DMA: the upper half of word2 is a SubstreamID.
  DOORBELL_INFERRED = 1 << 7
};

/// The answer to a DMA access or an MSI: 16 bytes.
struct doorbell_outcome {
  uint64_t address; ///< Physical address that the access reached; 0 if it did not.
  uint32_t intid;   ///< The guest's interrupt that became pending; 0 for DMA and losses.
  uint16_t target;  ///< Where it goes, as the guest numbers it: a PE, or 0x8000 | vPEID.
  uint8_t outcome;  ///< enum doorbell_class
  uint8_t flags;    ///< Bit 0: the vPE was not resident and its doorbell was raised.
};

enum doorbell_class {
  DOORBELL_TRANSLATED = 0x01, ///< DMA found its address.
  DOORBELL_DELIVERED = 0x02,  ///< The interrupt became pending and its target can take it.
  DOORBELL_COALESCED = 0x03,  ///< It was pending already.
  DOORBELL_MASKED = 0x04,     ///< Pending, but disabled.
  // Lost. Which of these it is may differ from the reference model; that it is lost may not.
  DOORBELL_ITS_DISABLED = 0x10,
  DOORBELL_DEVICE_OUT_OF_RANGE = 0x11,
  DOORBELL_UNMAPPED_DEVICE = 0x12,
  DOORBELL_EVENT_OUT_OF_RANGE = 0x13,
  DOORBELL_UNMAPPED_EVENT = 0x14,
  DOORBELL_UNMAPPED_COLLECTION = 0x15,
  DOORBELL_UNMAPPED_VPE = 0x16,
  DOORBELL_INTID_OUT_OF_RANGE = 0x17,
  DOORBELL_LPIS_DISABLED = 0x18,
  DOORBELL_NOT_A_DOORBELL = 0x19,
  DOORBELL_NO_ROUTE = 0x1A,
  /// + the number of an SMMU event (Arm IHI 0070, §7.3). Of a DMA access it must be the right one.
  DOORBELL_SMMU_FAULT = 0x40
};

/// What an instance must know before its first event. log2 of numbers of identifiers; address widths in
/// bits.
struct doorbell_geometry {
  uint32_t struct_size; ///< sizeof(struct doorbell_geometry) of the host.
  uint8_t device_id_bits;
  uint8_t event_id_bits;
  uint8_t collection_id_bits;
  uint8_t vpe_id_bits;
  uint8_t intid_bits;
  uint8_t stream_id_bits;
  uint8_t input_address_bits;
  uint8_t output_address_bits;
  uint16_t pe_count;
  uint16_t vpe_count;
  /// Where the guest sees its ITS translation page; GITS_TRANSLATER is 0x40 above.
  uint64_t its_translation_page;
};

enum doorbell_capability {
  /// An MSI is handed over through an eventfd: `signal` and `inject` are there. Without it the
  /// interrupt is pending when `translate` returns and nobody is woken.
  DOORBELL_DELIVERS_BY_EVENTFD = 1 << 0,
  /// The guest's MSI-X table writes trap; otherwise the guest owns the device's table. Shown in
  /// reports, changes nothing that the host does.
  DOORBELL_TRAPS_SET_UP = 1 << 1
};

/// No eventfd: the outcome of `signal` is final.
#define DOORBELL_NO_ROUTE_TO_SIGNAL 0xFFFFFFFFu

/// A design. Static: the host reads it as long as the process lives.
struct doorbell_backend {
  uint32_t abi_version; ///< DOORBELL_ABI_VERSION
  uint32_t struct_size; ///< sizeof(struct doorbell_backend)
  uint64_t capabilities; ///< enum doorbell_capability; a bit that the host does not know is refused.
  const char *name;     ///< Not empty: letters, digits, '-', '_', '.', '+'. Shown in reports.
  const char *version;  ///< The plug-in's own, for the run record.

  /// Work counters: how many, and their names. A name is one that the host knows (`tlb-misses`, …; see
  /// `WorkCounters.fields` in Sources/EventModel). 0 and NULL: none.
  uint32_t counter_count;
  uint32_t reserved; ///< 0
  const char *const *counter_names;

  /// An instance with empty tables. NULL: it cannot be made, and `message` (of `message_size` bytes,
  /// NUL-terminated) says why.
  void *(*create)(const struct doorbell_geometry *geometry, char *message, size_t message_size);

  void (*destroy)(void *instance);

  /// Events that change interrupt tables and vCPU life (kinds 0x20…0x3F), in order.
  void (*configure)(void *instance, const struct doorbell_event *events, size_t count);

  /// Traffic and SMMU maintenance (all other kinds), in order, 1…DOORBELL_BATCH_LIMIT of them. Writes
  /// `outcomes[i]` for each `events[i]` that is DMA or an MSI; the host ignores the other places.
  /// `outcomes` has room for `count`. How a trace is cut into calls must not change any answer.
  ///
  /// An acknowledge clears the pending state of its INTID at its target.
  ///
  /// Returns how many DMA accesses and MSIs it answered.
  size_t (*translate)(void *instance, const struct doorbell_event *events, size_t count,
                      struct doorbell_outcome *outcomes);

  /// Writes `counter_count` values: everything done since `create`. Exact and repeatable: the same
  /// events give the same values, however they are cut into calls. May be NULL without counters.
  void (*read_counters)(void *instance, uint64_t *values);

  /// Where the design puts what the guest sees at an intermediate physical address (its stage 2). Always
  /// the same for an instance. NULL: at the same address.
  uint64_t (*physical_address)(const void *instance, uint64_t intermediate);

  // With DOORBELL_DELIVERS_BY_EVENTFD only, otherwise NULL.

  /// The device's half of one MSI. Writes the outcome so far, and returns which eventfd to write, or
  /// DOORBELL_NO_ROUTE_TO_SIGNAL if the outcome is final.
  uint32_t (*signal)(void *instance, const struct doorbell_event *event,
                     struct doorbell_outcome *outcome);

  /// The other half, in the thread that the eventfd woke: makes the guest's interrupt pending.
  void (*inject)(void *instance, uint32_t route, struct doorbell_outcome *outcome);
};

/// What a plug-in exports. NULL: it cannot work with a host of this version.
typedef const struct doorbell_backend *(*doorbell_backend_open_function)(uint32_t host_abi_version);
const struct doorbell_backend *doorbell_backend_open(uint32_t host_abi_version);

#ifdef __cplusplus
}
#endif

#endif
