import Foundation
import History
import Testing

/// `replay --backend`: a design in C beside the built-in ones.
@Suite(.enabled(if: PluginFiles.areThere, PluginFiles.absence)) struct ReplayPluginTests {
  private func files() throws -> PluginFiles { try #require(PluginFiles.built).get() }

  @Test func aPluginIsProvedAndMeasuredBesideABuiltInDesign() throws {
    try Folder.use { folder in
      let result = try Tool.run(
        "replay", Tool.trace("boot"), "--backend", files().direct, "--design", "direct",
        "--experiment", "core", "path", "pipeline", "--passes", "1", "--interrupts", "50",
        "--loops", "1", "--output", folder.path("run.json"))
      try #require(result.status == 0, "\(result.text)")
      let record = try RunRecord.read(from: folder.path("run.json"))
      let cells = record.cells.filter { $0.design == "direct-in-c" }
      #expect(cells.map(\.experiment) == ["equality", "core", "path", "pipeline"])
      for cell in cells {
        #expect(cell.architecture == "plug-in")
        #expect(cell.parameters["backend-sha256"]?.count == 64)
        #expect(cell.parameters["backend-interface"] == "1.0")
      }
      // The same accesses, interrupts and ledger as the built-in design.
      let proofs = record.cells.filter { $0.experiment == "equality" }
      #expect(proofs.count == 2)
      #expect(Set(proofs.map(\.ledger)).count == 1)
      #expect(Set(proofs.map { $0.deliveryCounters["accesses"] }) == [898])
      #expect(cells[1].metric("delivery-ns-per-event").map { $0.value > 0 } == true)
      #expect(cells[2].distribution("total").map { $0.total == 50 } == true)
    }
  }

  @Test func aCrashEndsTheChildAndIsAReportedDifference() throws {
    let result = try Tool.pipeline(
      "DOORBELL_FLAW=crash \"$0\" replay \"$1\" --backend \"$2\" --design null --experiment core "
        + "--passes 1", Tool.trace("boot"), files().flawed)
    #expect(result.status == 1, "\(result.text)")
    #expect(result.output.contains("crashed: SIGSEGV in translate"), "\(result.text)")
    #expect(result.output.contains("\n  null "), "the built-in design is measured all the same")
  }

  @Test func aWrongAnswerIsNotTimed() throws {
    let result = try Tool.run(
      "replay", Tool.trace("boot"), "--backend", files().null, "--design", "null", "--experiment",
      "core", "--passes", "1")
    #expect(result.status == 1, "\(result.text)")
    #expect(result.output.contains("null-in-c: first difference"))
    let timed = result.output.components(separatedBy: "\nCore:").last ?? ""
    #expect(!timed.components(separatedBy: "\n\n")[0].contains("null-in-c"))
  }

  @Test func aPluginThatCannotBeLoadedEndsTheCommand() throws {
    let result = try Tool.run("replay", Tool.trace("boot"), "--backend", files().empty)
    #expect(result.status == 3)
    #expect(result.output.isEmpty)
    #expect(result.error.contains("missing symbol"), "\(result.error)")
  }
}
