package import EventModel

/// An SMMUv3 in memory: StreamID and address in, physical address or fault out.
///
/// Arm IHI 0070 for stream table, context descriptors, commands and faults; Arm ARM DDI 0487, D8,
/// for the tables. Layout of the address map:
///
/// | Address | Is |
/// |---|---|
/// | intermediate `guestMemory` | the guest's memory; physical at `+ stage2Offset` |
/// | intermediate `guestMemory.upperBound` … | the arena: context descriptors and stage-1 tables, physical at `+ stage2Offset` |
/// | physical only | stage-2 tables and stream table: also in the arena, outside what a guest may name |
/// | what `mapStage2` adds | for example the ITS translation page |
///
/// Without stage 2 (`nested` off) the offset is 0 and intermediate addresses are physical.
///
/// A guest's tables carry the addresses that this core gave them, not the recorded ones: a recording
/// shows leaves, not where the guest kept its tables. They are outside CD.IPS where that is small,
/// so output width is checked for leaves only.
@safe
@usableFromInline
package struct SMMUCore: ~Copyable {
  // Read by the fast path, in the order of use.
  @usableFromInline let lastStreamID: UInt32
  @usableFromInline let lookups: UnsafeMutablePointer<StreamLookup>
  /// The lines and the mask of `tlb`, which owns them.
  @usableFromInline let tlbLines: UnsafeMutableRawPointer
  @usableFromInline let tlbSetMask: UInt64
  @usableFromInline var counters = SMMUCounters()

  package let options: SMMUOptions
  /// CR0.SMMUEN: set by the first stream configuration. Until then everything passes (§3.11).
  package internal(set) var isEnabled = false
  /// Trace records and commands that were refused.
  package var refusals = SMMURefusals()

  let contexts: UnsafeMutablePointer<StreamContext>
  private let lookupPages: ZeroedPages
  private let contextPages: ZeroedPages
  /// Bounds of the StreamIDs that may be in the configuration cache; empty: lower > upper.
  var cachedStreams: (lower: UInt32, upper: UInt32) = (.max, 0)

  var tlb: TranslationBuffer
  var stage2TLB: TranslationBuffer
  var walkCache: TranslationBuffer
  var arena: TableArena
  var spaces: AddressSpaceTable
  var leafTables = LeafTables()
  /// Per arena page: descriptors of the table starting there that hold a leaf or a table with leaves.
  let liveCounts: UnsafeMutablePointer<UInt32>
  private let liveCountPages: ZeroedPages

  /// Address of arena offset 0: intermediate and physical.
  let arenaIntermediate: UInt64
  let arenaPhysical: UInt64
  let outputBits: UInt8
  let streamTable: UInt64
  let streamSplit: UInt32
  /// Where the next context descriptor goes, and how many more fit into that page.
  var nextContextDescriptor: (offset: UInt64, left: Int) = (0, 0)
  /// Guest memory, or without stage 2 everything below 2^48: stage-1 outputs that need nothing more.
  let backedStart: UInt64
  let backedBytes: UInt64
  /// Number of the host's stage-2 space; 0 without one.
  var hostStage2 = 0
  /// A leaf without nG was cached: an invalidation by address must reach every ASID.
  var globalsCached = false

  /// Reserves all memory. Traps when the options leave no room for stream table and stage 2.
  package init(geometry: TableGeometry, options: SMMUOptions) {
    let streamBits = min(max(geometry.streamIDBits, 1), 20)
    let streamCount = 1 << Int(streamBits)
    self.options = options
    lastStreamID = UInt32(streamCount - 1)
    lookupPages = ZeroedPages(byteCount: streamCount * MemoryLayout<StreamLookup>.stride)
    contextPages = ZeroedPages(byteCount: streamCount * MemoryLayout<StreamContext>.stride)
    unsafe lookups = lookupPages.table(of: StreamLookup.self)
    unsafe contexts = contextPages.table(of: StreamContext.self)
    tlb = TranslationBuffer(entries: options.tlbEntries, ways: options.tlbWays)
    unsafe tlbLines = UnsafeMutableRawPointer(tlb.lines)
    tlbSetMask = tlb.setMask
    stage2TLB = TranslationBuffer(entries: options.stage2TLBEntries, ways: options.stage2TLBWays)
    walkCache = TranslationBuffer(entries: options.walkCacheEntries, ways: options.walkCacheWays)
    arena = TableArena(limitBytes: options.arenaLimitBytes)
    spaces = AddressSpaceTable(limit: options.addressSpaceLimit)
    liveCountPages = ZeroedPages(byteCount: Int(arena.limitBytes >> 12) * 4)
    unsafe liveCounts = liveCountPages.table(of: UInt32.self)
    arenaIntermediate = options.guestMemory.upperBound
    arenaPhysical = arenaIntermediate + (options.nested ? options.stage2Offset : 0)
    outputBits = min(max(geometry.outputAddressBits, 32), 48)

    let memory = options.guestMemory
    backedStart = options.nested ? memory.lowerBound : 0
    backedBytes = options.nested ? memory.upperBound - memory.lowerBound : 1 << 48
    streamSplit = UInt32(min(options.streamTableSplit, streamBits))
    let tableBytes = streamSplit == 0 ? streamCount * 64 : (streamCount >> Int(streamSplit)) * 8
    let log2 = UInt8(max(4096, tableBytes).trailingZeroBitCount)
    guard let streamTable = arena.allocate(log2Bytes: log2) else {
      fatalError("SMMUOptions.arenaLimitBytes is too small for the stream table")
    }
    self.streamTable = streamTable
    if options.nested { buildHostStage2() }
  }

  package func addCounters(to work: inout WorkCounters) {
    work.accesses += counters.accesses
    work.configurationCacheMisses += counters.configurationMisses
    work.steReads += counters.steReads
    work.cdReads += counters.cdReads
    work.tlbMisses += counters.tlbMisses
    work.stage1DescriptorReads += counters.stage1Reads
    work.stage2DescriptorReads += counters.stage2Reads
    work.stage2TLBMisses += counters.stage2TLBMisses
    work.smmuCommands += counters.commands
    work.smmuFaults += counters.faults
    work.descriptorWrites += counters.descriptorWrites
  }
}

/// The SMMU's share of `WorkCounters`, close to the fast path.
@frozen
@usableFromInline
struct SMMUCounters: BitwiseCopyable {
  @usableFromInline var accesses: UInt64 = 0
  var configurationMisses: UInt64 = 0
  var steReads: UInt64 = 0
  var cdReads: UInt64 = 0
  var tlbMisses: UInt64 = 0
  var stage1Reads: UInt64 = 0
  var stage2Reads: UInt64 = 0
  var stage2TLBMisses: UInt64 = 0
  var commands: UInt64 = 0
  var faults: UInt64 = 0
  var descriptorWrites: UInt64 = 0
}
