import CPlatform

/// Measurements of one thing, in nanoseconds each.
struct Samples {
  private(set) var values: [Double] = []

  mutating func append(_ nanoseconds: UInt64, of count: Int) {
    values.append(Double(nanoseconds) / Double(max(1, count)))
  }

  mutating func dropFirst(_ count: Int) { values.removeFirst(min(count, values.count)) }

  /// A host only ever adds time.
  var minimum: Double { values.min() ?? 0 }
  var median: Double { values.median }

  /// The median of the quotients of what was measured in turns: whatever the host does hits both.
  func ratio(to other: Samples) -> Double { zip(values, other.values).map { $0 / $1 }.median }
}

extension [Double] {
  var median: Double {
    guard !isEmpty else { return 0 }
    let sorted = sorted()
    return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
  }
}

/// Nanoseconds that the work takes.
@inline(__always)
func nanoseconds(_ work: () -> Void) -> UInt64 {
  let start = CPlatform_monotonicRawNanoseconds()
  work()
  return CPlatform_monotonicRawNanoseconds() - start
}
