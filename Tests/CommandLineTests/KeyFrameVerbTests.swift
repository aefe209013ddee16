import EventModel
import Foundation
import History
import ReferenceModel
import Testing
import TraceFormat

/// Key frames as the verbs write, show and use them.
@Suite struct KeyFrameVerbTests {
  private struct Written: Decodable { var keyFrames: UInt64 }
  private struct Verified: Decodable { var intactKeyFrames: UInt64 }
  private struct Info: Decodable {
    struct KeyFrames: Decodable {
      var count: UInt64
      var firstOrdinal: UInt64
      var mostEventsBetween: UInt64
    }
    var keyFrames: KeyFrames?
  }

  private func document<T: Decodable>(_ type: T.Type, _ arguments: String...) throws -> T {
    let words = arguments.map { "'\($0)'" }.joined(separator: " ")
    let result = try Tool.pipeline("\"$0\" \(words) --format json")
    try #require(result.status == 0, "\(result.text)")
    return try JSONDecoder().decode(type, from: Data(result.output.utf8))
  }

  /// `info` and `verify` say of a trace what its reader finds.
  private func check(_ path: String, atLeast count: UInt64, everyEvents interval: UInt64) throws {
    var reader = try TraceReader(path: path)
    let ordinals = try reader.keyFrames().map(\.ordinal).filter { $0 > 0 }
    #expect(ordinals.count >= count, "\(path)")
    let info = try #require(try document(Info.self, "info", path).keyFrames)
    #expect(info.count == UInt64(ordinals.count) && info.firstOrdinal == ordinals.first)
    #expect(info.firstOrdinal >= interval && info.mostEventsBetween <= 2 * interval)
    #expect(try document(Verified.self, "verify", path).intactKeyFrames == info.count)
    let text = try Tool.run("info", path).output
    #expect(text.contains("\nkeys      \(ordinals.count) key frames from event "), "\(text)")
  }

  @Test func everyVerbThatMakesATraceMakesKeyFrames() throws {
    try Folder.use { folder in
      let path = folder.path("t.dbtrace")
      let golden = Tool.golden("commands.log")
      let commands: [(command: [String], count: UInt64, interval: UInt64)] = [
        (["import", golden, "--key-frames", "20"], 1, 20),
        (["convert", Tool.trace("rebind"), "--level", "3", "--key-frames", "2k"], 8, 2_000),
        (["synth", "steady", "--events", "5k", "--level", "3", "--key-frames", "500"], 5, 500),
        (["merge", Tool.trace("boot"), Tool.trace("boot"), "--key-frames", "1k"], 2, 1_000),
        (["slice", Tool.trace("boot"), "--count", "2400", "--key-frames", "200"], 6, 200),
      ]
      for (command, count, interval) in commands {
        let words = (command + ["-o", path]).map { "'\($0)'" }.joined(separator: " ")
        let result = try Tool.pipeline("\"$0\" \(words)")
        #expect(result.status == 0, "\(result.text)")
        #expect(result.output.contains(" key frame"), "\(result.output)")
        try check(path, atLeast: count, everyEvents: interval)
      }
    }
  }

  @Test func convertReplacesKeyFramesOnlyIfAsked() throws {
    try Folder.use { folder in
      let (keyed, copy) = (folder.path("keyed"), folder.path("copy"))
      func convert(_ from: String, _ to: String, _ arguments: String...) throws -> [KeyFrame] {
        let words = (["convert", from, "--level", "1", "-o", to] + arguments).joined(
          separator: "' '")
        let result = try Tool.pipeline("\"$0\" '\(words)'")
        try #require(result.status == 0, "\(result.text)")
        var reader = try TraceReader(path: to)
        return try reader.keyFrames()
      }
      let first = try convert(Tool.trace("boot"), keyed, "--key-frames", "300")
      #expect(first.count > 4)
      #expect(try convert(keyed, copy) == first)
      let other = try convert(keyed, copy, "--key-frames", "700")
      #expect(
        other == (try convert(Tool.trace("boot"), folder.path("other"), "--key-frames", "700")))
      #expect(try TraceContent.events(copy) == TraceContent.events(Tool.trace("boot")))
    }
  }

  @Test func aKeyFrameEveryNoEventsIsWrongUsage() throws {
    for wrong in ["0", "-5", "many"] {
      let result = try Tool.run(
        "convert", Tool.trace("boot"), "-o", "/no/such/out", "--key-frames", wrong)
      #expect(result.status == 64, "\(result.text)")
    }
  }

  // MARK: Slices

  /// What the reference model says of each access, by ordinal.
  private func outcomes(
    _ opening: [TraceEvent], _ events: [TraceEvent], _ geometry: TableGeometry
  ) -> [Outcome?] {
    var machine = ReferenceMachine(geometry)
    for record in opening { _ = machine.apply(record) }
    return events.map { machine.apply($0) }
  }

  private func slice(
    _ trace: String, _ path: String, _ arguments: String
  ) throws -> (opening: [TraceEvent], events: [TraceEvent]) {
    let result = try Tool.pipeline("\"$0\" slice \"$1\" \(arguments) -o \"$2\"", trace, path)
    try #require(result.status == 0, "\(result.text)")
    var reader = try TraceReader(path: path)
    return (try reader.openingRecords(), try TraceContent.events(path))
  }

  @Test(arguments: ["boot", "faults", "rebind"])
  func theOutcomesOfASliceAreThoseOfTheWholeTrace(name: String) throws {
    try Folder.use { folder in
      let keyed = folder.path("keyed")
      let made = try Tool.run(
        "convert", Tool.trace(name), "--level", "1", "--key-frames", "700", "-o", keyed)
      #expect(made.status == 0, "\(made.text)")
      let geometry = try TraceReader(path: keyed).header.description.geometry
      let events = try TraceContent.events(keyed)
      let whole = outcomes([], events, geometry)
      for part in 1...4 {
        let first = events.count * part / 5
        let range = first..<(first + 300)
        let found = try slice(keyed, folder.path("s"), "--first \(first) --count 300")
        #expect(!found.opening.isEmpty)
        // The range comes last; before it, what caches must hold.
        #expect(Array(found.events.suffix(300)) == Array(events[range]))
        let leadIn = found.events.count - 300
        #expect(events[..<first].suffix(leadIn).elementsEqual(found.events.prefix(leadIn)))
        let same = outcomes(found.opening, found.events, geometry).suffix(300)
        #expect(Array(same) == Array(whole[range]), "\(name), events \(range)")
        // Without key frames, and through a pipe, it is found by reading from the beginning.
        let plain = try slice(
          Tool.trace(name), folder.path("p"), "--first \(first) --count 300")
        let piped = try Tool.pipeline(
          "(cat \"$1\" || true) | \"$0\" slice - --first \(first) --count 300 -o \"$2\"", keyed,
          folder.path("q"))
        #expect(piped.status == 0, "\(piped.text)")
        #expect(plain == found)
        #expect(try TraceContent.events(folder.path("q")) == found.events)
      }
    }
  }

  /// A mapping is gone, but its invalidation comes only in the range: until then a TLB gives it.
  @Test func aSliceThatStartsBeforeAnInvalidationBringsWhatTheCacheHolds() throws {
    try Folder.use { folder in
      let path = folder.path("stale")
      var stream = StreamConfiguration()
      stream.asid = 1
      stream.ttb0 = 0x5000_0000
      var events = [stream.event(time: 1, streamID: 8)]
      events.append(
        .map(
          time: 2, streamID: 8, asid: 1, iova: 0x10_0000, outputAddress: 0x8000_0000,
          log2SizeBytes: 12, level: 3, granule: .kib4, descriptor: 0x00E0_0000_8000_0F4F))
      let access = TraceEvent.dma(time: 3, streamID: 8, iova: 0x10_0000, flags: .write)
      events += [access, access]
      events.append(
        .unmap(
          time: 4, streamID: 8, asid: 1, iova: 0x10_0000, log2SizeBytes: 12, level: 3,
          granule: .kib4))
      let first = events.count
      events += [access, .smmuCommand(time: 5, 0x30, 0), access]
      var writer = try TraceWriter(path: path, description: TraceDescription())
      try writer.append(contentsOf: events)
      _ = try writer.finish()
      let geometry = TraceDescription().geometry
      let whole = outcomes([], events, geometry).suffix(3)
      #expect(whole.first??.outcome == .translated && whole.last??.outcome != .translated)
      let found = try slice(path, folder.path("s"), "--first \(first)")
      #expect(found.events == events && found.opening.isEmpty)
      #expect(Array(outcomes(found.opening, found.events, geometry).suffix(3)) == Array(whole))
    }
  }

  @Test func aSliceOfASliceStandsOnItsOwn() throws {
    try Folder.use { folder in
      let (first, second) = (folder.path("first"), folder.path("second"))
      _ = try slice(Tool.trace("rebind"), first, "--first 9000 --count 4000")
      let events = try TraceContent.events(first)
      let leadIn = events.count - 4_000
      let again = try slice(first, second, "--first \(leadIn + 1000) --count 500")
      let direct = try slice(Tool.trace("rebind"), folder.path("d"), "--first 10000 --count 500")
      #expect(again == direct)
      let piped = try Tool.pipeline(
        "(cat \"$1\" || true) | \"$0\" slice - --first \(leadIn + 1000) --count 500 -o \"$2\"",
        first,
        second)
      #expect(piped.status == 0, "\(piped.text)")
      var reader = try TraceReader(path: second)
      #expect(try reader.openingRecords() == direct.opening)
      for verb in ["convert", "anonymize --key k --keep-times"] {
        let result = try Tool.pipeline("\"$0\" \(verb) \"$1\" -o \"$2\"", second, folder.path("c"))
        #expect(result.status == 0, "\(result.text)")
        let replay = try Tool.run(
          "replay", folder.path("c"), "--design", "direct", "trapped", "--experiment", "core",
          "pipeline", "--passes", "1", "--loops", "2")
        #expect(replay.status == 0, "\(verb): \(replay.text)")
      }
    }
  }

  // MARK: Decoding ahead

  @Test func threadsThatDecodeAheadChangeNoOutcome() throws {
    try Folder.use { folder in
      let path = folder.path("s")
      _ = try slice(Tool.trace("rebind"), path, "--first 5000")
      var cells: [RunRecord.Cell] = []
      for threads in ["0", "1", "3"] {
        let record = folder.path("run.json")
        let result = try Tool.run(
          "replay", path, "--design", "direct", "--experiment", "pipeline", "--loops", "3",
          "--decode-threads", threads, "-o", record)
        try #require(result.status == 0, "\(result.text)")
        let cell = try #require(
          try RunRecord.read(from: record).cells.first { $0.experiment == "pipeline" })
        #expect(cell.parameters["decode-threads"] == threads)
        cells.append(cell)
      }
      #expect(cells.allSatisfy { $0.digest != nil && $0.digest == cells[0].digest })
      #expect(Set(cells.map { $0.metric("events")?.value }).count == 1)
      let wrong = try Tool.run("replay", path, "--decode-threads", "65")
      #expect(wrong.status == 64)
    }
  }
}
