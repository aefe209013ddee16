package import EventModel

/// What an SMMU may remember, each kind by itself: they are separate in hardware, and each has its
/// own invalidations (IHI 0070, §16.2 and §4.3–4.4).
///
/// All are unlimited and can be switched off one by one; with none, every access walks, which is
/// the brute force that cached answers are checked against. A remembered entry answers until it is
/// invalidated, whatever memory says by then. Faults and invalid structures are not remembered.
package struct SMMUCaches: Sendable {
  package struct Kinds: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let ste = Kinds(rawValue: 1 << 0)
    package static let cd = Kinds(rawValue: 1 << 1)
    /// VA → PA, both stages combined.
    package static let iotlb = Kinds(rawValue: 1 << 2)
    /// IPA → PA: of streams with stage 2 only, and of nested walks.
    package static let stage2TLB = Kinds(rawValue: 1 << 3)
    /// Stage 1 table descriptors (their output is an IPA when nested).
    package static let stage1Walk = Kinds(rawValue: 1 << 4)
    package static let stage2Walk = Kinds(rawValue: 1 << 5)

    package static let none: Kinds = []
    package static let all: Kinds = [.ste, .cd, .iotlb, .stage2TLB, .stage1Walk, .stage2Walk]
  }

  package var enabled: Kinds
  /// Several TLB entries for one address are reported as F_TLB_CONFLICT. Off: the smallest answers,
  /// which the architecture allows as well.
  package var reportsConflicts = false

  package internal(set) var stes: [UInt32: StreamTableEntry] = [:]
  package internal(set) var cds: [StreamContext: ContextDescriptor] = [:]
  package internal(set) var iotlb = SpanCache<AddressSpace, TLBEntry>()
  package internal(set) var stage2TLB = SpanCache<UInt16, Stage2TLBEntry>()
  package internal(set) var stage1Walk = SpanCache<AddressSpace, WalkEntry>()
  package internal(set) var stage2Walk = SpanCache<UInt16, WalkEntry>()

  package init(_ enabled: Kinds = .all) { self.enabled = enabled }
}

extension SMMUCaches {
  // Each keeps what it is given, if its kind is switched on.

  package mutating func remember(_ ste: StreamTableEntry, _ streamID: UInt32) {
    if enabled.contains(.ste) { stes[streamID] = ste }
  }

  package mutating func remember(_ cd: ContextDescriptor, _ context: StreamContext) {
    if enabled.contains(.cd) { cds[context] = cd }
  }

  package mutating func remember(_ entry: TLBEntry, in space: AddressSpace) {
    if enabled.contains(.iotlb) { iotlb.insert(space, entry) }
  }

  package mutating func remember(_ entry: Stage2TLBEntry, vmid: UInt16) {
    if enabled.contains(.stage2TLB) { stage2TLB.insert(vmid, entry) }
  }

  package mutating func remember(_ entry: WalkEntry, in space: AddressSpace) {
    if enabled.contains(.stage1Walk) { stage1Walk.insert(space, entry) }
  }

  package mutating func remember(_ entry: WalkEntry, vmid: UInt16) {
    if enabled.contains(.stage2Walk) { stage2Walk.insert(vmid, entry) }
  }
}

/// Configuration caches are tagged with what found the structure.
package struct StreamContext: Hashable, Sendable {
  package var streamID: UInt32
  /// Index in the CD table.
  package var index: UInt32

  package init(streamID: UInt32, index: UInt32) {
    self.streamID = streamID
    self.index = index
  }
}

/// The tag of a VA: never the StreamID. Streams with one VMID and ASID share entries (§3.3.3).
package struct AddressSpace: Hashable, Sendable {
  package var world: StreamWorld
  /// 0 in a world without VMIDs.
  package var vmid: UInt16
  /// Nil for a global entry, and in a world without ASIDs.
  package var asid: UInt16?

  package init(_ world: StreamWorld, vmid: UInt16, asid: UInt16?) {
    self.world = world
    self.vmid = world.hasVMID ? vmid : 0
    self.asid = world.hasASID ? asid : nil
  }

  package var global: AddressSpace { AddressSpace(world, vmid: vmid, asid: nil) }
}

/// VA → PA. With both stages it covers the smaller of the two leaves, but is reached by the
/// invalidation of any VA of the stage 1 leaf.
package struct TLBEntry: AddressSpanning, Hashable {
  package var coverage: AddressSpan
  package var reach: AddressSpan
  package var granule: Granule
  /// Of the stage 1 leaf.
  package var level: Int
  package var output: UInt64
  package var stage1: Stage1Permissions
  /// Stage 1 leaf is writable-clean: a write must walk to update it.
  package var isStage1Clean: Bool
  /// IPA of `coverage.base`; the same as `output` without stage 2.
  package var intermediate: UInt64
  package var stage2: Stage2Permissions?
  package var isStage2Clean: Bool

  package init(
    coverage: AddressSpan, reach: AddressSpan, granule: Granule, level: Int, output: UInt64,
    stage1: Stage1Permissions, isStage1Clean: Bool = false, intermediate: UInt64,
    stage2: Stage2Permissions? = nil, isStage2Clean: Bool = false
  ) {
    self.coverage = coverage
    self.reach = reach
    self.granule = granule
    self.level = level
    self.output = output
    self.stage1 = stage1
    self.isStage1Clean = isStage1Clean
    self.intermediate = intermediate
    self.stage2 = stage2
    self.isStage2Clean = isStage2Clean
  }
}

package struct Stage2TLBEntry: AddressSpanning, Hashable {
  package var coverage: AddressSpan
  package var reach: AddressSpan { coverage }
  package var granule: Granule
  package var level: Int
  package var output: UInt64
  package var permissions: Stage2Permissions
  package var isClean: Bool
  package var isDevice: Bool

  package init(
    coverage: AddressSpan, granule: Granule, level: Int, output: UInt64,
    permissions: Stage2Permissions, isClean: Bool = false, isDevice: Bool = false
  ) {
    self.coverage = coverage
    self.granule = granule
    self.level = level
    self.output = output
    self.permissions = permissions
    self.isClean = isClean
    self.isDevice = isDevice
  }
}

/// A table descriptor met on a walk.
package struct WalkEntry: AddressSpanning, Hashable {
  package var coverage: AddressSpan
  package var reach: AddressSpan { coverage }
  package var granule: Granule
  /// Of the descriptor; the table that it names is one level down.
  package var level: Int
  package var nextTable: UInt64
  package var limits: TableLimits

  package init(
    coverage: AddressSpan, granule: Granule, level: Int, nextTable: UInt64,
    limits: TableLimits = TableLimits()
  ) {
    self.coverage = coverage
    self.granule = granule
    self.level = level
    self.nextTable = nextTable
    self.limits = limits
  }
}
