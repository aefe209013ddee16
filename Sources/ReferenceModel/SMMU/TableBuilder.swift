import EventModel

/// Stores what recorded software stored: stream table, context descriptors and translation tables.
///
/// A recording names mappings and stream configurations, not the bytes. The builder turns them into
/// the bytes, in an arena of addresses that nothing else uses, and keeps the account of which
/// stream uses which tables. Streams with one TTB share one set of tables.
///
/// With a `Stage2Plan` in `nesting` the recorded machine becomes a guest: a stream with stage 1
/// becomes nested, a bypassed one gets stage 2 alone, an aborted one stays so, which is what Linux
/// makes of a guest's STE (arm-smmu-v3-iommufd.c, arm_smmu_make_nested_domain_ste).
package struct TableBuilder: Sendable {
  /// What the stream table and CD tables look like.
  package struct Layout: Hashable, Sendable {
    /// Physical addresses for tables. Recorded tables must not lie there.
    package var arena: Range<UInt64>
    package var streamTable = SMMU.Registers.TableFormat.twoLevel
    package var streamIDBits: UInt8 = 16
    package var split: UInt8 = 8
    package var s1CDMax: UInt8 = 0
    package var s1Fmt: UInt8 = 0
    /// 2: traffic without SubstreamID uses CD 0. What Linux sets.
    package var s1DSS: UInt8 = 2

    /// The arena is the last sixteenth of the physical address space.
    package init(outputAddressBits: UInt64 = 44) {
      let top: UInt64 = 1 << min(max(outputAddressBits, 32), 52)
      arena = (top - top / 16)..<top
    }
  }

  package let layout: Layout
  package let nesting: Stage2Plan?
  /// Descriptors stored so far, by either stage.
  package internal(set) var descriptorWrites: UInt64 = 0

  var arena: TableArena
  var streamTableBase: UInt64?
  var streams: [UInt32: Stream] = [:]
  var roots: [RootKey: Root] = [:]
  var machines: [UInt16: Machine] = [:]

  package init(_ layout: Layout = Layout(), nesting: Stage2Plan? = nil) {
    self.layout = layout
    self.nesting = nesting
    arena = TableArena(layout.arena)
  }
}

extension TableBuilder {
  /// The start table of a stage 1 address space.
  struct Root: Hashable {
    var base: UInt64
    var geometry: WalkGeometry
    /// The machine in whose IPA space the tables lie; nil for physical addresses.
    var machine: UInt16?
    var asid: UInt16
  }

  /// Tables are known by their base; without one, by the ASID.
  struct RootKey: Hashable {
    var machine: UInt16?
    var ttb: UInt64
    var asid: UInt16
  }

  struct Stream: Hashable {
    var configuration: StreamConfiguration
    var root: RootKey?
    var contextTable: UInt64
  }

  /// One VMID with stage 2.
  struct Machine: Hashable {
    var plan: Stage2Plan
    var base: UInt64
    var geometry: WalkGeometry
    var arena: TableArena
  }

  /// Bytes of tables for the arena of `machine`, or physical ones.
  mutating func allocate(
    _ sizeBytes: UInt64, alignment: UInt64, machine: UInt16?, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) -> UInt64 {
    guard let machine else { return try arena.allocate(sizeBytes, alignment: alignment) }
    let address = try machines[machine]!.arena.allocate(sizeBytes, alignment: alignment)
    try provideStage2(address, sizeBytes, machine, in: &memory)
    return address
  }

  /// Where an address of a structure lies in memory.
  func physical(
    _ address: UInt64, machine: UInt16?, in memory: ReferenceMemory
  ) throws(SMMUTableError) -> UInt64 {
    guard let machine else { return address }
    guard let answer = stage2Leaf(address, machine, in: memory) else {
      throw .unmappedIntermediateAddress(address)
    }
    return answer
  }
}
