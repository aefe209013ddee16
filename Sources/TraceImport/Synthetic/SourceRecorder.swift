import EventModel

/// Follows one device or vCPU through a recording.
struct SourceRecorder: Sendable {
  var hasFaultyMessages = false
  private let streamID: UInt32?
  private var blocks: [[SampledEvent]] = []
  private var block: [SampledEvent] = []
  private var blocksSeen = 0
  private(set) var eventCount: UInt64 = 0
  private var lastTime: UInt64 = 0
  private var vectors: [UInt32: UInt16] = [:]
  private var targets: [Int] = []
  private var pools: [RecordedPool] = []
  /// Leaves that are mapped now.
  private var mapped: Set<UInt64> = []

  init(streamID: UInt32?) { self.streamID = streamID }

  var keptEvents: Int { blocks.reduce(block.count) { $0 + $1.count } }

  /// - Returns: whether a block is full and kept.
  mutating func append(_ event: SampledEvent, time: UInt64, log2Stride: Int) -> Bool {
    var event = event
    if eventCount == 0 { lastTime = time }
    event.gapNanoseconds = time - min(time, lastTime)
    lastTime = max(lastTime, time)
    eventCount += 1
    block.append(event)
    guard block.count == RecordingSample.blockEvents else { return false }
    return endBlock(log2Stride)
  }

  private mutating func endBlock(_ log2Stride: Int) -> Bool {
    defer {
      block.removeAll(keepingCapacity: true)
      blocksSeen += 1
    }
    guard blocksSeen & ((1 << log2Stride) - 1) == 0 else { return false }
    blocks.append(block)
    return true
  }

  mutating func thin() {
    blocks = stride(from: 0, to: blocks.count, by: 2).map { blocks[$0] }
  }

  /// - Parameter pause: gaps longer than this are left out.
  func finished(pause: UInt64) -> SampledSource {
    var source = SampledSource(streamID: streamID)
    source.blocks = blocks
    // The rest is a block of its own, unless it is a small part of a long recording.
    if !block.isEmpty, blocks.count < 16 { source.blocks.append(block) }
    var (gaps, kept): (UInt64, UInt64) = (0, 0)
    for index in source.blocks.indices {
      for place in source.blocks[index].indices {
        let gap = source.blocks[index][place].gapNanoseconds
        if gap > pause { source.blocks[index][place].gapNanoseconds = 0 } else { gaps += gap }
      }
      kept += UInt64(source.blocks[index].count)
    }
    source.eventCount = eventCount
    source.activeNanoseconds = kept == eventCount ? gaps : gaps / max(1, kept) * eventCount
    source.targets = targets
    source.hasFaultyMessages = hasFaultyMessages
    source.pools = pools.map {
      var pool = $0.pool
      pool.leaves = $0.leafCount
      return pool
    }
    return source
  }

  // MARK: Vectors

  /// The interrupt of the message that was event `number` was taken, or ended; unless its block has ended.
  mutating func note(
    message number: UInt64, latency: UInt64? = nil, handling: UInt64? = nil
  ) {
    let first = eventCount - UInt64(block.count)
    guard number >= first, number < eventCount else { return }
    let index = Int(number - first)
    if let latency { block[index].offset = UInt32(clamping: max(1, latency)) }
    if let handling { block[index].sizeBytes = UInt32(clamping: handling) }
  }

  func known(_ data: UInt32) -> UInt16? { vectors[data] }

  /// The number of the vector with this EventID.
  mutating func vector(_ data: UInt32, target: Int) -> UInt16 {
    if let known = vectors[data] { return known }
    guard targets.count < Int(SynthesisOptions.vectorLimit) else { return 0 }
    vectors[data] = UInt16(targets.count)
    targets.append(target)
    return UInt16(targets.count - 1)
  }

  // MARK: Memory

  mutating func map(_ event: TraceEvent) {
    // A message page is no memory.
    guard event.log2SizeBytes >= 12, event.log2SizeBytes <= 31 else { return }
    _ = pool(event.log2SizeBytes, event.level)
    if mapped.count < LeafPool.limit {
      mapped.insert(Self.leaf(event.iova, event.log2SizeBytes))
    }
  }

  /// The IOVA of a leaf, and in its low bits log2 of its size.
  private static func leaf(_ iova: UInt64, _ log2Bytes: UInt32) -> UInt64 {
    iova & ~((1 << UInt64(log2Bytes)) - 1) | UInt64(log2Bytes)
  }

  private mutating func pool(_ log2Bytes: UInt32, _ level: UInt32) -> Int {
    if let known = pools.firstIndex(where: { $0.pool.log2Bytes == log2Bytes }) { return known }
    pools.append(RecordedPool(SampledSource.Pool(log2Bytes: log2Bytes, level: level)))
    return pools.count - 1
  }

  mutating func access(_ event: TraceEvent) -> SampledEvent {
    var sampled = SampledEvent(gapNanoseconds: 0, action: .access)
    sampled.sizeBytes = event.sizeBytes
    let direction = event.flags.intersection([.read, .write])
    sampled.flags = direction.isEmpty ? EventFlags.read.rawValue : direction.rawValue
    if event.outcome.isLost {
      sampled.action = .faultyAccess
      return sampled
    }
    let index = leafPool(of: event.iova)
    let log2 = UInt64(pools[index].pool.log2Bytes)
    sampled.pool = UInt8(index)
    sampled.offset = UInt32(truncatingIfNeeded: event.iova & ((1 << log2) - 1))
    sampled.leaf = pools[index].use(event.iova >> log2)
    return sampled
  }

  /// The pool whose leaf of this address is mapped; that of pages if none is known.
  private mutating func leafPool(of iova: UInt64) -> Int {
    for (index, entry) in pools.enumerated()
    where mapped.contains(Self.leaf(iova, entry.pool.log2Bytes)) {
      return index
    }
    return pools.isEmpty ? pool(12, 3) : 0
  }

  /// nil: not a leaf that the device used.
  mutating func unmap(_ event: TraceEvent) -> SampledEvent? {
    guard
      let index = pools.firstIndex(where: { $0.pool.log2Bytes == event.log2SizeBytes }),
      let leaf = pools[index].name(event.iova >> UInt64(event.log2SizeBytes))
    else { return nil }
    mapped.remove(Self.leaf(event.iova, event.log2SizeBytes))
    return SampledEvent(
      gapNanoseconds: 0, leaf: leaf, pool: UInt8(index), action: .unmap)
  }
}

/// The leaves of one size that a device used.
private struct RecordedPool: Sendable {
  let pool: SampledSource.Pool
  private var stack = ReuseStack<UInt64>(limit: LeafPool.limit)
  private var numbers: [UInt64: UInt32] = [:]

  init(_ pool: SampledSource.Pool) { self.pool = pool }

  var leafCount: Int { pool.isOfPages ? stack.count : numbers.count }

  /// - Returns: the leaf's name for a `SampledEvent`.
  mutating func use(_ leaf: UInt64) -> UInt32 {
    if pool.isOfPages { return stack.use(leaf).map { UInt32($0) } ?? .max }
    if let number = numbers[leaf] { return number }
    guard numbers.count < LeafPool.limit else { return 0 }
    numbers[leaf] = UInt32(numbers.count)
    return UInt32(numbers.count - 1)
  }

  /// nil: never used.
  func name(_ leaf: UInt64) -> UInt32? {
    pool.isOfPages ? stack.distance(of: leaf).map { UInt32($0) } : numbers[leaf]
  }
}
