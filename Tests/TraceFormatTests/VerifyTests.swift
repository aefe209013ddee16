import EventModel
import Testing

@testable import TraceFormat

@Suite struct VerifyTests {
  private let events = SampleTrace.events(200)

  @Test(arguments: [1, 30, 65_536])
  func anIntactTraceIsVerified(frame: Int) throws {
    let file = try TemporaryFile(
      SampleTrace.bytes(events, SampleTrace.options(.zstd, frame: frame), snapshotAt: 77))
    var reader = try TraceReader(path: file.path)
    #expect(try reader.verify().events == 200)
  }

  /// Headers with right checksums that say something else than their events.
  @Test(arguments: ["kinds", "earliest", "latest"])
  func statementsThatOnlySteerASearchAreProved(what: String) throws {
    var bytes = try SampleTrace.bytes(events, SampleTrace.options(.none))
    let start = try #require(
      bytes.indices.dropLast(8).first { bytes[$0..<($0 + 8)].elementsEqual(FrameHeader.marker) })
    let size = try #require(FrameHeader.statedSize(Array(bytes[start..<(start + 96)])))
    var header = try FrameHeader(decoding: Array(bytes[start..<(start + size)]))
    switch what {
    case "kinds":
      header.kinds[0].count += 1
      header.kinds[1].count -= 1
    case "earliest": header.earliestTime -= 1
    default: header.latestTime += 1
    }
    bytes.replaceSubrange(start..<(start + size), with: header.encoded())
    let file = try TemporaryFile(bytes)
    #expect(try SampleTrace.read(file.path) == events)
    var reader = try TraceReader(path: file.path)
    let error = #expect(throws: TraceError.self) { _ = try reader.verify() }
    #expect(error?.kind == .malformed)
    #expect(error?.frame == 0)
  }
}
