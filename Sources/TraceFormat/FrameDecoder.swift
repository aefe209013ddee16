import EventModel
import Glibc

/// Turns the plain payload of one frame back into events, in pieces of any size.
///
/// `open` decodes the columns, checks everything that the event loop relies on, and loads the slots;
/// after it the loop has neither checks nor branches.
@safe
struct FrameDecoder: ~Copyable {
  /// The payload. Fill it, then call `open`.
  var plain = RawBuffer()
  /// 64-byte slots: eight unused bytes, word 0…3, tail, stride 0, stride 1. The first 48 bytes thus
  /// have the layout of a record, with the unused bytes in the place of time.
  var slots = RawBuffer()
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
    /// Positions in the slot table.
    var directPosition: UnsafeMutablePointer<UInt64>
    var late: UnsafeMutablePointer<UInt64>
    var extended: UnsafeMutablePointer<UInt64>
    var slotShape: UnsafeMutablePointer<UInt64>
    var slotWord0: UnsafeMutablePointer<UInt64>
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
      unsafe (latePosition, extendedPosition, directPosition) = (words, words, words)
      unsafe (late, extended, slotShape, slotWord0, literal) = (words, words, words, words, words)
      unsafe (stride0, stride1, shapeWord2, shapeWord3) = (words, words, words, words)
      unsafe (shapeTail, shapeSource) = (words, words)
    }
  }

  /// Where the event loop stands in each column.
  struct Position {
    var event = 0
    var late = 0
    var extended = 0
    var time: UInt64 = 0
  }

  init() {
    payload = EventPayloadHeader(
      baseTime: 0, nanosecondsPerTick: 1, slots: 0, shapes: 0, literalWords: 0, extendedSlots: 0,
      lateTicks: 0, timeWidth: 1)
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
    loadSlots()
    position.time = payload.baseTime
    count = eventCount
  }

  private mutating func decodeColumns(
    _ cursor: inout ByteCursor, eventCount: Int
  ) throws(TraceError) {
    // One word more for each column: the end of a list of positions.
    let wordCount =
      2 * payload.lateTicks + 2 * payload.extendedSlots + payload.directSlots + 4 * payload.slots
      + payload.literalWords + 4 * payload.shapes + 14
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
    let slots = payload.slots
    unsafe columns.latePosition = try positions(
      &cursor, payload.lateTicks, at: &used, below: eventCount, "late gaps")
    unsafe columns.late = try words(&cursor, payload.lateTicks, at: &used, "late ticks")
    unsafe columns.extendedPosition = try positions(
      &cursor, payload.extendedSlots, at: &used, below: eventCount, "extended gaps")
    unsafe columns.extended = try words(
      &cursor, payload.extendedSlots, at: &used, "extended slots")
    unsafe columns.directPosition = try positions(
      &cursor, payload.directSlots, at: &used, below: slots, "direct gaps")
    unsafe columns.slotShape = try words(&cursor, slots, at: &used, "slot shapes")
    unsafe columns.slotWord0 = try words(&cursor, slots, at: &used, "slot word 0")
    unsafe columns.literal = try words(&cursor, payload.literalWords, at: &used, "slot word 1")
    unsafe columns.stride0 = try words(&cursor, slots, at: &used, "slot stride 0")
    unsafe columns.stride1 = try words(&cursor, slots, at: &used, "slot stride 1")
    unsafe columns.shapeWord2 = try words(
      &cursor, payload.shapes, at: &used, "shape word 2")
    unsafe columns.shapeWord3 = try words(
      &cursor, payload.shapes, at: &used, "shape word 3")
    unsafe columns.shapeTail = try words(
      &cursor, payload.shapes, at: &used, "shape tail")
    unsafe columns.shapeSource = try words(
      &cursor, payload.shapes, at: &used, "shape word 1 source")
  }

  /// Decodes a column of gaps into ascending positions below `limit`, closed by one that is never
  /// reached.
  private func positions(
    _ cursor: inout ByteCursor, _ count: Int, at used: inout Int, below limit: Int,
    _ subject: String
  ) throws(TraceError) -> UnsafeMutablePointer<UInt64> {
    // Safety: `words` made room for `count + 1` elements.
    let column = unsafe try words(&cursor, count, at: &used, subject)
    // A gap of 0 or of 2²⁰ and more leaves high bits in `excess`, so that without them the sum cannot
    // overflow, and its last value is the largest.
    var position = UInt64.max
    var excess: UInt64 = 0
    for index in 0..<count {
      let gap = unsafe column[index]
      excess |= gap &- 1
      position &+= gap
      unsafe column[index] = position
    }
    guard excess < 1 << 20, count == 0 || position < UInt64(limit) else {
      throw TraceError(
        .malformed, subject, expected: "ascending positions below \(limit)", found: "others")
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
