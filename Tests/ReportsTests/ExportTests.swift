import Foundation
import History
import Testing

@testable import Reports

@Suite struct ExportTests {
  private let hostile = "a\"b\\c\nd,e\rf"

  // MARK: CSV

  /// RFC 4180, read as slowly as it can be.
  private func rows(_ text: String) -> [[String]] {
    var rows: [[String]] = [[]]
    var field = ""
    var isQuoted = false
    var scalars = Array(text.unicodeScalars)[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\"" where isQuoted && scalars.first == "\"":
        field += "\""
        scalars.removeFirst()
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        rows[rows.count - 1].append(field)
        field = ""
      case "\r" where !isQuoted && scalars.first == "\n":
        scalars.removeFirst()
        rows[rows.count - 1].append(field)
        field = ""
        rows.append([])
      default: field.unicodeScalars.append(scalar)
      }
    }
    return rows.dropLast()
  }

  @Test func everyFigureIsALineOfItsOwn() {
    let rows = rows(RecordCSV([SampleRecord.record(designs: ["direct"])]).text())
    #expect(rows[0] == RecordCSV.columns)
    #expect(rows.allSatisfy { $0.count == RecordCSV.columns.count })
    let direct = [
      "nvme.dbtrace", String(repeating: "ab", count: 32), "0.1.0", "2026-01-02T03:04:05Z",
    ]
    let ledger =
      direct + [
        "arm-gicv4", "direct", "owned", "vlpi", "equality", "modelled", "", "ledger",
        "lost: unmapped event", "interrupts", "", "", "7",
      ]
    #expect(rows.contains(ledger))
    let samples = rows.filter { $0[11] == "sample" && $0[12] == "delivery-ns-per-event" }
    #expect(samples.count == 20)
    #expect(samples.map { $0[15] } == (0..<20).map(String.init))
    let total = rows.filter { $0[11] == "bucket" && $0[12] == "total" }.compactMap { Int($0[16]) }
    #expect(total == [9000, 900, 90, 9, 1])
    #expect(rows.filter { $0[11] == "rate" && $0[12] == "p99" }.map { $0[16] }.count == 4)
  }

  @Test func textOfARecordStaysInItsField() {
    var record = SampleRecord.record(designs: [hostile])
    record.trace.name = hostile
    let rows = rows(RecordCSV([record]).text())
    #expect(rows.allSatisfy { $0.count == RecordCSV.columns.count })
    #expect(rows.dropFirst().allSatisfy { $0[0] == hostile && $0[5] == hostile })
  }

  // MARK: OpenMetrics

  @Test func everyFamilyIsDeclaredBeforeItsSamples() throws {
    let text = try OpenMetrics([SampleRecord.record()]).text()
    #expect(text.hasSuffix("\n# EOF\n"))
    var family = ""
    for line in text.split(separator: "\n") {
      if line.hasPrefix("# TYPE ") {
        family = String(line.split(separator: " ")[2])
      } else if !line.hasPrefix("#") {
        let name = line.prefix { $0 != "{" }
        #expect(
          ["", "_count", "_info"].contains { name == family + $0 }, "\(line) in \(family)")
      }
    }
    let labels = "trace=\"nvme.dbtrace\",architecture=\"arm-gicv4\",design=\"trapped\""
    for line in [
      "# TYPE doorbell_delivery_ns_per_event gauge",
      "# UNIT doorbell_latency_seconds seconds",
      "doorbell_latency_seconds{\(labels),experiment=\"path\",mode=\"modelled\","
        + "distribution=\"total\",quantile=\"0.99\"} 2e-07",
      "doorbell_interrupts{\(labels),experiment=\"equality\",mode=\"modelled\","
        + "outcome=\"lost: unmapped event\"} 7.0",
    ] {
      #expect(text.contains(line + "\n"), "\(line)")
    }
    let samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
      .map { $0.prefix { $0 != "}" } }
    #expect(Set(samples).count == samples.count, "a sample is there twice")
  }

  @Test func voidCellsGiveNoFigures() throws {
    let lines = try OpenMetrics([SampleRecord.record()]).text().split(separator: "\n")
    let void = lines.filter { $0.contains("eventfd") && $0.contains("\"paced\"") }
    #expect(void.count == 1)
    #expect(
      void.first?.hasPrefix("doorbell_void{") == true && void.first?.hasSuffix(" 1.0") == true)
  }

  @Test func labelsAreEscaped() throws {
    let text = try OpenMetrics([SampleRecord.record(designs: [hostile])]).text()
    #expect(text.contains(#"design="a\"b\\c\nd,e"#))
  }

  @Test func twoBuildsAreNotMixed() throws {
    var other = SampleRecord.record()
    other.tool.version = "9"
    #expect(throws: OpenMetrics.Ambiguity.self) {
      try OpenMetrics([SampleRecord.record(), other])
    }
    let launches = try OpenMetrics([SampleRecord.record(), SampleRecord.record()]).text()
    #expect(launches.contains("doorbell_run_info"))
  }
}
