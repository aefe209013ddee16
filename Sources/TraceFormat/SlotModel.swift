import EventModel
import Glibc

/// The writer's side of the slot machine: decides for each event which slot gives it.
///
/// A record is looked up by what the slots predict. If none predicts it, a new slot is made. If a
/// slot of the same shape and page is there and the address moved forward a little, the new slot
/// learns that step as its stride. Slots are the state of one frame; `begin` starts anew with their
/// memory.
///
/// About 12 ns per event where slots repeat (see `Benchmarks/TraceDecode`); no allocation but for a
/// frame with more slots than any before.
@safe
struct SlotModel: ~Copyable {
  /// Where a slot stands: a cache line, all that an event needs.
  struct Slot: BitwiseCopyable {
    /// The record that it gives next, but for its time. What it gave last is a stride less.
    var predicted0: UInt64
    var predicted1: UInt64
    var word2: UInt64
    var word3: UInt64
    var tail: UInt64
    var stride0: UInt64 = 0
    var stride1: UInt64 = 0
    var uses: UInt32 = 0
    /// The next slot whose prediction falls into the same bucket.
    var chainNext: Int32 = -1

    var shape: RecordShape { RecordShape(word2: word2, word3: word3, tail: tail) }
  }

  /// The first record of a slot.
  struct Origin: BitwiseCopyable {
    var word0: UInt64
    var word1: UInt64
    var pageKey: UInt64
  }

  /// In order of their first event.
  private(set) var slotCount = 0
  private(set) var eventCount = 0
  private var slotBuffer = RawBuffer()
  private var originBuffer = RawBuffer()
  private var eventBuffer = RawBuffer()
  private let chainBuffer = RawBuffer(capacity: buckets * 4)
  private let pageBuffer = RawBuffer(capacity: buckets * 4)

  /// The longest step that is taken for a stride, in bytes.
  private static let longestStride: UInt64 = 256
  private static let bucketBits: UInt64 = 14
  private static let buckets = 1 << 14

  init() {}

  /// The slots of the frame that was modelled last.
  var slots: UnsafeMutablePointer<Slot> {
    // Safety: room for as many slots as events; the first `slotCount` are set.
    unsafe slotBuffer.base.assumingMemoryBound(to: Slot.self)
  }

  var origins: UnsafeMutablePointer<Origin> {
    // Safety: as `slots`.
    unsafe originBuffer.base.assumingMemoryBound(to: Origin.self)
  }

  /// The slot of each of its events.
  var slotOfEvent: UnsafeMutablePointer<UInt32> {
    // Safety: room for as many numbers as events, all set.
    unsafe eventBuffer.base.assumingMemoryBound(to: UInt32.self)
  }

  /// Starts a frame of at most `capacity` events.
  mutating func begin(capacity: Int) {
    slotCount = 0
    eventCount = 0
    slotBuffer.reserve(capacity * MemoryLayout<Slot>.stride)
    originBuffer.reserve(capacity * MemoryLayout<Origin>.stride)
    eventBuffer.reserve(capacity * 4)
    // Safety: the whole of both buffers.
    unsafe memset(chainBuffer.base, 0xFF, Self.buckets * 4)
    unsafe memset(pageBuffer.base, 0xFF, Self.buckets * 4)
    unsafe slotBuffer.base.bindMemory(to: Slot.self, capacity: capacity)
    unsafe originBuffer.base.bindMemory(to: Origin.self, capacity: capacity)
    unsafe eventBuffer.base.bindMemory(to: UInt32.self, capacity: capacity)
    unsafe chainBuffer.base.bindMemory(to: Int32.self, capacity: Self.buckets)
    unsafe pageBuffer.base.bindMemory(to: Int32.self, capacity: Self.buckets)
  }

  /// Takes the next events of the frame.
  mutating func add(_ events: UnsafeBufferPointer<TraceEvent>) {
    // Safety, for this whole type: buckets are below `buckets`, slot numbers below `slotCount`, which
    // is at most the number of events, and the buffers have room for those.
    let chains = unsafe chainBuffer.base.assumingMemoryBound(to: Int32.self)
    let pages = unsafe pageBuffer.base.assumingMemoryBound(to: Int32.self)
    let slots = unsafe self.slots
    let slotOfEvent = unsafe self.slotOfEvent + eventCount
    eventCount += events.count
    for index in events.indices {
      let event = unsafe events[index]
      let tail = unsafe RecordShape.tail(at: events.baseAddress! + index)
      let shapeHash = Self.hash(event.word2, event.word3, tail)
      let bucket = Self.bucket(shapeHash, event.word0, event.word1)
      var number = unsafe chains[bucket]
      while number >= 0 {
        let slot = unsafe slots + Int(number)
        if unsafe slot.pointee.predicted0 == event.word0 && slot.pointee.predicted1 == event.word1
          && slot.pointee.word2 == event.word2 && slot.pointee.word3 == event.word3
          && slot.pointee.tail == tail
        {
          break
        }
        unsafe number = slot.pointee.chainNext
      }
      if number < 0 {
        number = Int32(slotCount)
        unsafe add(event, tail, bucket, slots, chains, pages)
      }
      unsafe slotOfEvent[index] = UInt32(number)
      let slot = unsafe slots + Int(number)
      unsafe slot.pointee.uses &+= 1
      guard unsafe slot.pointee.stride0 | slot.pointee.stride1 != 0 else { continue }
      // A slot that walks predicts another record now.
      unsafe unchain(number, from: bucket, slots, chains)
      unsafe slot.pointee.predicted0 = event.word0 &+ slot.pointee.stride0
      unsafe slot.pointee.predicted1 = event.word1 &+ slot.pointee.stride1
      let next = unsafe Self.bucket(shapeHash, slot.pointee.predicted0, slot.pointee.predicted1)
      unsafe slot.pointee.chainNext = chains[next]
      unsafe chains[next] = number
    }
  }

  @inline(never)
  private mutating func add(
    _ event: TraceEvent, _ tail: UInt64, _ bucket: Int, _ slots: UnsafeMutablePointer<Slot>,
    _ chains: UnsafeMutablePointer<Int32>, _ pages: UnsafeMutablePointer<Int32>
  ) {
    let pageKey = Self.mix(event.word2, event.word3, tail, event.word0 >> 12)
    let page = Int(truncatingIfNeeded: pageKey >> (64 - Self.bucketBits))
    var slot = Slot(
      predicted0: event.word0, predicted1: event.word1, word2: event.word2, word3: event.word3,
      tail: tail)
    let neighbour = unsafe pages[page]
    if neighbour >= 0 {
      let old = unsafe slots[Int(neighbour)]
      let stride0 = event.word0 &- (old.predicted0 &- old.stride0)
      let stride1 = event.word1 &- (old.predicted1 &- old.stride1)
      if unsafe origins[Int(neighbour)].pageKey == pageKey, old.word2 == event.word2,
        old.word3 == event.word3,
        old.tail == tail, (1...Self.longestStride).contains(stride0),
        stride1 == stride0 || stride1 == 0
      {
        slot.stride0 = stride0
        slot.stride1 = stride1
      }
    }
    unsafe slot.chainNext = chains[bucket]
    unsafe chains[bucket] = Int32(slotCount)
    unsafe pages[page] = Int32(slotCount)
    unsafe (slots + slotCount).initialize(to: slot)
    unsafe (origins + slotCount).initialize(
      to: Origin(word0: event.word0, word1: event.word1, pageKey: pageKey))
    slotCount += 1
  }

  @inline(__always)
  private func unchain(
    _ number: Int32, from bucket: Int, _ slots: UnsafeMutablePointer<Slot>,
    _ chains: UnsafeMutablePointer<Int32>
  ) {
    let next = unsafe slots[Int(number)].chainNext
    guard unsafe chains[bucket] != number else {
      unsafe chains[bucket] = next
      return
    }
    var before = unsafe Int(chains[bucket])
    while unsafe slots[before].chainNext != number { before = unsafe Int(slots[before].chainNext) }
    unsafe slots[before].chainNext = next
  }

  // MARK: Hashes

  @inline(__always)
  private static func hash(_ word2: UInt64, _ word3: UInt64, _ tail: UInt64) -> UInt64 {
    (word2 &* 0xC2B2_AE3D_27D4_EB4F) ^ (word3 &* 0x1656_67B1_9E37_79F9)
      ^ (tail &* 0x9E37_79B9_7F4A_7C15)
  }

  @inline(__always)
  private static func bucket(_ shape: UInt64, _ word0: UInt64, _ word1: UInt64) -> Int {
    var hash = shape ^ (word0 &* 0xFF51_AFD7_ED55_8CCD) ^ (word1 &* 0xC4CE_B9FE_1A85_EC53)
    hash ^= hash &>> 32
    return Int(
      truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) &>> (64 &- bucketBits))
  }

  private static func mix(
    _ word2: UInt64, _ word3: UInt64, _ tail: UInt64, _ word0: UInt64
  ) -> UInt64 {
    var hash = (word0 ^ (word2 &* 0xC2B2_AE3D_27D4_EB4F)) &* 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 29
    hash = (hash ^ (word3 &* 0x1656_67B1_9E37_79F9)) &* 0xC2B2_AE3D_27D4_EB4F
    hash ^= hash >> 31
    return (hash ^ tail) &* 0x9E37_79B9_7F4A_7C15
  }
}
