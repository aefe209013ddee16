/// One page of the kernel's ring buffer, taken apart event by event.
///
/// Layout: `TracefsFormats.Page`, then events: u32 {type_len:5, time_delta:27}, the first field in the
/// low bits of a little-endian word and in the high bits of a big-endian one. type_len 1…28 is the
/// data's length in words; 0 puts the length into the next word; 29 is padding, 30 extends the time
/// delta, 31 is an absolute time (linux, include/linux/ring_buffer.h and kernel/trace/ring_buffer.c;
/// tracefs, events/header_event).
struct RingPage {
  /// An event: its time and where its data lies in the page.
  struct Entry {
    var time: UInt64
    var offset: Int
    var size: Int
  }

  enum Step {
    case entry(Entry)
    case end
    /// The page contradicts itself: what is behind is not used.
    case damaged
  }

  private let bytes: OrderedBytes
  /// Events that were lost before this page: nil none, 0 an unknown number.
  private(set) var lostEvents: UInt64?
  private var position: Int
  private let end: Int
  private var time: UInt64

  /// Bits of the commit word (linux, kernel/trace/ring_buffer.c).
  private static let missedEvents: UInt64 = 1 << 31
  private static let missedCountStored: UInt64 = 1 << 30
  private static let sizeMask: UInt64 = 1 << 27 - 1
  /// An absolute time has 59 bits; the page's time gives the rest.
  private static let absoluteBits: UInt64 = 1 << 59 - 1

  /// - Returns: nil if the head contradicts the page's size.
  init?(_ bytes: OrderedBytes, _ layout: TracefsFormats.Page) {
    guard let time = bytes.number(at: layout.timeOffset, size: 8),
      let commit = bytes.number(at: layout.commitOffset, size: layout.commitSize)
    else { return nil }
    let size = commit & Self.sizeMask
    guard size <= UInt64(bytes.count - layout.dataOffset) else { return nil }
    self.bytes = bytes
    self.time = time
    position = layout.dataOffset
    end = layout.dataOffset + Int(size)
    if commit & Self.missedEvents != 0 {
      // The count stands behind the events, where there was room.
      let stored =
        commit & Self.missedCountStored != 0
        ? bytes.number(at: end, size: layout.commitSize) : nil
      lostEvents = stored ?? 0
    }
  }

  /// Hands over an event, as of `time`.
  func read(
    _ entry: Entry, at time: UInt64, cpu: UInt16, into reader: inout TracefsRecordReader
  ) {
    reader.read(bytes, at: entry.offset, size: entry.size, time: time, cpu: cpu)
  }

  mutating func next() -> Step {
    while position < end {
      guard end - position >= 4, let head = bytes.number(at: position, size: 4)
      else { return .damaged }
      let type = Int(bytes.isBigEndian ? head >> 27 : head & 0x1F)
      let delta = bytes.isBigEndian ? head & 0x7FF_FFFF : head >> 5
      position += 4
      switch type {
      case 1...28:
        time &+= delta
        return entry(size: type * 4)
      case 0:
        guard let length = word(), length >= 4 else { return .damaged }
        time &+= delta
        return entry(size: (length - 4 + 3) & ~3)
      case 29:
        // A discarded event, or with no delta the rest of the page.
        if delta == 0 { return finish() }
        guard let length = bytes.number(at: position, size: 4), length >= 4,
          length <= UInt64(end - position)
        else { return .damaged }
        time &+= delta
        position += Int(length)
      case 30:
        guard let high = word() else { return .damaged }
        time &+= UInt64(high) << 27 | delta
      default:
        guard let high = word() else { return .damaged }
        let low = (UInt64(high) << 27 | delta) & Self.absoluteBits
        time = time & ~Self.absoluteBits | low
      }
    }
    return .end
  }

  private mutating func finish() -> Step {
    position = end
    return .end
  }

  private mutating func word() -> Int? {
    guard end - position >= 4, let value = bytes.number(at: position, size: 4) else { return nil }
    position += 4
    return Int(value)
  }

  private mutating func entry(size: Int) -> Step {
    guard size > 0, size <= end - position else { return .damaged }
    defer { position += size }
    return .entry(Entry(time: time, offset: position, size: size))
  }
}
