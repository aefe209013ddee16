/// What a trace.dat says about itself before its trace data: formats of events and pages, command
/// lines, clock, and where the data of each CPU lies.
///
/// Format: trace-cmd, Documentation/trace-cmd/trace-cmd.dat.v6.5.txt and trace-cmd.dat.v7.5.txt.
struct DatLayout {
  /// Trace data of one CPU of one buffer (trace instance).
  struct Stream: Hashable {
    var cpu: UInt16
    var offset: UInt64
    var size: UInt64
    var isCompressed: Bool
  }

  var version = 0
  var pageSize = 4096
  var formats = TracefsFormats()
  var streams: [Stream] = []
  var clock = ""
  var times = DatTimes()
  /// Option GUEST: guests that were recorded together with this host.
  var guests: [RecordedGuest] = []

  static let magic: [UInt8] = [0x17, 0x08, 0x44] + Array("tracing".utf8)

  /// CPUs and buffers are bounded, so that a forged table cannot take memory without limit.
  private static let streamLimit = 1 << 16
  private static let guestLimit = 1 << 10

  init(_ file: inout CaptureFile) throws(ImportError) {
    let head = try file.read(min(file.size, 256), at: 0, "initial format")
    guard head.bytes.starts(with: Self.magic) else {
      throw file.malformed(
        "magic", at: 0, expected: "17 08 44 'tracing'", found: "other bytes")
    }
    var cursor = OrderedCursor(head)
    _ = cursor.skip(Self.magic.count)
    guard let digits = cursor.string(), let version = Int(digits), (6...7).contains(version) else {
      throw file.malformed("version", at: 10, expected: "6 or 7", found: "another version")
    }
    self.version = version
    let orderOffset = UInt64(cursor.offset)
    guard let order = cursor.number(1), order <= 1, let long = cursor.number(1),
      long == 4 || long == 8
    else {
      throw file.malformed(
        "byte order and long size", at: orderOffset, expected: "0 or 1, 4 or 8",
        found: "other numbers")
    }
    file.isBigEndian = order == 1
    var rest = OrderedCursor(OrderedBytes(head.bytes, isBigEndian: file.isBigEndian))
    _ = rest.skip(cursor.offset)
    guard let pageSize = rest.number(4), Self.isPageSize(pageSize) else {
      throw file.malformed(
        "page size", at: orderOffset + 2, expected: "a power of two, 4 KiB to 1 MiB",
        found: "\(rest.bytes.number(at: cursor.offset, size: 4) ?? 0)")
    }
    self.pageSize = Int(pageSize)
    formats.page.commitSize = Int(long)
    formats.page.dataOffset = 8 + Int(long)
    if version == 7 {
      try readSections(&file, rest)
    } else {
      try readSequence(file, from: UInt64(rest.offset))
    }
  }

  private static func isPageSize(_ size: UInt64) -> Bool {
    (4096...1 << 20).contains(size) && size & (size - 1) == 0
  }

  mutating func add(
    _ stream: Stream, in file: borrowing CaptureFile, at byte: UInt64
  ) throws(ImportError) {
    guard stream.offset <= file.size, stream.size <= file.size - stream.offset else {
      throw file.malformed(
        "data of CPU \(stream.cpu)", at: byte, expected: "bytes inside of \(file.size)",
        found: "\(stream.size) bytes at \(stream.offset)")
    }
    guard streams.count < Self.streamLimit else {
      throw file.malformed(
        "CPUs", at: byte, expected: "at most \(Self.streamLimit)", found: "more")
    }
    if stream.size > 0 { streams.append(stream) }
  }

  /// The options that both versions have under the same numbers.
  mutating func readOption(_ identifier: UInt64, _ data: OrderedBytes) {
    switch identifier {
    case 4:
      // "local global [mono] …": the clock in brackets.
      let text = data.text(at: 0, size: data.count) ?? ""
      if let start = text.firstIndex(of: "["), let end = text.firstIndex(of: "]"), start < end {
        clock = String(text[text.index(after: start)..<end])
      }
    case 7: times.offset = UInt64(data.text(at: 0, size: data.count) ?? "") ?? 0
    case 12: times.guestClock = GuestClock(data)
    case 13:
      if guests.count < Self.guestLimit, let guest = RecordedGuest(data) { guests.append(guest) }
    case 14:
      times.tickMultiplier = UInt32(truncatingIfNeeded: data.number(at: 0, size: 4) ?? 0)
      times.tickShift = UInt32(truncatingIfNeeded: data.number(at: 4, size: 4) ?? 0)
    default: break
    }
  }
}
