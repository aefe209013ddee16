import EventModel
import Foundation
import Testing

/// `synth`, from the command line to the replay.
@Suite struct SynthTests {
  /// Each scenario at 8,000 events from seed 1. A change of one of these changes what everybody measured
  /// under the scenario's name.
  static let golden: [(scenario: String, digest: String)] = [
    ("steady", "cb8d0bfc5a26ade1c2c27d2da741ad7c0ffb7e927de11bc88f1593d3f5ef123a"),
    ("many-vectors", "7aaa237e789c94b946f9864555b28cd62f1cfc22a1ed3ebf4c5151af1d7e04af"),
    ("affinity-storm", "e40ec23cf8f7ffe06aea639b94409f87fb4d501a5e3128fb193068ab881db9aa"),
    ("overcommit", "40203d2c8d2fafbc0dcf2eb25b74883f3a860b5b62f8166d537bdd3c51360b8a"),
    ("hot-plug", "b5fa3125f0c5d619f482159cbe4a9503918d07f4b7615e96aa23f18e73f5a8a9"),
    ("dma-pressure", "14504a62ab515601b7cfa6c782a7c8a92f0af2b7d6d34025b8e23180bea81535"),
    ("burst", "c8f6411cd72c26fb82cc0b30f5ec0e1509878623885c62c126d7fb44e6f90349"),
    ("error-mix", "8cda70a2f5f66ab10b2354c0a530e92391e3338fa337c9372d069f0cd20a03f4"),
  ]

  @Test(arguments: golden)
  func aScenarioIsTheSameToTheByte(scenario: String, digest: String) throws {
    try Folder.use { folder in
      for name in ["a", "b"] {
        let result = try Tool.run(
          "synth", scenario, "--events", "8k", "--level", "1", "-o", folder.path(name))
        #expect(result.status == 0, "\(result.error)")
      }
      let bytes = try ["a", "b"].map { try Data(contentsOf: URL(fileURLWithPath: folder.path($0))) }
      #expect(bytes[0] == bytes[1])
      let events = try TraceContent.events(folder.path("a"))
      #expect(events.count == 8_000)
      #expect(TraceContent.digest(events) == digest)
    }
  }

  @Test(arguments: ["arm-gicv4", "x86-amd"])
  func aScenarioReplaysFromTheCommandLine(architecture: String) throws {
    try Folder.use { folder in
      let trace = folder.path("t.dbtrace")
      #expect(try Tool.run("synth", "error-mix", "--events", "8k", "-o", trace).status == 0)
      let replay = try Tool.run(
        "replay", trace, "--arch", architecture, "--experiment", "core", "--passes", "1")
      #expect(replay.status == 0, "\(replay.text)")
      #expect(replay.output.contains("equal"))
      let info = try Tool.run("info", trace, "--format", "json")
      #expect(info.output.contains("doorbell synth error-mix --events 8000 --seed 1"))
      #expect(info.output.contains("\"clockDomain\" : \"synthetic\""))
    }
  }

  @Test func aScaledRecordingSaysWhatItKept() throws {
    try Folder.use { folder in
      let result = try Tool.run(
        "synth", "--scale-from", Tool.trace("rebind"), "--devices", "2x", "--vcpus", "8",
        "--rate", "1.5x", "--events", "20k", "-o", folder.path("t"))
      #expect(result.status == 0, "\(result.error)")
      #expect(result.output.contains("12 devices (6 recorded)"), "\(result.output)")
      #expect(result.output.contains("pace × 1.5"))
      for line in ["gap between accesses of a device, µs: p99.9", "share of 0x100, %"] {
        #expect(result.output.contains(line), "\(line)")
      }
      // The first line has the path of the output.
      let lines = result.output.split(separator: "\n").dropFirst()
      #expect(lines.allSatisfy { $0.count <= 100 })
      struct Document: Decodable {
        struct Column: Decodable {
          var events: UInt64
          var shareByDevice: [UInt32: Double]
        }
        struct Kept: Decodable {
          var version: Int
          var recording: Column
          var made: Column
        }
        var kept: Kept
      }
      let json = try Tool.run(
        "synth", "--scale-from", Tool.trace("rebind"), "--events", "20k", "-o", folder.path("u"),
        "--format", "json")
      let document = try JSONDecoder().decode(Document.self, from: Data(json.output.utf8))
      #expect(document.kept.version == 1 && document.kept.made.events == 20_000)
      let (old, new) = (document.kept.recording.shareByDevice, document.kept.made.shareByDevice)
      #expect(abs(old[0x100, default: 0] - new[0x100, default: 0]) < 0.1)
    }
  }

  @Test func moreVectorsThanX86HasAreWarnedOf() throws {
    try Folder.use { folder in
      let result = try Tool.run(
        "synth", "many-vectors", "--vectors", "500", "--events", "30k", "--level", "1", "-o",
        folder.path("t"))
      #expect(result.status == 0 && result.error.hasPrefix("warning: 250 interrupts"))
      let replay = try Tool.run(
        "replay", folder.path("t"), "--experiment", "core", "--passes", "1")
      #expect(replay.status == 0, "\(replay.text)")
    }
  }

  @Test func whatCannotBeMadeIsSaid() throws {
    let out = NSTemporaryDirectory() + "doorbell-never"
    #expect(try Tool.run("synth", "-o", out).status == 64)
    #expect(try Tool.run("synth", "no-such-load", "-o", out).status == 64)
    #expect(try Tool.run("synth", "steady", "--events", "0", "-o", out).status == 64)
    #expect(try Tool.run("synth", "steady", "--devices", "2.0001x", "-o", out).status == 64)
    let both = try Tool.run("synth", "steady", "--scale-from", Tool.trace("boot"), "-o", out)
    #expect(both.status == 64)
    let few = try Tool.run("synth", "many-vectors", "--events", "500", "-o", out)
    #expect(few.status == 3 && few.error.contains("--events"), "\(few.error)")
    let many = try Tool.run("synth", "steady", "--devices", "5000", "-o", out)
    #expect(many.status == 3 && many.error.contains("devices: expected 1…4096, found 5000"))
    for path in [out, out + ".partial"] { #expect(!FileManager.default.fileExists(atPath: path)) }
  }
}
