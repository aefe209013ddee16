import Foundation
import Testing

/// What we care about in the sources themselves.
@Suite struct HouseTests {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Path below the package → text, for every Swift and C file of a folder.
  static func sources(_ folder: String) throws -> [(path: String, text: String)] {
    let base = root.appendingPathComponent(folder)
    let names = FileManager.default.enumerator(atPath: base.path)?.allObjects as? [String] ?? []
    return try names.filter { $0.hasSuffix(".swift") || $0.hasSuffix(".c") || $0.hasSuffix(".h") }
      .map {
        let data = try Data(contentsOf: base.appendingPathComponent($0))
        return ("\(folder)/\($0)", String(decoding: data, as: UTF8.self))
      }
  }

  @Test func foundationBeginsAtHistory() throws {
    let above = ["History", "HistoryStore", "Suites", "Reports", "CommandLine"]
    let sources = try Self.sources("Sources")
    #expect(sources.count > 100)
    for (path, text) in sources {
      let target = path.split(separator: "/")[1]
      guard !above.contains(String(target)) else { continue }
      #expect(!text.contains("import Foundation"), "\(path)")
    }
  }

  /// What `Sources/README.md` calls the place to start reading says what its target is and is not, with an
  /// example, the invariants and the rules for threads.
  @Test func everyTargetHasAFrontFile() throws {
    let table = try String(
      contentsOf: Self.root.appendingPathComponent("Sources/README.md"), encoding: .utf8)
    var named: Set<String> = []
    for row in table.split(separator: "\n") where row.hasPrefix("| `") {
      let cells = row.split(separator: "|").map { $0.matches(of: /`([^`]+)`/).map(\.output.1) }
      let (targets, files) = (cells[0].map(String.init), cells[cells.count - 1].map(String.init))
      named.formUnion(targets)
      guard targets.count == 1, let file = files.first, file.hasSuffix(".swift") else { continue }
      let path = "Sources/\(targets[0])/\(file)"
      let text = try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
      let head = text.split(separator: "\n", omittingEmptySubsequences: false)
        .prefix { $0.hasPrefix("//") || $0.isEmpty }.joined(separator: "\n")
      #expect(head.contains(/\bnot\b|\bno\b/), "\(path): what it is not")
      #expect(head.contains(/\/\/   +[a-z]|```swift/), "\(path): an example")
      #expect(head.contains(/[Ii]nvariant/), "\(path): invariants")
      #expect(head.contains(/[Tt]hread/), "\(path): threads")
    }
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: Self.root.appendingPathComponent("Sources").path)
    let targets = Set(folders).subtracting(["README.md", "Manual", "Packaging"])
    #expect(named.isSuperset(of: targets), "no row: \(targets.subtracting(named).sorted())")
  }

  @Test func nothingIsLeftOpen() throws {
    let marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]
    for (path, text) in try Self.sources("Sources") + Self.sources("Benchmarks") {
      for mark in marks { #expect(!text.contains(mark), "\(path): \(mark)") }
    }
  }

  @Test func filesStayReadable() throws {
    for (path, text) in try Self.sources("Sources") {
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).count
      #expect(lines <= 600, "\(path) has \(lines) lines; is there a second noun in it?")
    }
  }

  @Test func noDrawerForEverything() throws {
    for (path, _) in try Self.sources("Sources") {
      let name = path.split(separator: "/").last.map(String.init) ?? ""
      for drawer in ["Util", "Helper", "Common", "Misc", "Manager"] {
        #expect(!name.contains(drawer), "\(path)")
      }
    }
  }
}
