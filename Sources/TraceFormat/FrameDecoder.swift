import EventModel

/// Turns the plain payload of one frame back into events, in pieces of any size.
///
/// `open` decodes the columns and checks everything that the event loop relies on; after it the
/// loop has one branch that is rarely taken (a cold event) and no check but one accumulated bit.
@safe
struct FrameDecoder: ~Copyable {
  /// The payload. Fill it, then call `open`.
  var plain = RawBuffer()
  /// 64-byte slots: validity (all ones or zero), word 0…3, tail, stride 0, stride 1. The first 48
  /// bytes thus have the layout of a record with the validity in the place of time.
  var slots = RawBuffer(capacity: (TraceLimits.slots + 1) * Self.slotSize)
  static let slotSize = 64
  private var scratch = RawBuffer()
  var pageMemory = RawBuffer(capacity: PageMemory.entries * 8)
  var columns: Columns
  var payload: EventPayloadHeader
  /// Events of the frame, and how many were given out.
  private(set) var count = 0
  var position = Position()

  /// Decoded columns. They point into `scratch` and `plain`.
  @unsafe
  struct Columns {
    var codes: UnsafePointer<UInt8>
    var time1: UnsafePointer<UInt8>
    var time2: UnsafePointer<UInt16>
    var late: UnsafeMutablePointer<UInt64>
    var extended: UnsafeMutablePointer<UInt64>
    var coldSlot: UnsafeMutablePointer<UInt64>
    var coldShape: UnsafeMutablePointer<UInt64>
    var coldWord0: UnsafeMutablePointer<UInt64>
    var literal: UnsafeMutablePointer<UInt64>
    var stride0: UnsafeMutablePointer<UInt64>
    var stride1: UnsafeMutablePointer<UInt64>
    var shapeWord2: UnsafeMutablePointer<UInt64>
    var shapeWord3: UnsafeMutablePointer<UInt64>
    var shapeTail: UnsafeMutablePointer<UInt64>
    var shapeSource: UnsafeMutablePointer<UInt64>
  }

  /// Where the event loop stands in each column.
  struct Position {
    var event = 0
    var late = 0
    var extended = 0
    var cold = 0
    var literal = 0
    var time: UInt64 = 0
  }

  init() {
    payload = EventPayloadHeader(
      baseTime: 0, nanosecondsPerTick: 1, shapes: 0, coldEvents: 0, extendedCodes: 0, lateTicks: 0,
      literalWords: 0, timeWidth: 1)
    // Safety: never read before `open` replaces them, because `remaining` is 0 until then.
    let none = unsafe scratch.base
    unsafe columns = Columns(
      codes: UnsafePointer(none.assumingMemoryBound(to: UInt8.self)),
      time1: UnsafePointer(none.assumingMemoryBound(to: UInt8.self)),
      time2: UnsafePointer(none.assumingMemoryBound(to: UInt16.self)),
      late: none.assumingMemoryBound(to: UInt64.self),
      extended: none.assumingMemoryBound(to: UInt64.self),
      coldSlot: none.assumingMemoryBound(to: UInt64.self),
      coldShape: none.assumingMemoryBound(to: UInt64.self),
      coldWord0: none.assumingMemoryBound(to: UInt64.self),
      literal: none.assumingMemoryBound(to: UInt64.self),
      stride0: none.assumingMemoryBound(to: UInt64.self),
      stride1: none.assumingMemoryBound(to: UInt64.self),
      shapeWord2: none.assumingMemoryBound(to: UInt64.self),
      shapeWord3: none.assumingMemoryBound(to: UInt64.self),
      shapeTail: none.assumingMemoryBound(to: UInt64.self),
      shapeSource: none.assumingMemoryBound(to: UInt64.self))
  }

  var remaining: Int { count - position.event }

  /// Forgets the frame.
  mutating func close() {
    count = 0
    position = Position()
  }

  /// Prepares the payload of `size` bytes in `plain` for decoding `count` events.
  mutating func open(
    size: Int, count eventCount: Int, firstOrdinal: UInt64
  ) throws(TraceError) {
    close()
    // Safety: `plain` holds `size` bytes and is not replaced while the frame is open.
    var cursor = unsafe ByteCursor(UnsafeRawPointer(plain.base), count: size)
    payload = try EventPayloadHeader(&cursor, eventCount: eventCount)
    try decodeColumns(&cursor, eventCount: eventCount)
    guard cursor.remaining == 0 else {
      throw TraceError(
        .malformed, "events payload", expected: "no more bytes", found: "\(cursor.remaining)")
    }
    try check(eventCount: eventCount, firstOrdinal: firstOrdinal)
    // Safety: both regions are whole buffers of this owner.
    unsafe pageMemory.base.initializeMemory(
      as: UInt64.self, repeating: 0, count: PageMemory.entries)
    for slot in 0...TraceLimits.slots {
      unsafe slots.base.storeBytes(of: 0, toByteOffset: slot * Self.slotSize, as: UInt64.self)
    }
    position.time = payload.baseTime
    count = eventCount
  }

  private mutating func decodeColumns(
    _ cursor: inout ByteCursor, eventCount: Int
  ) throws(TraceError) {
    // One element of slack behind each column, where the event loop looks ahead.
    let wordCount =
      payload.lateTicks + payload.extendedCodes + 5 * payload.coldEvents + payload.literalWords
      + 4 * payload.shapes + 12
    let streams = (eventCount + 8) * (1 + payload.timeWidth)
    scratch.reserve(wordCount * 8 + streams)
    var used = 0
    // Safety: the word columns and the two streams are disjoint parts of `scratch`, which has room
    // for all of them.
    let streamBase = unsafe scratch.base + wordCount * 8
    let codes = unsafe streamBase.bindMemory(to: UInt8.self, capacity: eventCount)
    let time = unsafe streamBase + (eventCount + 8 + 1) / 2 * 2
    unsafe try decodeColumn(&cursor, count: eventCount, into: codes, subject: "slot codes")
    unsafe columns.codes = UnsafePointer(codes)
    if payload.timeWidth == 1 {
      let codes = unsafe time.bindMemory(to: UInt8.self, capacity: eventCount)
      unsafe try decodeColumn(&cursor, count: eventCount, into: codes, subject: "time codes")
      unsafe columns.time1 = UnsafePointer(codes)
    } else {
      let codes = unsafe time.bindMemory(to: UInt16.self, capacity: eventCount)
      unsafe try decodeColumn(&cursor, count: eventCount, into: codes, subject: "time codes")
      unsafe columns.time2 = UnsafePointer(codes)
    }
    let cold = payload.coldEvents
    unsafe columns.late = try words(
      &cursor, payload.lateTicks, at: &used, "late ticks")
    unsafe columns.extended = try words(
      &cursor, payload.extendedCodes, at: &used, "extended slots")
    unsafe columns.coldSlot = try words(
      &cursor, cold, at: &used, "cold slots")
    unsafe columns.coldShape = try words(
      &cursor, cold, at: &used, "cold shapes")
    unsafe columns.coldWord0 = try words(
      &cursor, cold, at: &used, "cold word 0")
    unsafe columns.literal = try words(
      &cursor, payload.literalWords, at: &used, "cold word 1")
    unsafe columns.stride0 = try words(
      &cursor, cold, at: &used, "cold stride 0")
    unsafe columns.stride1 = try words(
      &cursor, cold, at: &used, "cold stride 1")
    unsafe columns.shapeWord2 = try words(
      &cursor, payload.shapes, at: &used, "shape word 2")
    unsafe columns.shapeWord3 = try words(
      &cursor, payload.shapes, at: &used, "shape word 3")
    unsafe columns.shapeTail = try words(
      &cursor, payload.shapes, at: &used, "shape tail")
    unsafe columns.shapeSource = try words(
      &cursor, payload.shapes, at: &used, "shape word 1 source")
  }

  /// Decodes a column of words at word `used` of the scratch memory, and leaves one of slack.
  private func words(
    _ cursor: inout ByteCursor, _ count: Int, at used: inout Int, _ subject: String
  ) throws(TraceError) -> UnsafeMutablePointer<UInt64> {
    // Safety: `decodeColumns` reserved `count + 1` words for each column.
    let column = unsafe (scratch.base + used * 8).bindMemory(to: UInt64.self, capacity: count + 1)
    used += count + 1
    unsafe try decodeColumn(&cursor, count: count, into: column, subject: subject)
    return unsafe column
  }
}
