import Foundation
import Testing

private let hasPython = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

/// The page "What the recordings say" and how it is made (Benchmarks/Answer). `make soak` measures it anew.
@Suite(.enabled(if: hasPython, "no python3 here")) struct AnswerTests {
  private static let folder = Tool.repository + "/Benchmarks/Answer"
  private static let figures = folder + "/figures.json"
  private static let page =
    Tool.repository + "/Sources/Manual/Explanation/WhatTheRecordingsSay.md"

  private static func render(_ figures: String, to output: String) throws -> Tool.Result {
    try Tool.pipeline(
      "exec python3 -B '\(folder)/page.py' \"$1\" --output \"$2\"", figures, output)
  }

  @Test func thePageSaysWhatTheFiguresSay() throws {
    try Folder.use { folder in
      let result = try Self.render(Self.figures, to: folder.path("page.md"))
      #expect(result.status == 0, "\(result.text)")
      #expect(
        FileManager.default.contentsEqual(atPath: folder.path("page.md"), andPath: Self.page),
        "run Benchmarks/Answer/page.py Benchmarks/Answer/figures.json --output \(Self.page)")
    }
  }

  /// Each makes a sentence of the page false.
  static let falsehoods: [(claim: String, path: [String], value: Double)] = [
    ("recorded_order", ["traces", "nested-v4", "recorded", "toGuest", "p50"], 5_000),
    ("no_traps", ["traces", "nvme", "modelled", "direct", "setUpCounters", "msix-traps"], 1),
    ("conformance", ["traces", "boot", "modelled", "trapped", "ledger", "offered"], 1),
    ("recorded_upkeep", ["traces", "nested-irqfd", "recorded", "vcpuLoads"], 1),
  ]

  @Test(arguments: falsehoods.indices) func aSentenceThatIsNotTrueIsNotPrinted(_ index: Int) throws
  {
    let falsehood = Self.falsehoods[index]
    try Folder.use { folder in
      var document = try #require(
        JSONSerialization.jsonObject(
          with: Data(contentsOf: URL(fileURLWithPath: Self.figures))) as? [String: Any])
      set(&document, falsehood.path[...], falsehood.value)
      try JSONSerialization.data(withJSONObject: document).write(
        to: URL(fileURLWithPath: folder.path("figures.json")))
      try Data("as it was".utf8).write(to: URL(fileURLWithPath: folder.path("page.md")))
      let result = try Self.render(folder.path("figures.json"), to: folder.path("page.md"))
      #expect(result.status == 1, "\(result.text)")
      #expect(result.error.contains("  \(falsehood.claim): "), "\(result.text)")
      #expect(
        try String(contentsOfFile: folder.path("page.md"), encoding: .utf8) == "as it was")
    }
  }

  private func set(_ object: inout [String: Any], _ path: ArraySlice<String>, _ value: Double) {
    guard let name = path.first else { return }
    if path.count == 1 {
      object[name] = value
    } else {
      var inner = object[name] as? [String: Any] ?? [:]
      set(&inner, path.dropFirst(), value)
      object[name] = inner
    }
  }

  /// What the recordings hold themselves follows from the traces and `doorbell cat` alone.
  @Test(arguments: ["nested-v4", "nested-irqfd", "nested-userspace"])
  func whatTheRecordingsHoldIsReadFromThem(_ name: String) throws {
    let program = """
      import json, sys
      sys.path.insert(0, sys.argv[1])
      import figures
      found = figures.recorded(sys.argv[2], sys.argv[3])
      kept = json.load(open(sys.argv[1] + "/figures.json"))["traces"][sys.argv[4]]["recorded"]
      sys.exit(None if found == kept else f"{found} against {kept}")
      """
    let result = try Tool.pipeline(
      "exec python3 -B -c \"$1\" \"$2\" \"$0\" \"$3\" \"$4\"", program, Self.folder,
      Tool.trace(name), name)
    #expect(result.status == 0, "\(result.text)")
  }
}
