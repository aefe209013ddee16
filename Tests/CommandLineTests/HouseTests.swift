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
