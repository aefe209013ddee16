import Foundation
import Testing

/// What stays on the disk when a writer ends badly.
@Suite struct DurabilityTests {
  /// The short run of the script, which says itself what it looks at.
  @Test func tenKillsAtRandomMomentsLoseNoWholeFrame() throws {
    let script = Tool.repository + "/Tests/Durability/kill-nine"
    let result = try Tool.pipeline("exec \"$1\" 10 \"$0\"", script)
    #expect(result.status == 0, "\(result.text)")
    #expect(result.output.contains("10 kills in "), "\(result.text)")
  }

  @Test(arguments: ["recover", "convert", "slice"])
  func thePartialFileOfTheOutputIsNoInput(verb: String) throws {
    try Folder.use { folder in
      let output = folder.path("out.dbtrace")
      let partial = output + ".partial"
      try FileManager.default.copyItem(atPath: Tool.trace("boot"), toPath: partial)
      let before = try Data(contentsOf: URL(fileURLWithPath: partial))
      let result = try Tool.run(verb, partial, "-o", output)
      #expect(result.status == 3)
      #expect(result.error.contains("choose another --output"), "\(result.error)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: partial)) == before)
    }
  }

  @Test func importLeavesNothingButItsOutput() throws {
    try Folder.use { folder in
      let result = try Tool.run(
        "import", Tool.golden("translation.log"), "-o", folder.path("out.dbtrace"))
      #expect(result.status == 0, "\(result.text)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root) == ["out.dbtrace"])
    }
  }
}
