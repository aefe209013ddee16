import History

// Cost against length of the lists that a host walks at set-up, a map beside each.

extension ReplayReport {
  func slowPaths() -> String? {
    let curves = cells("slow-paths")
    let prefix = "map-at-"
    let lengths = Set(
      curves.flatMap(\.metrics).compactMap { metric in
        metric.name.hasPrefix(prefix) ? Int(metric.name.dropFirst(prefix.count)) : nil
      }
    ).sorted()
    guard !lengths.isEmpty else { return nil }
    var out =
      "Slow paths: the lists that Linux walks at set-up, by length, and a map in their place\n"
    for curve in curves {
      var table = Table(
        [.word("length")] + lengths.map { .number(Format.count(UInt64($0))) })
      for way in ["walk", "map"] {
        table.add([way] + lengths.map { value(curve, "\(way)-at-\($0)") })
      }
      out += "  \(curve.design); \(curve.parameters["unit"] ?? "ns")\n" + table.text()
      out +=
        curve.parameters["map-never-dearer-from"].map {
          "  map never dearer from length \($0) on\n"
        }
        ?? "  the walk wins to the end\n"
    }
    return out
  }
}
