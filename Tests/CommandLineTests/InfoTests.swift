import EventModel
import Foundation
import Testing
import TraceFormat

/// What `info` says, and in what room.
@Suite struct InfoTests {
  private struct Document: Decodable {
    struct Rate: Decodable {
      var eventsPerSecond: Double
      var interruptsPerSecond: Double
      var peakEventsPerSecond: Double
      var curve: [UInt64]
      var curveStepNanoseconds: UInt64
    }
    struct Gaps: Decodable {
      var p50: UInt64
      var p999: UInt64
    }
    struct Vector: Decodable {
      var deviceID: UInt32
      var eventID: UInt32
      var msi: UInt64
      var intid: UInt32?
    }
    struct Column: Decodable {
      var name: String
      var plainBytes: UInt64
      var storedBytes: UInt64
    }
    var version: Int
    var events: UInt64
    var bytes: UInt64
    var durationNanoseconds: UInt64
    var eventsByKind: [String: UInt64]
    var rate: Rate
    var gapsByKind: [String: Gaps]
    var vectorCount: Int
    var vectors: [Vector]
    var columns: [Column]?
  }

  private func document(_ arguments: String) throws -> Document {
    let result = try Tool.pipeline(
      "\"$0\" info \"$1\" --format json \(arguments)", Tool.trace("rebind"))
    try #require(result.status == 0, "\(result.error)")
    return try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
  }

  @Test func ratesGapsAndVectorsAreThoseOfTheEvents() throws {
    let info = try document("")
    let events = try TraceContent.events(Tool.trace("rebind"))
    #expect(info.version == 1 && info.columns == nil)
    #expect(info.rate.curve.reduce(0, +) == info.events)
    let seconds = Double(info.durationNanoseconds) / 1e9
    #expect(abs(info.rate.eventsPerSecond * seconds - Double(events.count)) < 1)
    #expect(info.rate.peakEventsPerSecond > info.rate.eventsPerSecond)
    let times = events.filter { $0.kind == .msi }.map(\.time)
    let gaps = zip(times.dropFirst(), times).map { $0 - $1 }.sorted()
    let found = try #require(info.gapsByKind["msi"])
    let exact = gaps[(gaps.count + 1) / 2 - 1]
    #expect(found.p50 >= exact && found.p50 - exact <= exact / 32)
    let vectors = Set(
      events.filter { $0.kind == .msi }.map { $0.word2 & ~0xFFFF_FFFF | UInt64($0.data) })
    #expect(info.vectorCount == vectors.count && info.vectors.count == vectors.count)
    #expect(info.vectors.reduce(0) { $0 + $1.msi } == UInt64(times.count))
    #expect(zip(info.vectors, info.vectors.dropFirst()).allSatisfy { $0.msi >= $1.msi })
  }

  @Test func columnsAreWhatTheWriterMeasures() throws {
    let info = try document("--columns")
    let columns = try #require(info.columns)
    #expect(columns.count > 10)
    #expect(columns.allSatisfy { $0.storedBytes <= $0.plainBytes && $0.plainBytes > 0 })
    // Frame headers and the provenance are the rest; on its own a column compresses a little less.
    let stored = columns.reduce(0) { $0 + $1.storedBytes }
    #expect(stored * 10 > info.bytes * 8 && stored * 10 < info.bytes * 14)
  }

  @Test func theCurveIsDrawnInWhatTheTerminalTakes() throws {
    func lines(_ locale: String) throws -> [Substring] {
      let result = try Tool.pipeline(
        "\(locale) \"$0\" info \"$1\" --columns", Tool.trace("nvme"))
      #expect(result.status == 0 && result.error.isEmpty)
      return result.output.split(separator: "\n")
    }
    let (utf8, ascii) = (try lines("LC_ALL=C.UTF-8"), try lines("LC_ALL=C"))
    #expect(utf8.contains { $0.contains("█") } && !ascii.contains { $0.contains("█") })
    let curve = try #require(ascii.first { $0.hasPrefix("          |") })
    #expect(curve.dropFirst(11).allSatisfy { "_.-~+*#@ |".contains($0) })
    #expect(curve.contains("@"))
    // The first line has the path.
    for line in utf8.dropFirst() { #expect(line.count <= 100, "\(line)") }
  }

  @Test func aTraceWithoutEventsAndOneWithOneAreDescribed() throws {
    try Folder.use { folder in
      for count in 0...1 {
        let path = folder.path("\(count)")
        var writer = try TraceWriter(path: path, description: TraceDescription())
        if count == 1 { try writer.append(TraceEvent(time: 9, kind: .mark)) }
        _ = try writer.finish()
        for arguments in ["", "--columns", "--format json --columns"] {
          let result = try Tool.pipeline("\"$0\" info \"$1\" \(arguments)", path)
          #expect(result.status == 0 && result.error.isEmpty, "\(result.text)")
        }
      }
    }
  }
}
