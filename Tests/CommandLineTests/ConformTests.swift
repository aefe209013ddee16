import Foundation
import Testing

/// `conform`: a plug-in that is right, and plug-ins that are wrong in one way each.
@Suite(.enabled(if: PluginFiles.areThere, PluginFiles.absence)) struct ConformTests {
  private func files() throws -> PluginFiles { try #require(PluginFiles.built).get() }

  /// Runs `conform` on the small recording with one flaw.
  private func conform(_ flaw: String, _ options: String...) throws -> Tool.Result {
    try Tool.pipeline(
      "DOORBELL_FLAW='\(flaw)' \"$0\" conform \"$1\" \"$2\" \(options.joined(separator: " "))",
      files().flawed, Tool.trace("boot"))
  }

  @Test func theExampleConformsOnEveryShippedTrace() throws {
    let result = try Tool.run("conform", files().direct)
    #expect(result.status == 0, "\(result.text)")
    #expect(result.error.isEmpty)
    #expect(result.output.contains("direct-in-c 1.0, interface 1.0, design owned+vlpi"))
    #expect(result.output.components(separatedBy: "equal").count == 2 * 7 + 1)
    #expect(result.output.contains("conforms, in batches of 1, 7, 64 and 256 events"))
  }

  @Test func theWrappedExampleConformsWithoutAFlaw() throws {
    for flaw in ["", "eventfd", "newer-minor"] {
      let result = try conform(flaw)
      #expect(result.status == 0, "\(flaw): \(result.text)")
    }
    #expect(try conform("eventfd").output.contains("design trapped+irqfd"))
  }

  /// Flaw, verdict, and what must be said of it.
  static let flaws: [(flaw: String, verdict: String, words: [String])] = [
    (
      "wrong-address", "differs", ["reference model:", "backend:", "tables: stage 1", "event 613 "]
    ),
    ("wrong-fault", "differs", ["lost: F_TRANSLATION"]),
    ("batch", "differs", ["reference model:", "backend:"]),
    ("global-state", "differs", ["answered in two ways", "in batches of 1:"]),
    ("wrong-inject", "differs", ["with signal and inject", "PE 1"]),
    ("drifting-counter", "differs", ["work counter accesses", "in batches of 1"]),
    ("crash", "crashed", ["SIGSEGV in translate, events"]),
    ("overrun", "crashed", ["SIGSEGV in translate"]),
    ("crash-in-create", "crashed", ["SIGSEGV in create"]),
    ("crash-in-configure", "crashed", ["SIGABRT in configure, events 0"]),
    ("crash-in-destroy", "crashed", ["SIGSEGV in destroy"]),
    ("exit", "ended the process", ["exit status 0 in translate"]),
    ("too-many", "broke the interface", ["answered", "accesses where"]),
    ("huge-count", "broke the interface", ["answered -1 accesses"]),
    ("unanswered", "broke the interface", ["without an answer"]),
  ]

  @Test(arguments: flaws) func aFlawIsReportedAsWhatItIs(
    flaw: String, verdict: String, words: [String]
  ) throws {
    let result = try conform(flaw)
    #expect(result.status == 1, "\(result.text)")
    #expect(result.output.contains("boot.dbtrace: \(verdict):"), "\(result.text)")
    #expect(result.output.contains("does not conform on 1 of 1 traces"))
    for word in words { #expect(result.output.contains(word), "\(word) in \(result.output)") }
  }

  @Test func aCallThatDoesNotReturnIsEndedAtTheDeadline() throws {
    let result = try conform("hang", "--deadline 200ms", "--format json")
    #expect(result.status == 1, "\(result.text)")
    #expect(result.output.contains("\"breach\" : \"hung\""), "\(result.output)")
    #expect(result.output.contains("no return within 0.2 s in translate"), "\(result.output)")
  }

  /// What keeps a plug-in from being loaded.
  static let unusable: [(flaw: String, words: String)] = [
    ("version", "wrong version: it was built for interface version 2.0, this tool has 1.0"),
    ("refuses", "wrong version: it refuses interface version 1.0"),
    ("size", "struct doorbell_backend has 64 bytes, 112 expected"),
    ("capability", "capabilities 0x10000000000"),
    ("no-translate", "its function 'translate' is NULL"),
    ("no-signal", "its function 'signal' is NULL"),
    ("name", "its name is not 1…63"),
    ("counter", "it counts 'wishes'"),
    ("counters", "1073741824 counters, 64 at most"),
    ("no-instance", "create made no instance: the moon is not full"),
    ("crash-in-open", "crashed: SIGBUS in loading"),
  ]

  @Test(arguments: unusable) func whatCannotBeLoadedSaysWhy(flaw: String, words: String) throws {
    let result = try conform(flaw)
    #expect(result.status == 3, "\(result.text)")
    #expect(result.output.isEmpty)
    #expect(result.error.contains(words), "\(result.error)")
    #expect(result.error.split(separator: "\n").count == 1, "\(result.error)")
  }

  @Test func anObjectWithoutTheSymbolIsNoPlugin() throws {
    let result = try Tool.run("conform", files().empty, Tool.trace("boot"))
    #expect(result.status == 3)
    #expect(result.error.contains("missing symbol: it exports no 'doorbell_backend_open'"))
    let text = try Tool.run("conform", Tool.golden("commands.log"), Tool.trace("boot"))
    #expect(text.status == 3, "a file that is no shared object")
    #expect(text.error.contains("could not be loaded"), "\(text.error)")
  }
}
