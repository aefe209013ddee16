import EventModel

/// Turns the plain payload of one frame back into events, in pieces of any size.
///
/// `open` decodes the columns and checks everything that the event loop relies on; after it the loop
/// runs from one cold event to the next with no check but one accumulated word.
@safe
struct FrameDecoder: ~Copyable {
  /// The payload. Fill it, then call `open`.
  var plain = RawBuffer()
  /// 64-byte slots: validity (all ones or zero), word 0…3, tail, stride 0, stride 1. The first 48
  /// bytes thus have the layout of a record with the validity in the place of time.
  var slots = RawBuffer(capacity: TraceLimits.slots * Self.slotSize)
  static let slotSize = 64
  private var scratch = RawBuffer()
  /// Times and slots of one block, unpacked.
  private var blockScratch = RawBuffer(capacity: Self.blockEvents * 12)
  var ticks: UnsafeMutablePointer<UInt64> {
    // Safety: the first eight bytes per event of the block scratch.
    unsafe blockScratch.base.assumingMemoryBound(to: UInt64.self)
  }
  var slotOffsets: UnsafeMutablePointer<UInt32> {
    // Safety: the four bytes per event behind the ticks.
    unsafe (blockScratch.base + Self.blockEvents * 8).assumingMemoryBound(to: UInt32.self)
  }
  var pageMemory = RawBuffer(capacity: PageMemory.entries * 8)
  var columns: Columns
  var payload: EventPayloadHeader
  /// Events of the frame, and how many were given out.
  private(set) var count = 0
  var position = Position()

  /// Decoded columns. They point into `scratch`.
  @unsafe
  struct Columns {
    var codes: UnsafePointer<UInt8>
    var time1: UnsafePointer<UInt8>
    var time2: UnsafePointer<UInt16>
    /// Positions in the frame, ascending, each list closed by one that is never reached.
    var latePosition: UnsafeMutablePointer<UInt64>
    var extendedPosition: UnsafeMutablePointer<UInt64>
    var coldPosition: UnsafeMutablePointer<UInt64>
    var late: UnsafeMutablePointer<UInt64>
    var extended: UnsafeMutablePointer<UInt64>
    var coldShape: UnsafeMutablePointer<UInt64>
    var coldWord0: UnsafeMutablePointer<UInt64>
    var literal: UnsafeMutablePointer<UInt64>
    var stride0: UnsafeMutablePointer<UInt64>
    var stride1: UnsafeMutablePointer<UInt64>
    var shapeWord2: UnsafeMutablePointer<UInt64>
    var shapeWord3: UnsafeMutablePointer<UInt64>
    var shapeTail: UnsafeMutablePointer<UInt64>
    var shapeSource: UnsafeMutablePointer<UInt64>

    /// Columns of no event.
    init(_ memory: UnsafeMutableRawPointer) {
      // Safety: aligned memory; nothing is read through these before `open` replaces them.
      let words = unsafe memory.assumingMemoryBound(to: UInt64.self)
      unsafe codes = UnsafePointer(memory.assumingMemoryBound(to: UInt8.self))
      unsafe time1 = UnsafePointer(memory.assumingMemoryBound(to: UInt8.self))
      unsafe time2 = UnsafePointer(memory.assumingMemoryBound(to: UInt16.self))
      unsafe (latePosition, extendedPosition, coldPosition) = (words, words, words)
      unsafe (late, extended, coldShape, coldWord0, literal) = (words, words, words, words, words)
      unsafe (stride0, stride1, shapeWord2, shapeWord3) = (words, words, words, words)
      unsafe (shapeTail, shapeSource) = (words, words)
    }
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
      baseTime: 0, nanosecondsPerTick: 1, shapes: 0, coldEvents: 0, extendedSlots: 0, lateTicks: 0,
      literalWords: 0, timeWidth: 1)
    unsafe columns = Columns(scratch.base)
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
    for slot in 0..<TraceLimits.slots {
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
      2 * payload.lateTicks + 2 * payload.extendedSlots + 5 * payload.coldEvents
      + payload.literalWords + 4 * payload.shapes + 16
    let streams = (eventCount + 8) * (1 + payload.timeWidth)
    scratch.reserve(wordCount * 8 + streams)
    var used = 0
    // Safety: the word columns and the two streams are disjoint parts of `scratch`, which has room
    // for all of them.
    let streamBase = unsafe scratch.base + wordCount * 8
    let codes = unsafe streamBase.bindMemory(to: UInt8.self, capacity: eventCount)
    let time = unsafe streamBase + (eventCount + 8 + 1) / 2 * 2
    unsafe columns.codes = try decodeStream(
      &cursor, count: eventCount, room: codes, subject: "slot codes")
    if payload.timeWidth == 1 {
      let codes = unsafe time.bindMemory(to: UInt8.self, capacity: eventCount)
      unsafe columns.time1 = try decodeStream(
        &cursor, count: eventCount, room: codes, subject: "time codes")
    } else {
      let codes = unsafe time.bindMemory(to: UInt16.self, capacity: eventCount)
      unsafe columns.time2 = try decodeStream(
        &cursor, count: eventCount, room: codes, subject: "time codes")
    }
    let cold = payload.coldEvents
    unsafe columns.latePosition = try positions(
      &cursor, payload.lateTicks, at: &used, eventCount: eventCount, "late gaps")
    unsafe columns.late = try words(&cursor, payload.lateTicks, at: &used, "late ticks")
    unsafe columns.extendedPosition = try positions(
      &cursor, payload.extendedSlots, at: &used, eventCount: eventCount, "extended gaps")
    unsafe columns.extended = try words(
      &cursor, payload.extendedSlots, at: &used, "extended slots")
    unsafe columns.coldPosition = try positions(
      &cursor, cold, at: &used, eventCount: eventCount, "cold gaps")
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

  /// Decodes a column of gaps into ascending positions below the event count, closed by one that the
  /// event loop never reaches.
  private func positions(
    _ cursor: inout ByteCursor, _ count: Int, at used: inout Int, eventCount: Int, _ subject: String
  ) throws(TraceError) -> UnsafeMutablePointer<UInt64> {
    // Safety: `words` made room for `count + 1` elements.
    let column = unsafe try words(&cursor, count, at: &used, subject)
    var next: UInt64 = 0
    for index in 0..<count {
      let gap = unsafe column[index]
      guard gap >= 1, gap <= UInt64(eventCount) - next else {
        throw TraceError(
          .malformed, subject, expected: "positions below \(eventCount), ascending",
          found: "a gap of \(gap) at \(next)")
      }
      next += gap
      unsafe column[index] = next - 1
    }
    unsafe column[count] = .max
    return unsafe column
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
