import Foundation
import History

extension SubjectPage {
  /// What was measured on, and what of it stands against exact figures.
  var host: PageSection {
    var facts = Table([.word("fact"), .word("value")])
    for (name, value) in record.host.facts.sorted(by: { $0.key < $1.key }) {
      facts.add([name, value])
    }
    var findings = Table([.word("finding"), .word("state"), .word("fact"), .word("what to do")])
    for finding in record.findings ?? [] {
      findings.add([finding.name, finding.state.rawValue, finding.fact, finding.advice ?? ""])
    }
    return PageSection(
      "Host", "Figures of two hosts are never compared.",
      tables: [
        ReportSection("Fingerprint", facts),
        ReportSection("What 'doorbell doctor' found when the run began", findings),
      ])
  }

  /// How somebody else gets the same.
  var reproduction: PageSection {
    var commands: [String] = []
    for launch in subject.arm.launches {
      let line = Self.shell([launch.tool.name] + launch.command)
      if !commands.contains(line) { commands.append(line) }
    }
    return PageSection(
      "Reproduce",
      "\(record.tool.name) \(record.tool.version); the trace has SHA-256 "
        + "\(record.trace.contentHash). "
        + (record.cells.contains { $0.mode != "live" }
          ? "Counters and outcomes of modelled cells must be equal to the last digit; times "
          : "Times ") + "are those of the host above.",
      code: commands)
  }

  /// A command line that a POSIX shell reads back as these words (XCU 2.2.2).
  static func shell(_ words: [String]) -> String {
    let plain = CharacterSet(
      charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%")
    return words.map { word in
      let isPlain = !word.isEmpty && word.unicodeScalars.allSatisfy(plain.contains)
      return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }.joined(separator: " ")
  }
}
