import ArgumentParser

/// A time or a duration on the command line: a number with its unit, such as 1.5s, 20ms, 300us or
/// 40ns; a duration may be negative.
struct TraceTime: ExpressibleByArgument, Hashable {
  var nanoseconds: Int64

  init?(argument: String) {
    let units: [(suffix: String, nanoseconds: Double)] = [
      ("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9),
    ]
    guard let unit = units.first(where: { argument.hasSuffix($0.suffix) }) else { return nil }
    let digits = argument.dropLast(unit.suffix.count)
    // Whole numbers stay exact over the whole range.
    if let whole = Int64(digits) {
      let (product, overflow) = whole.multipliedReportingOverflow(by: Int64(unit.nanoseconds))
      guard !overflow else { return nil }
      nanoseconds = product
      return
    }
    guard let value = Double(digits), value.isFinite, abs(value * unit.nanoseconds) < 9e18
    else { return nil }
    nanoseconds = Int64((value * unit.nanoseconds).rounded())
  }
}
