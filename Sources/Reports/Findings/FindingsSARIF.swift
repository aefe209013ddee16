import Foundation
import Gates

/// Regressions as SARIF 2.1.0 (OASIS, 2020), for what shows results beside code. A finding lies in a trace,
/// so its place is the trace; `partialFingerprints` keep one regression one over many runs.
package struct FindingsSARIF {
  let findings: Findings
  let version: String

  /// - Parameter version: of the tool.
  package init(_ findings: Findings, version: String) {
    self.findings = findings
    self.version = version
  }

  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
  }

  private var document: Document {
    let results = findings.lines.filter { $0.verdict == .regressed }.map { line in
      Result(
        ruleId: line.question.rawValue, level: "error",
        message: .init(
          text: "\(line.cell), \(line.name): \(line.details.joined(separator: "\n"))"),
        locations: [
          .init(
            physicalLocation: .init(artifactLocation: .init(uri: Self.uri(line.cell.trace))),
            logicalLocations: [
              .init(
                fullyQualifiedName: "\(line.cell.trace)/\(line.cell.architecture)/"
                  + "\(line.cell.design)/\(line.cell.question)", kind: "member")
            ])
        ],
        partialFingerprints: [
          "doorbell/v1": "\(line.cell.architecture) \(line.cell) \(line.name)"
        ])
    }
    return Document(
      runs: [
        .init(
          tool: .init(
            driver: .init(
              version: version,
              rules: Findings.Question.allCases.map {
                .init(id: $0.rawValue, shortDescription: .init(text: $0.text))
              })),
          invocations: [
            .init(
              executionSuccessful: findings.conclusion != .couldNotMeasure,
              toolExecutionNotifications: findings.obstacles.map {
                .init(level: "error", message: .init(text: $0))
              }
                + findings.warnings.map { .init(level: "warning", message: .init(text: $0)) })
          ], results: results)
      ])
  }

  /// RFC 3986: what may not stand in a reference is written by its bytes.
  private static func uri(_ trace: String) -> String {
    trace.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? "trace"
  }

  private struct Document: Encodable {
    var schema =
      "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    var version = "2.1.0"
    var runs: [Run]
    enum CodingKeys: String, CodingKey {
      case schema = "$schema"
      case version
      case runs
    }
  }
  private struct Run: Encodable {
    var tool: Tool
    var invocations: [Invocation]
    var results: [Result]
  }
  private struct Tool: Encodable { var driver: Driver }
  private struct Driver: Encodable {
    var name = "doorbell"
    var version: String
    var rules: [Rule]
  }
  private struct Rule: Encodable {
    var id: String
    var shortDescription: Message
  }
  private struct Message: Encodable { var text: String }
  private struct Notification: Encodable {
    var level: String
    var message: Message
  }
  private struct Invocation: Encodable {
    var executionSuccessful: Bool
    var toolExecutionNotifications: [Notification]
  }
  private struct Result: Encodable {
    var ruleId: String
    var level: String
    var message: Message
    var locations: [Location]
    var partialFingerprints: [String: String]
  }
  private struct Location: Encodable {
    var physicalLocation: Physical
    var logicalLocations: [Logical]
  }
  private struct Physical: Encodable { var artifactLocation: Artifact }
  private struct Artifact: Encodable { var uri: String }
  private struct Logical: Encodable {
    var fullyQualifiedName: String
    var kind: String
  }
}
