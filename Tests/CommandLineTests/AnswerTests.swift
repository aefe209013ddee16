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

  /// So every figure of the page is one of figures.json, but for names such as p50 or GICv4 and shares of the wording.
  @Test func theTemplateHoldsNoFigureAndEveryClaimIsMade() throws {
    let template = try String(contentsOfFile: Self.folder + "/page.template", encoding: .utf8)
    let named = template.matches(of: /[A-Za-z_-]+[0-9]+|`[^`]*`|\{\{[^}]*\}\}/).reduce(
      into: template
    ) {
      $0 = $0.replacingOccurrences(of: $1.output, with: "")
    }
    #expect(
      named.filter(\.isNumber).isEmpty,
      "\(named.split(separator: "\n").filter { $0.contains(where: \.isNumber) })")
    let claims = try String(contentsOfFile: Self.folder + "/claims.py", encoding: .utf8)
      .matches(of: /def holds_(\w+)/).map { String($0.output.1) }
    #expect(claims.count > 8)
    for claim in claims {
      #expect(template.contains("{{holds \(claim)}}"), "no sentence needs \(claim)")
    }
  }

  @Test func theFirstPageSaysTheSame() throws {
    let document = try #require(
      JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: Self.figures))) as? [String: Any])
    func median(_ name: String) throws -> Double {
      let traces = try #require(document["traces"] as? [String: [String: Any]])
      let recorded = try #require(traces[name]?["recorded"] as? [String: Any])
      return try #require((recorded["toGuest"] as? [String: Double])?["p50"])
    }
    let ratio = try median("nested-irqfd") / median("nested-v4")
    let readme = try String(contentsOfFile: Tool.repository + "/README.md", encoding: .utf8)
    #expect(
      readme.contains(
        "takes \(String(format: "%.2f", ratio)) times as long\nthrough an irqfd as with a vLPI"))
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
