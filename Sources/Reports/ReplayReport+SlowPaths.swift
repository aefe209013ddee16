import History

// Cost against length of list walks that set-up and misses make, a map beside each.

extension ReplayReport {
  func slowPaths() -> String? {
    guard let curves = record.slowPaths, !curves.isEmpty else { return nil }
    var out = "Slow paths: a list walk by its length, and a map in its place\n"
    for curve in curves {
      var table = Table(
        [.word("length")] + curve.points.map { .number(Format.count(UInt64($0.length))) })
      table.add(["walk"] + curve.points.map { Format.number($0.walk) })
      table.add(["map"] + curve.points.map { Format.number($0.map) })
      out += "  \(curve.name); \(curve.unit)\n" + table.text()
      out +=
        curve.crossover.map { "  map never dearer from length \($0) on\n" }
        ?? "  the walk wins to the end\n"
    }
    return out
  }
}
