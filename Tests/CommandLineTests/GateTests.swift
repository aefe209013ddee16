import Foundation
import Gates
import History
import Testing

/// `gate`, `aa` and `inject` on the real binary and the smallest recording. Verdicts of time are simulated
/// in GatesTests; here is what does not depend on the host's noise.
@Suite(.serialized) struct GateTests {
  private let trace = ["--trace", Tool.trace("boot"), "--seed", "7"]

  private func document(_ result: Tool.Result) throws -> GateDocument {
    try JSONDecoder().decode(GateDocument.self, from: Data(result.output.utf8))
  }

  @Test func theSameBytesAreNotMeasured() throws {
    try Folder.use { folder in
      let build = folder.path("build/release")
      try FileManager.default.createDirectory(atPath: build, withIntermediateDirectories: true)
      try FileManager.default.copyItem(atPath: Tool.path, toPath: build + "/doorbell")
      let result = try Tool.run(
        ["gate", Tool.path, folder.path("build"), "--format", "json"] + trace)
      #expect(result.status == 0, "\(result.text)")
      let gate = try document(result)
      #expect(gate.isIdentical && gate.launches == 0 && gate.conclusion == .pass)
    }
  }

  @Test func equalArmsAreProvedMeasuredAndNeverARegression() throws {
    let result = try Tool.run(
      [
        "gate", Tool.path, Tool.path, "--measure-identical", "--budget", "3s", "--design", "direct",
        "--format", "json",
      ] + trace)
    #expect([0, 2].contains(result.status), "\(result.text)")
    let gate = try document(result)
    #expect(gate.seed == 7 && gate.launches >= 2 && gate.times.count == 1)
    let facts = try #require(gate.facts)
    #expect(facts.cells.count == 2 && !facts.isRegression && facts.obstacles.isEmpty)
    #expect(gate.times.allSatisfy { $0.effect.verdict != .regressed })
  }

  @Test func aChangedWorkCounterIsCaughtByNameAndWithoutTime() throws {
    let result = try Tool.run(
      ["inject", "--tlb-entries", "1", "--design", "direct", "--format", "json"] + trace)
    #expect(result.status == 0, "\(result.text)")
    let found = try JSONDecoder().decode(InjectionDocument.self, from: Data(result.output.utf8))
    #expect(found.answer == .caught && found.gate.launches == 0)
    let work = try #require(found.gate.facts).cells.flatMap(\.work)
    #expect(work.contains { $0.counter == "tlb-misses" && $0.isWorse }, "\(work)")
  }

  @Test func aGreatSlowdownIsCaught() throws {
    // Ten times as long: no noise of any host looks like that. A generous budget of false alarms makes few
    // blocks enough, and so a short test.
    let result = try Tool.run(
      [
        "inject", "--by", "900%", "--in", "direct", "--design", "direct", "--passes", "3",
        "--budget", "30s", "--threshold", "100%", "--false-alarms", "50%", "--confidence", "80%",
      ] + trace)
    #expect(result.status == 0, "\(result.text)")
    #expect(result.output.hasPrefix("inject direct:delivery=900.0%: caught\n"))
    #expect(result.output.contains("regressed"))
  }

  @Test func aaTellsTheFloorAndStoresABaseline() throws {
    try Folder.use { folder in
      let result = try Tool.run(
        [
          "aa", "--budget", "300s", "--blocks", "6", "--design", "direct", "--keep",
          folder.path("kept"), "--format",
          "json",
        ] + trace)
      try #require(result.status == 0, "\(result.text)")
      let found = try JSONDecoder().decode(SensitivityDocument.self, from: Data(result.output.utf8))
      #expect(found.cells.count == 1 && found.blocks == 6)
      #expect(found.launches == 2 * found.blocks)
      let stored = folder.path("kept/baseline")
      let record = try RunRecord.read(from: stored + "/boot.dbtrace.json")
      #expect(record.launches == found.blocks)
      let gate = try Tool.run(
        ["gate", stored, Tool.path, "--budget", "2s", "--design", "direct", "--format", "json"]
          + trace)
      let document = try document(gate)
      #expect(document.times.count == 1, "\(gate.text)")
      #expect(document.warnings.contains { $0.contains("measured at another time") })
      try theHostMustBeTheSame(record, folder)
    }
  }

  @Test func twoBuildsAreComparedInPairs() throws {
    let found = try Tool.run(
      ["compare", Tool.path, Tool.path, "--design", "direct", "--passes", "1", "--blocks", "6"]
        + ["--experiment", "core", "--budget", "300s", "--format", "json"] + trace)
    try #require(found.status == 0, "\(found.text)")
    let comparison = try JSONDecoder().decode(Comparison.self, from: Data(found.output.utf8))
    #expect(comparison.isPaired == true && comparison.facts.obstacles.isEmpty)
    let figure = try #require(comparison.figures.first { $0.name == "delivery-ns-per-event" })
    #expect(figure.effect?.blocks == 6 && figure.effect?.lower != nil, "\(figure)")
    #expect(figure.baseline.launches == 6)
  }

  private func theHostMustBeTheSame(_ record: RunRecord, _ folder: Folder) throws {
    var other = record
    other.host.facts["cpu-model"] = "another"
    try other.write(to: folder.path("other.json"))
    let refused = try Tool.run(
      ["gate", folder.path("other.json"), Tool.path, "--design", "direct"] + trace)
    #expect(refused.status == 3, "\(refused.text)")
    #expect(refused.output.contains("cpu-model: another against"), "\(refused.text)")
  }

  @Test func whatCannotBeMeasuredIsSaid() throws {
    let nothing = try Tool.run(["gate", Tool.path, "/bin/true"] + trace)
    #expect(nothing.status == 3)
    #expect(nothing.output.contains("/bin/true: a launch ended with 0 and no run record"))
    let folder = try Tool.run(["gate", Tool.repository + "/Benchmarks", Tool.path] + trace)
    #expect(folder.status == 3)
    #expect(folder.error.contains("neither an executable nor a run record"), "\(folder.error)")
    let apart = try Tool.run(["compare", Tool.path, "/bin/true"] + trace)
    #expect(
      apart.status == 3 && apart.error.contains("/bin/true: a launch ended with 0"), "\(apart.text)"
    )
    let mixed = try Tool.run(["gate", Tool.path, "/tmp/such.so"] + trace)
    #expect(mixed.status == 3 && mixed.error.contains("/tmp/such.so"))
    #expect(try Tool.run(["gate", Tool.path, Tool.path, "--budget", "1ms"]).status == 64)
    #expect(try Tool.run(["inject", "--in", "null"]).status == 64)
  }

  @Test(.enabled(if: PluginFiles.areThere, PluginFiles.absence))
  func pluginsAreGatedAgainstPlugins() throws {
    let files = try #require(PluginFiles.built).get()
    let wrong = try Tool.run(
      ["gate", files.direct, files.null, "--format", "json"] + trace)
    #expect(wrong.status == 1, "\(wrong.text)")
    #expect(try document(wrong).facts?.cells.contains { !$0.equality.isEmpty } == true)
    let mixed = try Tool.run(["gate", files.direct, Tool.path] + trace)
    #expect(mixed.status == 64, "\(mixed.text)")
  }
}
