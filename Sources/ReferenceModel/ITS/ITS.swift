package import EventModel

/// An Interrupt Translation Service with its redistributors and its memory, as one value.
///
/// A copy is a snapshot of the whole interrupt machine: registers, tables in memory, pending bits,
/// cached configuration. Nothing here is fast and nothing is hidden: device table, translation
/// tables, collection and vPE tables are bytes in `memory`, read again for every access.
///
///     var its = ITS.provisioned(.init(peCount: 4))
///     its.execute(.mapc(icid: 0, rdBase: 2, valid: true))
///     its.execute(.mapd(DeviceID(8), size: 1, ittAddress: 0x4000_0000, valid: true))
///     its.execute(.mapti(DeviceID(8), EventID(0), pINTID: INTID(8192), icid: 0))
///     let outcome = its.translate(deviceID: DeviceID(8), eventID: EventID(0))
///     // outcome.outcome == .delivered, outcome.intid == 8192, outcome.target == .pe(2)
///
/// Two ways in: the register way (`write(register:…)`, commands fetched from the queue in memory)
/// and the trace way (`apply`, `execute`, `translate`), for recordings that hold the commands but
/// neither the queue nor the tables that the guest set up.
package struct ITS: Sendable {
  package enum Version: Int, Comparable, Sendable {
    /// GICv3, GICv4.0, GICv4.1.
    case v3, v4, v41
    package static func < (a: Version, b: Version) -> Bool { a.rawValue < b.rawValue }
  }

  package let configuration: Configuration
  package let policy: Policy
  package var memory = ReferenceMemory()

  package internal(set) var registers: Registers
  package internal(set) var redistributors: [Redistributor]
  package internal(set) var cache: TranslationCachePolicy
  package internal(set) var caches: TranslationCaches

  /// Configuration bytes of virtual LPIs as they were when last read, by VPT and vINTID. A vPE that
  /// moves takes them along: redistributors hand over what they know, which is one of the things that
  /// the architecture allows (another is to read again).
  package internal(set) var virtualConfigurations: [UInt64: [UInt32: LPIConfiguration]] = [:]

  /// vPEs whose default doorbell was asked for when they left their redistributor (GICv4.1).
  package internal(set) var armedDoorbells: Set<UInt16> = []

  /// The tables are the model's own: see `provisioned`.
  package internal(set) var isProvisioned = false

  // What happened.
  package internal(set) var counters = WorkCounters()
  /// Failed commands and lost MSIs. An MSI's loss stands under the opcode of INT.
  package internal(set) var errors: [ITSError: UInt64] = [:]
  package internal(set) var outcomes: [OutcomeClass: UInt64] = [:]
  package internal(set) var commandsWithReservedBits: UInt64 = 0
  /// The table entries that the last translation or command read, in order.
  package internal(set) var lastReads: [TableRead] = []

  /// The state after reset: disabled, no tables, LPIs disabled everywhere.
  package init(_ configuration: Configuration = Configuration(), policy: Policy = .specification) {
    self.configuration = configuration
    self.policy = policy
    registers = Registers(configuration)
    redistributors = (0..<configuration.peCount).map { Redistributor(number: $0) }
    cache = TranslationCachePolicy(policy.invalidation)
    caches = TranslationCaches(policy.cacheShapes, policy.invalidation)
  }
}

extension ITS {
  /// What is fixed in hardware: GITS_TYPER and the addresses of the frames.
  package struct Configuration: Hashable, Sendable {
    package var version: Version
    package var deviceIDBits: UInt8
    package var eventIDBits: UInt8
    package var collectionIDBits: UInt8
    package var vPEIDBits: UInt8
    /// At most 24: the width of an INTID in a translation entry.
    package var intidBits: UInt8
    package var peCount: UInt16
    /// GITS_TYPER.PTA: RDbase is the physical address of a redistributor, else a processor number.
    package var targetsAreAddresses = false
    /// GITS_TYPER.VMOVP: one VMOVP suffices for all ITSs.
    package var oneVMOVP = true
    /// The control frame; the translation frame is 64 KiB above it (IHI 0069, §12.18).
    package var frame: UInt64
    /// RD_base of processor 0, and the distance to the next.
    package var redistributorFrame: UInt64 = 0x080A_0000
    package var redistributorStride: UInt64 { version == .v3 ? 0x2_0000 : 0x4_0000 }

    package init(
      version: Version = .v4, deviceIDBits: UInt8 = 16, eventIDBits: UInt8 = 16,
      collectionIDBits: UInt8 = 16, vPEIDBits: UInt8 = 16, intidBits: UInt8 = 16,
      peCount: UInt16 = 1, translationPage: UInt64 = 0x0809_0000
    ) {
      precondition(intidBits >= 14 && intidBits <= 24, "LPIs need 14…24 bits of INTID")
      self.version = version
      self.deviceIDBits = deviceIDBits
      self.eventIDBits = eventIDBits
      self.collectionIDBits = collectionIDBits
      self.vPEIDBits = vPEIDBits
      self.intidBits = intidBits
      self.peCount = peCount
      frame = translationPage - 0x1_0000
    }

    package init(_ geometry: TableGeometry, version: Version = .v4) {
      self.init(
        version: version, deviceIDBits: geometry.deviceIDBits, eventIDBits: geometry.eventIDBits,
        collectionIDBits: geometry.collectionIDBits, vPEIDBits: geometry.vPEIDBits,
        intidBits: min(max(geometry.intidBits, 14), 24), peCount: max(geometry.peCount, 1),
        translationPage: geometry.itsTranslationPage)
    }

    /// GITS_TRANSLATER's address: the doorbell.
    package var doorbell: UInt64 { frame + 0x1_0040 }

    /// Bytes of a translation entry: the layout of `InterruptTranslationEntry`.
    package var ittEntrySizeBytes: UInt64 { InterruptTranslationEntry.sizeBytes }
    package var vPEEntrySizeBytes: UInt64 {
      version == .v41 ? VPETableEntry.extendedSizeBytes : VPETableEntry.sizeBytes
    }

    /// GITS_TYPER (IHI 0069, §12.19.14).
    package var typer: UInt64 {
      .field(true, 0) | .field(version >= .v4, 1) | .field(ittEntrySizeBytes - 1, 7, 4)
        | .field(eventIDBits - 1, 12, 8) | .field(deviceIDBits - 1, 17, 13)
        | .field(targetsAreAddresses, 19) | .field(collectionIDBits - 1, 35, 32)
        | .field(true, 36) | .field(version >= .v4 && oneVMOVP, 37)
        | .field(version == .v41, 40)
    }

    /// The processor that an RDbase field (bits 51:16 of an address, or a number) names.
    package func processor(_ rdBase: UInt64) -> UInt16? {
      let number: UInt64
      if targetsAreAddresses {
        let address = rdBase << 16
        guard address >= redistributorFrame,
          (address - redistributorFrame) % redistributorStride == 0
        else { return nil }
        number = (address - redistributorFrame) / redistributorStride
      } else {
        number = rdBase
      }
      return number < UInt64(peCount) ? UInt16(number) : nil
    }

    /// The RDbase field that names processor `number`.
    package func rdBase(_ number: UInt16) -> UInt64 {
      targetsAreAddresses
        ? (redistributorFrame + UInt64(number) * redistributorStride) >> 16 : UInt64(number)
    }
  }
}
