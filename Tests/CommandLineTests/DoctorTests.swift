import Foundation
import History
import Testing

/// `doctor`, and what of it a run record keeps.
@Suite struct DoctorTests {
  private struct Document: Decodable {
    struct Noise: Decodable { var readings: UInt64 }
    var version: Int
    var findings: [RunRecord.Finding]
    var noise: [Noise]
  }

  @Test func findingsOfThisHostAreThereAsTextAndAsJSON() throws {
    let text = try Tool.run("doctor", "--duration", "5ms")
    #expect(text.status == 0, "\(text.text)")
    #expect(text.output.contains("Gaps in a loop that reads the clock"))
    let json = try Tool.run("doctor", "--duration", "5ms", "--format", "json")
    let document = try JSONDecoder().decode(Document.self, from: Data(json.output.utf8))
    #expect(document.version == 1)
    #expect(!document.noise.isEmpty && document.noise.allSatisfy { $0.readings > 0 })
    for finding in document.findings {
      #expect(text.output.contains(finding.name))
      if finding.state == .warn { #expect(finding.advice != nil, "\(finding.name)") }
    }
  }

  @Test func anotherHostIsReadFromItsFilesAndStrictEndsWith3() throws {
    try Folder.use { folder in
      let proc = folder.path("proc")
      try FileManager.default.createDirectory(atPath: proc, withIntermediateDirectories: true)
      try "3.00 1 1 1/1 1\n".write(toFile: proc + "/loadavg", atomically: true, encoding: .utf8)
      let result = try Tool.run("doctor", "--root", folder.root)
      #expect(result.status == 0)
      #expect(result.output.contains("WARN  load            3.00 over the last minute"))
      #expect(!result.output.contains("Gaps"), "nothing is probed on a host that is not this one")
      #expect(try Tool.run("doctor", "--root", folder.root, "--strict").status == 3)
    }
  }

  @Test func aRunRecordKeepsTheFindingsAndWarnsOfThem() throws {
    try Folder.use { folder in
      let result = try Tool.run(
        "replay", Tool.trace("boot"), "--design", "null", "--experiment", "core", "--passes", "1",
        "--output", folder.path("run.json"))
      try #require(result.status == 0, "\(result.text)")
      let record = try RunRecord.read(from: folder.path("run.json"))
      let findings = try #require(record.findings)
      #expect(findings.contains { $0.name == "noise" } && findings.contains { $0.name == "smt" })
      let warning = RunRecord.warning(of: findings)
      #expect(record.warnings.filter { $0.hasPrefix("host: ") } == (warning.map { [$0] } ?? []))
      for finding in findings where finding.state == .warn {
        #expect(warning?.contains(finding.name) == true)
      }
    }
  }
}
