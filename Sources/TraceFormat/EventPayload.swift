import EventModel

// The payload of events and snapshot frames: what encoder and decoder share. Byte layout:
// `Traces/README.md`, "Events payload".

/// The fixed start of an events payload.
struct EventPayloadHeader {
  /// Time before the first delta, and nanoseconds per tick of the deltas.
  var baseTime: UInt64
  var nanosecondsPerTick: UInt64
  /// Entries of the slot table and of the shape table.
  var slots: Int
  var shapes: Int
  /// Slots whose word 1 is spelled out.
  var literalWords: Int
  /// Events whose slot does not fit in their code.
  var extendedSlots: Int
  /// Events whose delta does not fit in their time code.
  var lateTicks: Int
  /// Bytes of a time code: 1 or 2.
  var timeWidth: Int

  static let sizeBytes = 40
  /// Slots that a code of one byte can name.
  static let directSlots = 256
  var directSlots: Int { min(slots, Self.directSlots) }
}

extension EventPayloadHeader {
  func encode(to bytes: inout [UInt8]) {
    bytes.append(number: baseTime)
    bytes.append(number: nanosecondsPerTick)
    for count in [slots, shapes, literalWords, extendedSlots, lateTicks, timeWidth] {
      bytes.append(number: UInt32(count))
    }
  }

  init(_ cursor: inout ByteCursor, eventCount: Int) throws(TraceError) {
    let field = "events payload header"
    baseTime = try cursor.number(field)
    nanosecondsPerTick = try cursor.number(field)
    func count(
      _ cursor: inout ByteCursor, _ name: String, _ limits: ClosedRange<Int>
    ) throws(TraceError) -> Int {
      let value: UInt32 = try cursor.number(field)
      guard limits.contains(Int(value)) else {
        throw TraceError(.malformed, name, expected: "\(limits)", found: "\(value)")
      }
      return Int(value)
    }
    slots = try count(&cursor, "slot count", 1...eventCount)
    shapes = try count(&cursor, "shape count", 1...slots)
    literalWords = try count(&cursor, "literal word count", 0...slots)
    extendedSlots = try count(&cursor, "extended slot count", 0...eventCount)
    lateTicks = try count(&cursor, "late tick count", 0...eventCount)
    timeWidth = try count(&cursor, "time width", 1...2)
  }
}

/// The part of a record that is the same for many: everything but time and the first two words.
struct RecordShape: Hashable {
  var word2: UInt64
  var word3: UInt64
  /// Bytes 40…47 of the record.
  var tail: UInt64
  /// Where a slot of this shape finds its first word 1.
  var word1Source: Word1Source = .literal

  init(word2: UInt64, word3: UInt64, tail: UInt64) {
    self.word2 = word2
    self.word3 = word3
    self.tail = tail
  }

  /// The last eight bytes of a record, by one load.
  @inline(__always)
  static func tail(at event: UnsafePointer<TraceEvent>) -> UInt64 {
    // Safety: a record has 48 bytes, and is aligned to eight.
    UInt64(littleEndian: unsafe UnsafeRawPointer(event).load(fromByteOffset: 40, as: UInt64.self))
  }

  static func kind(ofTail tail: UInt64) -> EventKind {
    EventKind(rawValue: UInt8(truncatingIfNeeded: tail >> 32))
  }
}

enum Word1Source: UInt64 {
  /// In the column of literal words.
  case literal = 0
  /// The page that an earlier slot showed behind word 0's page, with word 0's offset.
  case mapped = 1
  case zero = 2
}

/// A small memory of which page 4 KiB pages of word 0 led to, so that the expected address of an
/// access costs nothing after its mapping. Collisions only cost a literal.
enum PageMemory {
  static let entries = 1024
  static let offsetMask: UInt64 = 0xFFF

  @inline(__always)
  static func index(_ word0: UInt64) -> Int {
    Int(truncatingIfNeeded: ((word0 &>> 12) &* 0x9E37_79B9_7F4A_7C15) &>> 54)
  }
}
