import Foundation
import Testing

/// Traces that were cut or changed: every verb says where, and `recover` saves the rest.
@Suite struct DamagedTraceTests {
  /// The NVMe trace in frames that this test knows: cut, or with one byte changed.
  private static func damaged(
    _ folder: Folder, changing offset: Int? = nil, keeping size: Int? = nil
  )
    throws -> String
  {
    var data = try Data(contentsOf: URL(fileURLWithPath: Tool.trace("nvme")))
    if let offset { data[offset] ^= 0xFF }
    if let size { data = data.prefix(size) }
    let path = folder.path("damaged.dbtrace")
    try data.write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func everyReadingVerbEndsWithThreeAndNamesFileFrameAndByte() throws {
    try Folder.use { folder in
      let path = try Self.damaged(folder, changing: 150_000)
      let output = folder.path("out.dbtrace")
      for words in [
        ["info", path], ["cat", path], ["verify", path], ["replay", path],
        ["convert", path, "-o", output], ["slice", path, "-o", output],
        ["merge", path, Tool.trace("boot"), "-o", output],
      ] {
        let line = words.map { "'\($0)'" }.joined(separator: " ")
        let result = try Tool.pipeline("\"$0\" \(line)")
        #expect(result.status == 3, "\(line): \(result.text.suffix(400))")
        let message = words[0] == "verify" ? result.output : result.error
        #expect(message.contains(path), "\(line)")
        #expect(message.contains(": frame 1 at byte ") || message.contains(": byte "), "\(message)")
        #expect(message.contains("expected") && message.contains("found"))
        if words[0] != "verify" { #expect(message.contains(": frame 1 at byte "), "\(message)") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root).count == 1)
      }
    }
  }

  @Test func catPrintsWhatStandsBeforeTheDamage() throws {
    try Folder.use { folder in
      let path = try Self.damaged(folder, changing: 150_000)
      let result = try Tool.run("cat", path)
      let intact = try Tool.run("cat", Tool.trace("nvme"), "--count", "65536")
      #expect(result.output == intact.output)
    }
  }

  @Test func recoverSavesTheIntactFramesAndNamesTheLostOrdinals() throws {
    try Folder.use { folder in
      let path = try Self.damaged(folder, changing: 150_000)
      let saved = folder.path("saved.dbtrace")
      let result = try Tool.run("recover", path, "-o", saved, "--level", "1")
      #expect(result.status == 0, "\(result.error)")
      #expect(result.output.contains("lost   65,536 events\n"), "\(result.output)")
      #expect(result.output.contains("ordinals 65536…131071, 65,536 events lost"))
      #expect(try Tool.run("verify", saved).status == 0)
      // The events are those of the whole trace, with one loss event in the place of the gap.
      func lines(_ path: String) throws -> [Substring] {
        try Tool.run("cat", path, "--format", "jsonl").output.split(separator: "\n")
          .map { $0.drop { $0 != "," } }
      }
      let all = try lines(Tool.trace("nvme"))
      let kept = try lines(saved)
      #expect(kept.count == all.count - 65_536 + 1)
      #expect(kept[..<65_536] == all[..<65_536])
      #expect(kept[65_536].contains("\"kind\":\"loss\",\"count\":65536"))
      #expect(kept[65_537...] == all[131_072...])
      #expect(try Tool.run("info", saved).output.contains("65,536 lost in recording"))
    }
  }

  @Test func recoverOfATraceWithoutAWholeFrameEndsWithThreeAndWritesNothing() throws {
    try Folder.use { folder in
      let path = try Self.damaged(folder, keeping: 2_000)
      let result = try Tool.run("recover", path, "-o", folder.path("saved.dbtrace"))
      #expect(result.status == 3)
      #expect(result.error.contains("nothing to recover"))
      #expect(result.error.contains(path))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.root) == ["damaged.dbtrace"])
    }
  }

  @Test func recoverOfACutTraceCountsFromTheTotalsOfItsHeader() throws {
    try Folder.use { folder in
      let path = try Self.damaged(folder, keeping: 200_000)
      let result = try Tool.run(
        "recover", path, "-o", folder.path("saved.dbtrace"), "--level", "1", "--format", "json")
      #expect(result.status == 0)
      #expect(result.output.contains("\"recoveredEvents\" : 131072"), "\(result.output)")
      #expect(result.output.contains("\"isLossComplete\" : true"))
    }
  }
}
