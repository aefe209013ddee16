import ArgumentParser
import Foundation
import Reports

/// The forms of what `gate` and `compare` found.
enum FindingsFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json, markdown, junit, sarif, openmetrics

  /// Prints a result: as text, encoded, or in a form that is made of its findings.
  func print(
    _ document: some Encodable, _ findings: @autoclosure () -> Findings, text: () -> String
  ) throws {
    switch self {
    case .table: try OutputFormat.table.print(document, text: text)
    case .json: try OutputFormat.json.print(document, text: text)
    case .markdown: try Console.print(FindingsMarkdown(findings()).text())
    case .junit:
      let now = Date().formatted(
        .iso8601.year().month().day().time(includingFractionalSeconds: false))
      try Console.print(FindingsJUnit(findings(), timestamp: now).text())
    case .sarif: try Console.print(try FindingsSARIF(findings(), version: ToolVersion.text).json())
    case .openmetrics: try Console.print(FindingsOpenMetrics(findings()).text())
    }
  }
}
