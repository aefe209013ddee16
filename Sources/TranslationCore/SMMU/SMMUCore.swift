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
/// Two ways in. The trace way: `configureStream`, `map`, `unmap` store the structures that the recorded
/// software would have stored. A guest's tables then carry the addresses that this core gave them, not
/// the recorded ones: a recording shows leaves, not where the guest kept its tables. They are outside
/// CD.IPS where that is small, so output width is checked for leaves only. The architecture's way:
/// `program` sets the registers and `store` fills the arena with tables of any form; then all of it
/// counts.
///
/// Not modelled: Secure and Realm state, AArch32 and big-endian tables, the upper half of the address
/// space (TTB1), MPAM, DPT, memory attributes beyond Device or not, ATS responses to the device, and
/// time. Where the architecture allows a choice, `ReferenceModel` says which was taken.
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
  /// `program` changes them.
  package internal(set) var registers = SMMURegisters()
  /// Trace records and commands that were refused.
  package var refusals = SMMURefusals()

  let contexts: UnsafeMutablePointer<StreamContext>
  private let lookupPages: ZeroedPages
  private let contextPages: ZeroedPages
  /// Bounds of the StreamIDs that may be in the configuration cache; empty: lower > upper.
  var cachedStreams: (lower: UInt32, upper: UInt32) = (.max, 0)
  var streamOrder: StreamOrder
  var contextCache: ContextCache

  var tlb: TranslationBuffer
  var stage2TLB: TranslationBuffer
  var walkCache: TranslationBuffer
  var stage1Tables: TranslationBuffer
  var stage2Tables: TranslationBuffer
  var arena: TableArena
  var spaces: AddressSpaceTable
  var leafTables = LeafTables()
  /// Per arena page: descriptors of the table starting there that hold a leaf or a table with leaves.
  let liveCounts: UnsafeMutablePointer<UInt32>
  private let liveCountPages: ZeroedPages

  // Of the access under way.
  var request = SMMURequest(0, 0, 1)
  var notes = AccessNotes()
  var syndrome = SMMUFaultSyndrome()
  var missedConfiguration = false

  var eventQueue: SMMUEventQueue
  var stalls = StalledTransactions()

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
  /// A leaf without nG was cached: lookups and invalidations look in the global spaces, too.
  var globalsCached = false
  /// Tables are where this core put them, not where the recorded CD's output width allows.
  var ownsTables = false

  /// Reserves all memory. Traps when the options leave no room for stream table and stage 2.
  package init(geometry: TableGeometry, options: SMMUOptions) {
    let streamBits = min(max(geometry.streamIDBits, 1), 20)
    let streamCount = 1 << Int(streamBits)
    self.options = options
    lastStreamID = UInt32(streamCount - 1)
    lookupPages = ZeroedPages(byteCount: streamCount * MemoryLayout<StreamLookup>.stride)
    // One more, for a CD on its way to the cache.
    contextPages = ZeroedPages(byteCount: (streamCount + 1) * MemoryLayout<StreamContext>.stride)
    unsafe lookups = lookupPages.table(of: StreamLookup.self)
    unsafe contexts = contextPages.table(of: StreamContext.self)
    tlb = TranslationBuffer(entries: options.tlbEntries, ways: options.tlbWays)
    unsafe tlbLines = UnsafeMutableRawPointer(tlb.lines)
    tlbSetMask = tlb.setMask
    stage2TLB = TranslationBuffer(entries: options.stage2TLBEntries, ways: options.stage2TLBWays)
    walkCache = TranslationBuffer(entries: options.walkCacheEntries, ways: options.walkCacheWays)
    stage1Tables = TranslationBuffer(
      entries: options.stage1TableCacheEntries, ways: options.tableCacheWays)
    stage2Tables = TranslationBuffer(
      entries: options.stage2TableCacheEntries, ways: options.tableCacheWays)
    streamOrder = StreamOrder(entries: options.streamCacheEntries, streams: streamCount)
    contextCache = ContextCache(entries: options.keepsContexts ? options.contextCacheEntries : 0)
    eventQueue = SMMUEventQueue(log2Entries: options.eventQueueLog2)
    arena = TableArena(limitBytes: options.arenaLimitBytes)
    spaces = AddressSpaceTable(limit: options.addressSpaceLimit)
    liveCountPages = ZeroedPages(byteCount: Int(arena.limitBytes >> 12) * 4)
    unsafe liveCounts = liveCountPages.table(of: UInt32.self)
    arenaIntermediate = options.guestMemory.upperBound
    arenaPhysical = arenaIntermediate + (options.nested ? options.stage2Offset : 0)
    outputBits = min(max(geometry.outputAddressBits, 32), 52)

    let memory = options.guestMemory
    backedStart = options.nested ? memory.lowerBound : 0
    backedBytes = options.nested ? memory.upperBound - memory.lowerBound : 1 << 48
    // A table that one level-2 table holds is linear (IHI 0070, §6.3.25).
    streamSplit = options.streamTableSplit < streamBits ? UInt32(options.streamTableSplit) : 0
    let tableBytes = streamSplit == 0 ? streamCount * 64 : (streamCount >> Int(streamSplit)) * 8
    let log2 = UInt8(max(4096, tableBytes).trailingZeroBitCount)
    guard let streamTable = arena.allocate(log2Bytes: log2) else {
      fatalError("SMMUOptions.arenaLimitBytes is too small for the stream table")
    }
    self.streamTable = streamTable
    registers.streamTableBase = arenaPhysical + streamTable
    registers.log2Size = streamBits
    registers.split = UInt8(streamSplit)
    registers.isTwoLevel = streamSplit != 0
    if options.nested { buildHostStage2() }
  }
}
