/// An axis: what it measures, how its values lie, how they are written.
package struct Axis: Hashable, Sendable {
  package var title: String
  package var scale: Scale
  package var style: ValueStyle

  package init(_ title: String, _ scale: Scale, _ style: ValueStyle = .plain) {
    self.title = title
    self.scale = scale
    self.style = style
  }

  package var ticks: [Ticks.Tick] { Ticks(scale, style).all }
}

/// How a value is written beside an axis.
package enum ValueStyle: Hashable, Sendable {
  /// 0.5, 20, 3000, 2M: with the letter from ten thousand on.
  case plain
  /// Of a value in nanoseconds: 50 ns, 2 µs, 1 ms.
  case nanoseconds
  /// Of a share: +5 %.
  case signedPercent

  package func text(_ value: Double) -> String {
    switch self {
    case .plain:
      let magnitude = abs(value)
      if magnitude >= 1e9 { return Self.short(value / 1e9) + "G" }
      if magnitude >= 1e6 { return Self.short(value / 1e6) + "M" }
      if magnitude >= 1e4 { return Self.short(value / 1e3) + "k" }
      return Self.short(value)
    case .nanoseconds:
      let magnitude = abs(value)
      if magnitude >= 1e9 { return Self.short(value / 1e9) + " s" }
      if magnitude >= 1e6 { return Self.short(value / 1e6) + " ms" }
      if magnitude >= 1e3 { return Self.short(value / 1e3) + " µs" }
      return Self.short(value) + " ns"
    case .signedPercent:
      return (value > 0 ? "+" : "") + Self.short(value * 100) + " %"
    }
  }

  /// Up to three significant digits, no zeros at the end.
  static func short(_ value: Double) -> String {
    let magnitude = abs(value)
    let places = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3
    return Digits.text(value, places: places)
  }
}

/// Numbers in decimal, without Foundation.
enum Digits {
  /// Rounded to `places`, zeros at the end left out: 1.50 is "1.5", -0 is "0".
  static func text(_ value: Double, places: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "–" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let whole = Int64((abs(value) * scale + 0.5).floored)
    let (before, after) = whole.quotientAndRemainder(dividingBy: Int64(scale))
    var digits = "\(before)"
    if after > 0 {
      var fraction = "\(after)"
      fraction = String(repeating: "0", count: places - fraction.count) + fraction
      while fraction.hasSuffix("0") { fraction.removeLast() }
      digits += "." + fraction
    }
    return value < 0 && whole > 0 ? "-" + digits : digits
  }
}
