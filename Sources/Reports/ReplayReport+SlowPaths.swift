import History

// Cost against length of list walks that set-up and misses make, a map beside each.

extension ReplayReport {
  func slowPaths() -> ReportSection? {
    guard let curves = record.slowPaths, !curves.isEmpty else { return nil }
    var parts: [ReportSection.Part] = []
    for curve in curves {
      var table = Table(
        [.word("length")] + curve.points.map { .number(Format.count(UInt64($0.length))) })
      table.add(["walk"] + curve.points.map { Format.number($0.walk) })
      table.add(["map"] + curve.points.map { Format.number($0.map) })
      parts += [
        .remark("\(curve.name); \(curve.unit)"), .table(table),
        .remark(
          curve.crossover.map { "map never dearer from length \($0) on" }
            ?? "the walk wins to the end"),
      ]
    }
    return ReportSection("Slow paths: a list walk by its length, and a map in its place", parts)
  }
}
