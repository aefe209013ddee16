import EventModel
import Foundation
import History
import Replay
import Testing

/// The page of names against the code: nothing that is printed is missing there, and nothing is there that the
/// code does not know.
@Suite struct GlossaryTests {
  private static let page = Result {
    try String(
      contentsOfFile: Tool.repository + "/Sources/Manual/Reference/Counters.md", encoding: .utf8)
  }

  /// First cells and last cells of the tables under a heading, without backquotes.
  private static func rows(_ heading: String) throws -> [(name: String, text: String)] {
    let section = try #require(
      page.get().components(separatedBy: "\n## ").first { $0.hasPrefix(heading + "\n") })
    return section.split(separator: "\n").compactMap { line in
      guard line.hasPrefix("| `") else { return nil }
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      return (cells[0].replacingOccurrences(of: "`", with: ""), cells[cells.count - 1])
    }
  }

  private static func names(_ heading: String) throws -> Set<String> {
    let names = try rows(heading).map(\.name)
    #expect(Set(names).count == names.count, "a name stands twice under \(heading)")
    return Set(names)
  }

  @Test func workCounters() throws {
    #expect(try Self.names("Work counters") == Set(WorkCounters.fields.map(\.name)))
  }

  @Test func casesOfRequests() throws {
    let rows = try Self.rows("Requests for vLPIs")
    #expect(rows.map(\.name) == VLPIRequestCase.allCases.map(\.name))
    #expect(rows.map(\.text) == VLPIRequestCase.allCases.map(\.sentence))
  }

  @Test func endsOfAnInterrupt() throws {
    let names = try Self.names("How an interrupt ends")
    for value in UInt8.min...UInt8.max {
      let outcome = OutcomeClass(rawValue: value)
      guard value > 1, !outcome.isSMMUFault, value < 0x80 else { continue }
      let name = "\(outcome)"
      #expect(names.contains(name) != name.hasPrefix("lost: class"), "\(name)")
    }
    #expect(names.count == 3 + 11 + 2)
  }

  @Test func stages() throws {
    #expect(try Self.names("Stages") == Set(DeliveryStages.all.map(\.name)))
  }

  @Test func processorCounters() throws {
    // All of them stand in every record of core, with a figure or the reason why there is none.
    try SampleRun.use { _, path in
      let cell = try RunRecord.read(from: path).cells.first { $0.experiment == "core" }
      let known = try #require(cell?.processorCounters).map(\.name)
      #expect(try Self.names("Processor counters") == Set(known))
    }
  }

  /// Names of figures and distributions are where cells are made. What follows `\(` is a variable part.
  @Test func figuresAndDistributions() throws {
    var found: Set<String> = []
    for (path, text) in try HouseTests.sources("Sources/CommandLine") {
      let isMaker = ["ReplayTask", "LiveCell", "+Harness"].contains { path.contains($0) }
      guard isMaker else { continue }
      for match in text.matches(of: /(?:metric|figure)\(\s*"([a-z0-9-]+)(\\\()?/) {
        found.insert(String(match.output.1) + (match.output.2 == nil ? "" : "N"))
      }
      for match in text.matches(of: /name: "([a-z-]+)[^"]*", unit:/) {
        found.insert(String(match.output.1))
      }
      for match in text.matches(
        of: /\("([a-z-]+)", (?:rounds\.map|loop\.|result\.coalesced|result\.lost)/)
      {
        found.insert(String(match.output.1))
      }
      for match in text.matches(of: /"([a-z-]+)": result\.(?:routing|assign)/) {
        found.insert(String(match.output.1))
      }
    }
    // A variable part is a capital word on the page.
    let documented = try Self.names("Figures").union(Self.names("Distributions"))
      .union(Self.names("Harness")).union(Self.names("Work of `live` set-up"))
    let plain = Set(documented.map { $0.replacing(/[A-Z]+$/, with: "") })
    let made = Set(found.map { $0.replacing(/N$/, with: "") })
    #expect(made.subtracting(plain).isEmpty, "not on the page: \(made.subtracting(plain).sorted())")
    #expect(plain.subtracting(made).isEmpty, "not in the code: \(plain.subtracting(made).sorted())")
  }

  /// What a real run calls its figures is on the page.
  @Test func namesOfARealRecord() throws {
    let documented = try Self.names("Figures").union(Self.names("Distributions"))
      .union(Self.names("Harness")).union(Self.names("Work counters"))
    try SampleRun.use { _, path in
      let record = try RunRecord.read(from: path)
      var names = Set(record.harness.map(\.name))
      for cell in record.cells {
        names.formUnion(cell.metrics.map(\.name) + cell.distributions.map(\.name))
        names.formUnion(cell.setUpCounters.keys)
        names.formUnion(cell.deliveryCounters.keys)
      }
      #expect(names.subtracting(documented).isEmpty, "\(names.subtracting(documented).sorted())")
    }
  }
}
