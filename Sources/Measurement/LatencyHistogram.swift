package import Histogram

/// A histogram of nanoseconds with one fixed layout for the whole project: 1 ns … about 69 s, three
/// significant digits. It never resizes, so recording never allocates, and merging is exact and does
/// not depend on the order.
package struct LatencyHistogram: Sendable {
  /// 2³⁶ − 1 ns. A larger value is counted here, and in `beyondRange`.
  package static let highestNanoseconds: UInt64 = (1 << 36) - 1

  @usableFromInline var histogram: Histogram<UInt64>
  /// Values that were larger than the range.
  package private(set) var beyondRange: UInt64 = 0

  package init() {
    histogram = Histogram(
      lowestDiscernibleValue: 1, highestTrackableValue: Self.highestNanoseconds,
      numberOfSignificantValueDigits: .three)
  }

  package mutating func record(_ nanoseconds: UInt64) {
    if nanoseconds > Self.highestNanoseconds { beyondRange += 1 }
    _ = histogram.record(min(nanoseconds, Self.highestNanoseconds))
  }

  package mutating func merge(_ other: LatencyHistogram) {
    histogram.add(other.histogram)
    beyondRange += other.beyondRange
  }

  package var count: UInt64 { histogram.totalCount }
  package var maximum: UInt64 { count == 0 ? 0 : histogram.max }

  /// The highest value that is equivalent to the one at `percent` (0…100); 0 if empty.
  package func percentile(_ percent: Double) -> UInt64 {
    count == 0 ? 0 : histogram.valueAtPercentile(percent)
  }

  /// (highest equivalent value, count) in rising order, without empty ones.
  package var buckets: [(value: UInt64, count: UInt64)] {
    histogram.recordedValues().map {
      (histogram.highestEquivalentForValue($0.value), $0.count)
    }
  }
}
