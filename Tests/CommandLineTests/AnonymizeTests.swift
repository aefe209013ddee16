import EventModel
import Foundation
import Testing
import TraceFormat

/// `anonymize`, from the command line to the replay.
@Suite struct AnonymizeTests {
  @Test func anAnonymizedTraceReplaysTheSame() throws {
    try Folder.use { folder in
      let given = folder.path("given.dbtrace")
      let result = try Tool.run("anonymize", Tool.trace("faults"), "--key", "k", "-o", given)
      #expect(result.status == 0, "\(result.error)")
      #expect(result.output.contains("wrote  \(given)"))
      let replay = try Tool.run("replay", given, "--experiment", "core", "--passes", "1")
      #expect(replay.status == 0, "\(replay.text)")
      let (before, after) = (
        try TraceContent.events(Tool.trace("faults")), try TraceContent.events(given)
      )
      #expect(after.map(\.kind) == before.map(\.kind))
      #expect(after.map(\.outcome) == before.map(\.outcome))
      #expect(after.first?.time == 0)
      #expect(after.last?.time == before.last.map { $0.time - before[0].time })
    }
  }

  @Test func nothingTellsWhoseItWas() throws {
    try Folder.use { folder in
      let given = folder.path("given.dbtrace")
      #expect(try Tool.run("anonymize", Tool.trace("boot"), "-o", given).status == 0)
      let header = try TraceReader(path: given).header.description
      #expect(header.epochNanoseconds == 0)
      #expect(header.provenance.map(\.key) == ["tool", "command", "note"])
      #expect(!header.provenance.contains { $0.value.contains("boot") })
    }
  }

  @Test func theKeyIsAllThatChanges() throws {
    try Folder.use { folder in
      let keys = [("a", "one"), ("b", "one"), ("c", "two")]
      for (name, key) in keys {
        let result = try Tool.run(
          "anonymize", Tool.trace("faults"), "--key", key, "-o", folder.path(name))
        #expect(result.status == 0, "\(result.error)")
      }
      for name in ["d", "e"] {
        #expect(
          try Tool.run("anonymize", Tool.trace("faults"), "-o", folder.path(name)).status == 0)
      }
      #expect(
        try Tool.run(
          "anonymize", Tool.trace("faults"), "--seed", "one", "--keep-times", "-o", folder.path("f")
        )
        .status == 0)
      let bytes = try Dictionary(
        uniqueKeysWithValues: "abcde".map {
          ("\($0)", try Data(contentsOf: URL(fileURLWithPath: folder.path("\($0)"))))
        })
      #expect(bytes["a"] == bytes["b"])
      #expect(Set(bytes.values).count == 4)
      let original = try TraceContent.events(Tool.trace("faults"))
      #expect(try TraceContent.events(folder.path("f")).map(\.time) == original.map(\.time))
    }
  }

  @Test func snapshotsAreRewrittenLikeEvents() throws {
    try Folder.use { folder in
      let map = TraceEvent.map(
        time: 5, streamID: 8, asid: 1, iova: 0xFFF0_0000, outputAddress: 0x4567_8000,
        log2SizeBytes: 12, level: 3, granule: .kib4, descriptor: 0xF47)
      var writer = try TraceWriter(path: folder.path("t"), description: TraceDescription())
      try writer.appendSnapshot([map])
      try writer.append(map)
      _ = try writer.finish()
      let result = try Tool.run("anonymize", folder.path("t"), "--key", "k", "-o", folder.path("o"))
      #expect(result.status == 0, "\(result.error)")
      var scanner = try TraceScanner(path: folder.path("o"))
      var found: [TraceEvent] = []
      while let finding = try scanner.next() {
        guard case .frame(let frame, _) = finding, frame.kind == .snapshot || frame.kind == .events
        else { continue }
        found += scanner.events()
      }
      #expect(found.count == 2)
      #expect(found.first == found.last && found.first?.outputAddress != map.outputAddress)
    }
  }

  @Test func aPipeIsRefusedAndAnUnknownKindToo() throws {
    try Folder.use { folder in
      let pipe = try Tool.pipeline(
        "cat \"$1\" | \"$0\" anonymize - -o \"$2\"", Tool.trace("boot"), folder.path("o"))
      #expect(pipe.status == 3 && pipe.error.contains("save it to a file"))
      var writer = try TraceWriter(path: folder.path("t"), description: TraceDescription())
      try writer.append(TraceEvent(time: 0, kind: .irteWrite, word0: 1))
      _ = try writer.finish()
      let result = try Tool.run("anonymize", folder.path("t"), "-o", folder.path("o"))
      #expect(result.status == 3 && result.error.contains("irte-write"), "\(result.error)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root) == ["t"])
    }
  }
}
