import EventModel

/// The writer's side of the slot machine: decides for each event which slot gives it.
///
/// A record is looked up by what the slots predict. If none predicts it, a new slot is made. If a
/// slot of the same shape and page is there and the address moved forward a little, the new slot
/// learns that step as its stride. Slots are the state of one frame; nothing survives `init`.
struct SlotModel {
  /// What the frame's table says about a slot.
  struct Entry {
    var shape: RecordShape
    var word0: UInt64
    var word1: UInt64
    var stride0: UInt64 = 0
    var stride1: UInt64 = 0
  }

  /// In order of their first event.
  private(set) var entries: [Entry] = []
  private(set) var slotOfEvent: [Int] = []
  private(set) var uses: [Int] = []

  /// The longest step that is taken for a stride, in bytes.
  private static let longestStride: UInt64 = 256

  private struct Record: Equatable {
    var word0: UInt64
    var word1: UInt64
    var shape: RecordShape
  }

  private struct State {
    var predicted: Record
    var last: Record
    var pageKey: UInt64
    /// The next slot whose prediction falls into the same bucket.
    var chainNext = -1
  }

  private var states: [State] = []
  private var chains = [Int](repeating: -1, count: 1 << Self.bucketBits)
  private var pages = [Int](repeating: -1, count: 1 << Self.bucketBits)
  private static let bucketBits = 14

  init(_ events: [TraceEvent]) {
    slotOfEvent.reserveCapacity(events.count)
    for event in events {
      let record = Record(word0: event.word0, word1: event.word1, shape: RecordShape(event))
      let bucket = Self.bucket(record)
      let slot = find(record, in: bucket) ?? add(record)
      slotOfEvent.append(slot)
      uses[slot] += 1
      states[slot].last = record
      moveOn(slot, from: record, bucket: bucket)
    }
  }

  private func find(_ record: Record, in bucket: Int) -> Int? {
    var slot = chains[bucket]
    while slot >= 0, states[slot].predicted != record { slot = states[slot].chainNext }
    return slot >= 0 ? slot : nil
  }

  private mutating func add(_ record: Record) -> Int {
    var entry = Entry(shape: record.shape, word0: record.word0, word1: record.word1)
    let pageKey = Self.mix(record, record.word0 >> 12, 0)
    let pageBucket = Int(truncatingIfNeeded: pageKey >> UInt64(64 - Self.bucketBits))
    let neighbour = pages[pageBucket]
    if neighbour >= 0, states[neighbour].pageKey == pageKey,
      states[neighbour].last.shape == record.shape
    {
      let stride0 = record.word0 &- states[neighbour].last.word0
      let stride1 = record.word1 &- states[neighbour].last.word1
      if (1...Self.longestStride).contains(stride0), stride1 == stride0 || stride1 == 0 {
        entry.stride0 = stride0
        entry.stride1 = stride1
      }
    }
    let slot = entries.count
    pages[pageBucket] = slot
    entries.append(entry)
    uses.append(0)
    states.append(State(predicted: record, last: record, pageKey: pageKey))
    chain(slot, in: Self.bucket(record))
    return slot
  }

  /// After an event, the slot predicts the next one.
  private mutating func moveOn(_ slot: Int, from record: Record, bucket: Int) {
    let (stride0, stride1) = (entries[slot].stride0, entries[slot].stride1)
    guard stride0 != 0 || stride1 != 0 else { return }
    unchain(slot, from: bucket)
    states[slot].predicted.word0 = record.word0 &+ stride0
    states[slot].predicted.word1 = record.word1 &+ stride1
    chain(slot, in: Self.bucket(states[slot].predicted))
  }

  private mutating func chain(_ slot: Int, in bucket: Int) {
    states[slot].chainNext = chains[bucket]
    chains[bucket] = slot
  }

  private mutating func unchain(_ slot: Int, from bucket: Int) {
    guard chains[bucket] != slot else {
      chains[bucket] = states[slot].chainNext
      return
    }
    var before = chains[bucket]
    while states[before].chainNext != slot { before = states[before].chainNext }
    states[before].chainNext = states[slot].chainNext
  }

  private static func bucket(_ record: Record) -> Int {
    Int(
      truncatingIfNeeded: mix(record, record.word0, record.word1) >> UInt64(64 - bucketBits))
  }

  private static func mix(_ record: Record, _ word0: UInt64, _ word1: UInt64) -> UInt64 {
    var hash = (word0 ^ (record.shape.word2 &* 0xC2B2_AE3D_27D4_EB4F)) &* 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 29
    hash = (hash ^ word1 ^ (record.shape.word3 &* 0x1656_67B1_9E37_79F9)) &* 0xC2B2_AE3D_27D4_EB4F
    hash ^= hash >> 31
    return (hash ^ record.shape.tail) &* 0x9E37_79B9_7F4A_7C15
  }
}
