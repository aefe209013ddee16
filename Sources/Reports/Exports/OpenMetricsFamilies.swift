/// Metric families by name, and how OpenMetrics 1.0 writes them.
struct OpenMetricsFamilies {
  private struct Family {
    var type: String
    var help: String
    var unit: String?
    var samples: [String] = []
  }

  private var families: [String: Family] = [:]

  func text() -> String {
    var out = ""
    for (name, family) in families.sorted(by: { $0.key < $1.key }) {
      out += "# TYPE \(name) \(family.type)\n"
      if let unit = family.unit { out += "# UNIT \(name) \(unit)\n" }
      out += "# HELP \(name) \(Self.escaped(family.help))\n"
      out += family.samples.joined()
    }
    return out + "# EOF\n"
  }

  mutating func add(
    _ name: String, _ type: String, _ help: String, unit: String? = nil, suffix: String = "",
    _ labels: [(String, String)], _ value: Double
  ) {
    let list = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
    families[name, default: Family(type: type, help: help, unit: unit)].samples
      .append("\(name)\(suffix)\(list.isEmpty ? "" : "{\(list)}") \(Self.number(value))\n")
  }

  private static func number(_ value: Double) -> String {
    value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
  }

  /// OpenMetrics 1.0, "escaped-string".
  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
