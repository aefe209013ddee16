import History

extension SubjectPage {
  /// What a real guest saw: a figure for each state of the vCPU, the loop in C dashed beside each design, and
  /// what this host lacks by name.
  var live: PageSection {
    var figures: [PageSection.Figure] = []
    var groups: [(experiment: String, name: String)] = []
    for cell in record.cells where cell.experiment.hasPrefix("live-") {
      for shape in cell.distributions where shape.unit == "ns" && !shape.name.hasSuffix("-c") {
        if !groups.contains(where: { $0 == (cell.experiment, shape.name) }) {
          groups.append((cell.experiment, shape.name))
        }
      }
    }
    for group in groups {
      var curves: [Curve] = []
      for cell in cells(group.experiment) {
        if let other = subject.baselineCell(like: cell), let baseline = subject.baseline {
          curves += [curve(other, group.name, baseline, suffix: ", baseline")].compactMap { $0 }
        }
        curves += [
          curve(cell, group.name, subject.arm, suffix: ""),
          curve(cell, group.name + "-c", subject.arm, suffix: " in C"),
        ].compactMap { $0 }
      }
      if !curves.isEmpty {
        figures.append(figure("\(group.experiment): \(group.name)", curves, []))
      }
    }
    return PageSection(
      "Live: what a real guest saw",
      "Measured through this host's /dev/kvm in its state at that moment; every delivery was verified in "
        + "the guest. What a host lacks is named and never imitated.",
      figures: figures, tables: LiveReport(record).sections,
      cautions: (record.absences ?? []).map { "\($0.part): not available: \($0.reason)" }
        + ReplayReport.voids(record.cells.filter { $0.experiment.hasPrefix("live-") }))
  }
}
