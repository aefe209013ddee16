import Foundation
import Gates
import Plots

/// Findings as JUnit XML in the shape that Jenkins' xUnit plugin defines (junit-10.xsd) and GitLab, Azure
/// and GitHub's actions read: a check is a test case, a regression a failure, what could not be told is
/// skipped, what could not be measured an error.
package struct FindingsJUnit {
  let findings: Findings
  /// ISO 8601, without a zone.
  let timestamp: String

  package init(_ findings: Findings, timestamp: String) {
    self.findings = findings
    self.timestamp = timestamp
  }

  package func text() -> String {
    let skipped = findings.count(.inconclusive) + findings.count(.unjudged)
    let tests = findings.lines.count + findings.obstacles.count
    // The schema allows three decimals.
    let seconds = String(format: "%.3f", findings.seconds ?? 0)
    let counts = [
      ("name", findings.title), ("tests", "\(tests)"),
      ("failures", "\(findings.count(.regressed))"), ("errors", "\(findings.obstacles.count)"),
    ]
    var out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    out += Self.tag("testsuites", counts + [("time", seconds)]) + "\n"
    out +=
      Self.tag(
        "testsuite",
        counts + [
          ("skipped", "\(skipped)"), ("time", seconds), ("timestamp", timestamp),
        ]) + "\n"
    out += "<properties>\n"
    for (name, value) in [
      ("baseline", findings.baseline), ("candidate", findings.candidate),
      ("conclusion", findings.conclusion.rawValue), ("conditions", findings.conditions),
    ] {
      out += Self.tag("property", [("name", name), ("value", value)], isEmpty: true) + "\n"
    }
    out += "</properties>\n"
    for obstacle in findings.obstacles {
      out += Self.tag(
        "testcase", [("name", "measuring"), ("classname", "doorbell"), ("time", "0")])
      out += Self.tag("error", [("message", Self.first(obstacle)), ("type", "could-not-measure")])
      out += Markup.escaped(obstacle) + "</error></testcase>\n"
    }
    for line in findings.lines { out += testCase(line) }
    let warnings = findings.warnings.map { "warning: \(Markup.escaped($0))\n" }.joined()
    return out + "<system-out>\(warnings)</system-out>\n</testsuite>\n</testsuites>\n"
  }

  private func testCase(_ line: Findings.Line) -> String {
    let name = "\(line.cell.experiment) \(line.name)"
    // A point divides classes into packages: traces have one in their names.
    let trace = line.cell.trace.replacing(".", with: "_")
    let start = [
      ("name", name), ("classname", "\(trace).\(line.cell.architecture).\(line.cell.design)"),
      ("time", "0"),
    ]
    let text = line.details.joined(separator: "\n")
    let first = Self.first(text)
    switch line.verdict {
    case .regressed:
      return Self.tag("testcase", start)
        + Self.tag("failure", [("message", first), ("type", line.question.rawValue)])
        + Markup.escaped(text) + "</failure></testcase>\n"
    case .inconclusive, .unjudged:
      return Self.tag("testcase", start)
        + Self.tag("skipped", [("message", "\(line.verdict.rawValue): \(first)")], isEmpty: true)
        + "</testcase>\n"
    case .improved, .pass:
      guard !text.isEmpty else { return Self.tag("testcase", start, isEmpty: true) + "\n" }
      return Self.tag("testcase", start) + "<system-out>\(line.verdict.rawValue): "
        + Markup.escaped(text) + "</system-out></testcase>\n"
    }
  }

  private static func first(_ text: String) -> String {
    text.split(separator: "\n").first.map(String.init) ?? ""
  }

  private static func tag(
    _ name: String, _ attributes: [(String, String)], isEmpty: Bool = false
  ) -> String {
    "<\(name)" + attributes.map { " \($0.0)=\"\(Markup.escaped($0.1))\"" }.joined()
      + (isEmpty ? "/>" : ">")
  }
}
