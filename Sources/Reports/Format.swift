import Foundation

/// How numbers are written: three significant digits, thousands separated, units by the heading.
public enum Format {
  public static func count(_ value: UInt64) -> String {
    var digits = String(value)
    var parts: [Substring] = []
    while digits.count > 3 {
      parts.insert(digits.suffix(3), at: 0)
      digits = String(digits.dropLast(3))
    }
    parts.insert(digits[...], at: 0)
    return parts.joined(separator: ",")
  }

  /// 3.47, 34.7, 347, 3,470: three significant digits below a thousand.
  public static func number(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let magnitude = abs(value)
    if magnitude >= 1e15 { return String(format: "%.2e", value) }
    if magnitude >= 1000 { return (value < 0 ? "-" : "") + count(UInt64(magnitude.rounded())) }
    let decimals = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2
    return String(format: "%.\(decimals)f", value)
  }

  /// Of a count that is kept as a figure.
  static func count(of value: Double) -> String {
    value >= 0 && value <= 1e15 ? count(UInt64(value)) : number(value)
  }

  public static func nanoseconds(_ value: UInt64) -> String { count(value) }

  public static func millions(_ perSecond: Double) -> String { number(perSecond / 1_000_000) }
}

extension Format {
  /// 50, 99, 99.9: without a point where none is needed.
  public static func percentile(_ percent: Double) -> String {
    percent == percent.rounded() && abs(percent) < 1e15 ? String(Int(percent)) : String(percent)
  }
}
