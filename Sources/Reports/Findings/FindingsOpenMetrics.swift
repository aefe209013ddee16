import Gates

/// Findings in the text format of OpenMetrics 1.0: the conclusion as a state set, each check's verdict, and
/// the change of each time as a ratio.
package struct FindingsOpenMetrics {
  let findings: Findings

  package init(_ findings: Findings) { self.findings = findings }

  package func text() -> String {
    var families = OpenMetricsFamilies()
    let name = "doorbell_" + (findings.title.split(separator: " ").last ?? "")
    for conclusion in [Conclusion.pass, .regression, .inconclusive, .couldNotMeasure] {
      families.add(
        name, "stateset", "How it ended.", [(name, conclusion.rawValue)],
        conclusion == findings.conclusion ? 1 : 0)
    }
    for line in findings.lines {
      let labels = [
        ("trace", line.cell.trace), ("architecture", line.cell.architecture),
        ("design", line.cell.design), ("experiment", line.cell.question), ("check", line.name),
      ]
      families.add(
        "\(name)_regressed", "gauge", "1 if the check failed.", labels,
        line.verdict == .regressed ? 1 : 0)
      guard let effect = line.effect else { continue }
      for (bound, change) in [
        ("estimate", effect.change), ("lower", effect.lower), ("upper", effect.upper),
      ] {
        guard let change else { continue }
        families.add(
          "\(name)_change_ratio", "gauge", "0.03: the candidate takes 3 % more time.",
          unit: "ratio", labels + [("bound", bound)], change)
      }
    }
    if let seconds = findings.seconds {
      families.add("\(name)_seconds", "gauge", "Time to the verdict.", unit: "seconds", [], seconds)
    }
    return families.text()
  }
}
