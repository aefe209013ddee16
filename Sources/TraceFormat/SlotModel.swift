import EventModel

/// The writer's side of the slot machine: decides for each event which slot gives it, or that it is
/// cold and which slot it goes to.
///
/// A record is looked up by what slots predict. Cold records take the least recently used slot,
/// unless one of the same shape and page is there and the address moved forward a little: then that
/// slot learns the stride. What slots do is state of the frame; nothing survives `init`.
struct SlotModel {
  /// A cold event, in order of appearance.
  struct ColdEvent {
    var position: Int
    var slot: Int
    var shape: RecordShape
    var word0: UInt64
    var word1: UInt64
    var stride0: UInt64 = 0
    var stride1: UInt64 = 0
  }

  /// Per event the slot that gives it; for a cold one, after loading it.
  private(set) var slotOfEvent: [UInt16] = []
  private(set) var coldEvents: [ColdEvent] = []
  /// 1,024 slots of 64 bytes are 64 KiB: the busy ones stay in a first-level cache, and the
  /// recordings' frames need no more.
  static let capacity = 1024
  /// The longest step that is taken for a stride, in bytes.
  private static let longestStride: UInt64 = 256

  private struct Slot {
    var predicted: Record
    var last: Record
    var stride0: UInt64 = 0
    var stride1: UInt64 = 0
    /// Page key under which a stride may find the slot.
    var pageKey: UInt64
    /// Chain of slots whose predictions share a bucket, and least-recently-used order.
    var chainNext = -1
    var older = -1
    var newer = -1
  }

  private struct Record: Equatable {
    var word0: UInt64
    var word1: UInt64
    var shape: RecordShape
  }

  private var slots: [Slot] = []
  private var chains = [Int](repeating: -1, count: 4096)
  private var pages = [Int](repeating: -1, count: 4096)
  private var oldest = -1
  private var newest = -1

  init(_ events: [TraceEvent]) {
    slotOfEvent.reserveCapacity(events.count)
    slots.reserveCapacity(Self.capacity)
    for event in events {
      let record = Record(word0: event.word0, word1: event.word1, shape: RecordShape(event))
      if let slot = find(record) {
        slotOfEvent.append(UInt16(slot))
        advance(slot, from: record)
        touch(slot)
      } else {
        load(record)
      }
    }
  }

  private func find(_ record: Record) -> Int? {
    var slot = chains[Self.bucket(record)]
    while slot >= 0, slots[slot].predicted != record { slot = slots[slot].chainNext }
    return slot >= 0 ? slot : nil
  }

  private mutating func load(_ record: Record) {
    let pageKey = Self.pageKey(record)
    let pageBucket = Int(truncatingIfNeeded: pageKey >> 52)
    var cold = ColdEvent(
      position: slotOfEvent.count, slot: -1, shape: record.shape, word0: record.word0,
      word1: record.word1)
    let neighbour = pages[pageBucket]
    if neighbour >= 0, slots[neighbour].pageKey == pageKey,
      slots[neighbour].last.shape == record.shape
    {
      let stride0 = record.word0 &- slots[neighbour].last.word0
      let stride1 = record.word1 &- slots[neighbour].last.word1
      if (1...Self.longestStride).contains(stride0), stride1 == stride0 || stride1 == 0 {
        cold.slot = neighbour
        cold.stride0 = stride0
        cold.stride1 = stride1
      }
    }
    let fresh = Slot(predicted: record, last: record, pageKey: pageKey)
    if cold.slot < 0 {
      if slots.count < Self.capacity {
        cold.slot = slots.count
        slots.append(fresh)
        link(cold.slot)
      } else {
        cold.slot = oldest
        unchain(cold.slot)
      }
    } else {
      unchain(cold.slot)
    }
    let (older, newer) = (slots[cold.slot].older, slots[cold.slot].newer)
    slots[cold.slot] = fresh
    slots[cold.slot].older = older
    slots[cold.slot].newer = newer
    slots[cold.slot].stride0 = cold.stride0
    slots[cold.slot].stride1 = cold.stride1
    predict(cold.slot, from: record)
    touch(cold.slot)
    pages[pageBucket] = cold.slot
    coldEvents.append(cold)
    slotOfEvent.append(UInt16(cold.slot))
  }

  private mutating func advance(_ slot: Int, from record: Record) {
    slots[slot].last = record
    guard slots[slot].stride0 != 0 || slots[slot].stride1 != 0 else { return }
    unchain(slot)
    predict(slot, from: record)
  }

  private mutating func predict(_ slot: Int, from record: Record) {
    slots[slot].predicted = record
    slots[slot].predicted.word0 &+= slots[slot].stride0
    slots[slot].predicted.word1 &+= slots[slot].stride1
    let bucket = Self.bucket(slots[slot].predicted)
    slots[slot].chainNext = chains[bucket]
    chains[bucket] = slot
  }

  private mutating func unchain(_ slot: Int) {
    let bucket = Self.bucket(slots[slot].predicted)
    var previous = -1
    var current = chains[bucket]
    while current != slot {
      previous = current
      current = slots[current].chainNext
    }
    if previous < 0 {
      chains[bucket] = slots[slot].chainNext
    } else {
      slots[previous].chainNext = slots[slot].chainNext
    }
  }

  private static func mix(_ record: Record, _ word0: UInt64, _ word1: UInt64) -> UInt64 {
    var hash = (word0 ^ (record.shape.word2 &* 0xC2B2_AE3D_27D4_EB4F)) &* 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 29
    hash = (hash ^ word1 ^ (record.shape.word3 &* 0x1656_67B1_9E37_79F9)) &* 0xC2B2_AE3D_27D4_EB4F
    hash ^= hash >> 31
    return (hash ^ record.shape.tail) &* 0x9E37_79B9_7F4A_7C15
  }

  private static func bucket(_ record: Record) -> Int {
    Int(truncatingIfNeeded: mix(record, record.word0, record.word1) >> 52)
  }

  private static func pageKey(_ record: Record) -> UInt64 { mix(record, record.word0 >> 12, 0) }
}

// Least-recently-used order, as a doubly linked list through the slots.
extension SlotModel {
  private mutating func link(_ slot: Int) {
    slots[slot].older = newest
    slots[slot].newer = -1
    if newest >= 0 { slots[newest].newer = slot } else { oldest = slot }
    newest = slot
  }

  private mutating func touch(_ slot: Int) {
    guard slot != newest else { return }
    let (older, newer) = (slots[slot].older, slots[slot].newer)
    if older >= 0 { slots[older].newer = newer } else { oldest = newer }
    slots[newer].older = older
    link(slot)
  }
}
