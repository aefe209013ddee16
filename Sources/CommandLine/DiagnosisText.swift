import History
import Reports

/// `doctor`'s tables: a line per finding with what to do below it, and the gaps that the probe saw.
struct DiagnosisText {
  var diagnosis: HostDiagnosis

  func text() -> String {
    var out = ""
    let width = diagnosis.findings.map(\.name.count).max() ?? 0
    for finding in diagnosis.findings {
      let name = finding.name + String(repeating: " ", count: width - finding.name.count)
      let state = finding.state == .unknown ? "–   " : finding.state == .ok ? "ok  " : "WARN"
      out += "\(state)  \(name)  \(finding.fact)\n"
      if let advice = finding.advice {
        out += String(repeating: " ", count: width + 8) + "→ \(advice)\n"
      }
    }
    if !diagnosis.noise.isEmpty { out += "\n" + noise() }
    let warnings = diagnosis.findings.count { $0.state == .warn }
    return out
      + (warnings == 0
        ? "\nnothing stands against exact figures\n"
        : "\n\(warnings) of \(diagnosis.findings.count) findings stand against exact figures\n")
  }

  private func noise() -> String {
    let classes = diagnosis.noise[0].gaps.map { Self.length($0.fromNanoseconds) }
    var table = Table(
      [.number("CPU"), .number("ms"), .number("readings")] + classes.map { .number("≥ \($0)") }
        + [.number("longest µs"), .number("lost %")])
    for probe in diagnosis.noise {
      table.add(
        [
          "\(probe.cpu)", Format.count(probe.nanoseconds / 1_000_000), Format.count(probe.readings),
        ] + probe.gaps.map { Format.count($0.count) }
          + [
            Format.number(Double(probe.longestNanoseconds) / 1_000),
            Format.number(Double(probe.lostNanoseconds) * 100 / Double(max(1, probe.nanoseconds))),
          ])
    }
    return "Gaps in a loop that reads the clock, by length\n" + table.text()
  }

  private static func length(_ nanoseconds: UInt64) -> String {
    nanoseconds >= 1_000_000 ? "\(nanoseconds / 1_000_000) ms" : "\(nanoseconds / 1_000) µs"
  }
}
