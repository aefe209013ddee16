package import EventModel

/// A System MMU of the SMMUv3 architecture with its memory, as one value (IHI 0070).
///
/// It translates the accesses of devices, DMA and MSI alike, through a stream table, context
/// descriptors and VMSAv8-64 tables of one or two stages, all of them bytes in `memory`.
///
///     var smmu = SMMU()
///     try smmu.configure(configuration.event(time: 0, streamID: 8))     // STE, CD, root table
///     try smmu.map(mapping)                                             // one leaf
///     let result = smmu.translate(streamID: 8, address: 0xFFFF_F040, access: .write)
///     // result.address == 0x0809_0040; result.work.reads == 2 + 1 + 4
///
/// Two ways in: the architecture's way (`registers`, tables stored by the caller, `command`), and
/// the trace way (`configure`, `map`, `unmap`), in which a `TableBuilder` stores the structures
/// that the recorded software would have stored. Neither invalidates by itself: only commands do.
///
/// Not modelled: Secure and Realm state, AArch32 and big-endian tables, the upper half of the
/// address space (TTB1), MPAM, DPT, memory attributes beyond Device or not, ATS responses to the
/// device, and timing. Where the architecture allows a choice, the comment says which was taken.
package struct SMMU: Sendable {
  package let identification: Identification
  package var registers = Registers()
  package var memory = ReferenceMemory()
  package var caches: SMMUCaches
  package var tables: TableBuilder

  // What happened.
  package internal(set) var counters = WorkCounters()
  package internal(set) var faults: [SMMUEventRecord.Number: UInt64] = [:]
  /// The event queue: at most `eventCapacity` records, then `eventsLost` counts.
  package internal(set) var events: [SMMUEventRecord] = []
  package internal(set) var eventsLost: UInt64 = 0
  package var eventCapacity = 1 << 16
  package internal(set) var stalls = StalledTransactions()
  /// ATC_INV commands sent on to devices.
  package internal(set) var atcInvalidations: UInt64 = 0
  /// CMD_SYNCs completed.
  package internal(set) var synchronizations: UInt64 = 0

  /// Reads and lookups of the access under way, and the structures that it goes by.
  var work = SMMUWork()
  var inForce = Configuration()
  /// Descriptors that the walker itself rewrote, beside those that the builder stored.
  var writesByHardware: UInt64 = 0

  package init(
    _ identification: Identification = Identification(), caches: SMMUCaches.Kinds = .all,
    tables: TableBuilder = TableBuilder()
  ) {
    self.identification = identification
    self.caches = SMMUCaches(caches)
    self.tables = tables
  }
}

extension SMMU {
  struct Configuration: Sendable {
    var ste: StreamTableEntry?
    var cd: ContextDescriptor?
  }

  /// What is fixed in hardware: the ID registers (IHI 0070, §6.3.1–6.3.6), as far as they matter.
  package struct Identification: Hashable, Sendable {
    /// IDR5.OAS in bits; IAS is the same, as only AArch64 tables exist (§3.4).
    package var outputAddressBits: UInt64 = 48
    /// IDR5.VAX: 52-bit virtual addresses, with the 64 KiB granule.
    package var virtualAddresses52 = true
    /// IDR1.SIDSIZE.
    package var streamIDBits: UInt8 = 32
    /// IDR1.SSIDSIZE; 0 is no substreams.
    package var substreamIDBits: UInt8 = 20
    /// IDR0.HTTU ≥ 1 and ≥ 2.
    package var updatesAccessFlag = true
    package var updatesDirtyState = true
    /// IDR0.STALL_MODEL = 0: stall or terminate, as configured. Otherwise terminate only.
    package var stallModelSelectable = true
    /// IDR0.ATS, and IDR3.RIL: range invalidation.
    package var ats = true
    package var rangeInvalidation = true

    package init() {}

    package init(_ geometry: TableGeometry) {
      outputAddressBits = UInt64(min(max(geometry.outputAddressBits, 32), 52))
      streamIDBits = min(geometry.streamIDBits, 32)
    }
  }

  /// What software programs (IHI 0070, §6.3).
  package struct Registers: Hashable, Sendable {
    package enum TableFormat: UInt8, Sendable {
      case linear = 0
      case twoLevel = 1
    }

    /// CR0.SMMUEN, CR0.ATSCHK, GBPA.ABORT, CR2.E2H, CR2.RECINVSID.
    package var isEnabled = false
    package var checksATSTranslated = true
    package var abortsWhenDisabled = false
    package var e2h = true
    package var recordsInvalidStreamIDs = true

    /// STRTAB_BASE.ADDR 51:6.
    package var streamTableBase: UInt64 = 0
    /// STRTAB_BASE_CFG: LOG2SIZE 5:0, SPLIT 10:6, FMT 17:16.
    package var log2Size: UInt8 = 0
    package var split: UInt8 = 8
    package var format = TableFormat.linear

    package init() {}

    package var streamTableConfiguration: UInt64 {
      get { .field(log2Size, 5, 0) | .field(split, 10, 6) | .field(format.rawValue, 17, 16) }
      set {
        log2Size = UInt8(newValue.bits(5, 0))
        split = UInt8(newValue.bits(10, 6))
        // 2 and 3 are reserved and behave as linear (§6.3.25).
        format = newValue.bits(17, 16) == 1 ? .twoLevel : .linear
      }
    }
  }
}
