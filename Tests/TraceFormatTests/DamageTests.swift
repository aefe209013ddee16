import EventModel
import Testing

@testable import TraceFormat

/// Every byte flipped, every length cut: no crash, no hang, no wrong event, and a forward scan that
/// finds exactly the whole frames.
@Suite struct DamageTests {
  private static let events = SampleTrace.events(90)

  private static func trace(_ codec: TraceCodec) throws -> [UInt8] {
    try SampleTrace.bytes(events, SampleTrace.options(codec, frame: 30), snapshotAt: 45)
  }

  private struct Extent {
    var bytes: Range<Int>
    var header: FrameHeader
  }

  /// The frames of an intact trace, index frames included.
  private static func frames(_ path: String) throws -> [Extent] {
    var reader = FrameReader(try InputFile(path: path))
    _ = try reader.readHeader()
    var frames: [Extent] = []
    while true {
      let start = Int(reader.input.offset)
      guard case .frame(let header) = try reader.next() else { return frames }
      frames.append(Extent(bytes: start..<Int(reader.input.offset), header: header))
    }
  }

  /// Events of a damaged file up to its error. They must be a prefix of the true ones.
  private func readUntilError(_ path: String) -> (events: [TraceEvent], error: TraceError?) {
    var events: [TraceEvent] = []
    do {
      var reader = try TraceReader(path: path)
      while true {
        let some = try SampleTrace.next(17, of: &reader)
        if some.isEmpty { return (events, nil) }
        events += some
      }
    } catch {
      return (events, error as? TraceError)
    }
  }

  private struct Scan {
    var ordinals: [UInt64] = []
    var events: [TraceEvent] = []
    var lost: UInt64 = 0
    var damage: [TraceScanner.Damage] = []
  }

  private func scan(_ path: String) throws -> Scan {
    var scanner = try TraceScanner(path: path)
    var result = Scan()
    while let finding = try scanner.next() {
      switch finding {
      case .frame(let frame, _):
        if frame.kind == .events {
          result.ordinals.append(frame.firstOrdinal)
          result.events += scanner.events()
        }
      case .damage(let damage):
        result.damage.append(damage)
        result.lost += damage.lostOrdinals.map { $0.upperBound - $0.lowerBound } ?? 0
      }
    }
    return result
  }

  @Test(arguments: [TraceCodec.zstd, .lz4])
  func everyFlippedByteIsNoticedOrHarmless(codec: TraceCodec) throws {
    let intact = try Self.trace(codec)
    let file = try TemporaryFile(intact)
    let frames = try Self.frames(file.path)
    for index in intact.indices {
      var bytes = intact
      bytes[index] ^= 0x40
      try file.write(bytes)
      let (events, error) = readUntilError(file.path)
      #expect(Self.events.starts(with: events), "byte \(index)")
      // A codec may have bytes that mean the same; then nothing is lost either.
      if error == nil { #expect(events == Self.events, "byte \(index)") }
      let hit = frames.first { $0.bytes.contains(index) && $0.header.kind == .events }
      let found = try scan(file.path)
      let whole = frames.filter {
        $0.header.kind == .events && (error == nil || $0.header != hit?.header)
      }
      #expect(found.ordinals == whole.map(\.header.firstOrdinal), "byte \(index)")
      if error != nil, let hit {
        #expect(found.lost == UInt64(hit.header.count), "byte \(index)")
        #expect(found.damage.count == 1, "byte \(index)")
      }
    }
  }

  @Test(arguments: [TraceCodec.zstd])
  func everyCutGivesTheWholeFramesBeforeIt(codec: TraceCodec) throws {
    let intact = try Self.trace(codec)
    let file = try TemporaryFile(intact)
    let frames = try Self.frames(file.path)
    for length in 1..<intact.count {
      try file.write(Array(intact[..<length]))
      let (events, error) = readUntilError(file.path)
      let whole = frames.filter { $0.bytes.upperBound <= length && $0.header.kind == .events }
      let count = whole.reduce(0) { $0 + Int($1.header.count) }
      #expect(error != nil, "length \(length)")
      #expect(events == Array(Self.events.prefix(count)), "length \(length)")
      let found = try scan(file.path)
      #expect(found.events == events, "length \(length)")
      #expect(!found.damage.isEmpty, "length \(length)")
    }
  }

  @Test func aPieceCutOutOfTheMiddleIsNamedExactly() throws {
    let intact = try Self.trace(.zstd)
    let file = try TemporaryFile(intact)
    let frames = try Self.frames(file.path).filter { $0.header.kind == .events }
    let gone = frames[1].bytes
    try file.write(Array(intact[..<gone.lowerBound]) + intact[gone.upperBound...])
    let found = try scan(file.path)
    #expect(found.ordinals == [0, 45, 75])
    #expect(found.damage.first?.lostOrdinals == 30..<45)
  }

  @Test func framesBehindForeignBytesAreFound() throws {
    let intact = try Self.trace(.lz4)
    let file = try TemporaryFile(intact)
    let second = try Self.frames(file.path)[1].bytes.lowerBound
    let garbage = [UInt8](repeating: 0xDB, count: 200_000)
    try file.write(Array(intact[..<second]) + garbage + intact[second...])
    let found = try scan(file.path)
    #expect(found.events == Self.events)
    #expect(found.damage.first?.bytes == UInt64(second)..<UInt64(second + garbage.count))
    #expect(found.damage.first?.lostOrdinals == 30..<30)
  }

  @Test func aRepeatedFrameIsNotReadTwice() throws {
    let intact = try Self.trace(.zstd)
    let file = try TemporaryFile(intact)
    let first = try Self.frames(file.path)[0].bytes
    try file.write(Array(intact[..<first.upperBound]) + intact[first] + intact[first.upperBound...])
    #expect(readUntilError(file.path).error?.subject == "frame number")
    #expect(try scan(file.path).events == Self.events)
  }

  /// Headers that are whole and payloads that are not, each inside the payload of the one before: a
  /// scan that tried them all would take a time quadratic in the size.
  @Test func nestedFalseFramesDoNotHang() throws {
    var bytes = try Self.trace(.none).prefix(TraceHeader.fixedSize + 62)
    for number in 0..<5000 {
      var frame = FrameHeader(
        kind: .note, count: 1, firstOrdinal: 0, number: UInt64(number), fileID: 1)
      frame.plainSize = 200_000
      frame.storedSize = 200_000
      bytes += frame.encoded()
    }
    let file = try TemporaryFile(Array(bytes))
    #expect(try scan(file.path).ordinals.isEmpty)
  }
}
