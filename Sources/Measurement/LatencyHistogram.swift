public import Histogram

/// A histogram of nanoseconds with one fixed layout for the whole project: 1 ns … 2⁴² − 1 ns (73
/// minutes), three significant digits, 264 KiB. It never resizes, so recording never allocates (once
/// the histogram is the only copy of itself), and merging is exact and does not depend on the order.
/// The extremes are exact.
@frozen
@usableFromInline package struct LatencyHistogram: Sendable {
  /// A larger value is counted here, and in `beyondRange`; `maximum` still tells it exactly.
  @inlinable package static var highestNanoseconds: UInt64 { (1 << 42) - 1 }

  @usableFromInline var histogram: Histogram<UInt64>
  /// Values that were larger than the range.
  @usableFromInline package var beyondRange: UInt64
  @usableFromInline var smallest: UInt64
  @usableFromInline var largest: UInt64

  package init() {
    histogram = Histogram(
      lowestDiscernibleValue: 1, highestTrackableValue: Self.highestNanoseconds,
      numberOfSignificantValueDigits: .three)
    beyondRange = 0
    smallest = .max
    largest = 0
  }

  @inlinable @inline(__always)
  package mutating func record(_ nanoseconds: UInt64) { record(nanoseconds, count: 1) }

  /// The same value `count` times: how written buckets are read back.
  @inlinable @inline(__always)
  package mutating func record(_ nanoseconds: UInt64, count: UInt64) {
    guard count > 0 else { return }
    smallest = min(smallest, nanoseconds)
    largest = max(largest, nanoseconds)
    if nanoseconds > Self.highestNanoseconds { beyondRange &+= count }
    histogram.record(min(nanoseconds, Self.highestNanoseconds), count: count)
  }

  /// What the buckets do not tell, from a recorder that knows it exactly.
  mutating func setExtremes(smallest: UInt64, largest: UInt64, beyondRange: UInt64) {
    self.smallest = smallest
    self.largest = largest
    self.beyondRange = beyondRange
  }

  package mutating func merge(_ other: LatencyHistogram) {
    histogram.add(other.histogram)
    beyondRange += other.beyondRange
    smallest = min(smallest, other.smallest)
    largest = max(largest, other.largest)
  }

  package var count: UInt64 { histogram.totalCount }
  /// Exact; 0 if empty.
  package var minimum: UInt64 { count == 0 ? 0 : smallest }
  /// Exact; 0 if empty.
  package var maximum: UInt64 { largest }

  /// The highest value that is equivalent to the one at `percent` (0…100); 0 if empty.
  package func percentile(_ percent: Double) -> UInt64 {
    count == 0 ? 0 : histogram.valueAtPercentile(percent)
  }

  /// (highest equivalent value, count) in rising order, without empty ones.
  package var buckets: [(value: UInt64, count: UInt64)] {
    histogram.recordedValues().map { (value: $0.value, count: $0.count) }
  }
}

extension LatencyHistogram: Equatable {
  @usableFromInline
  package static func == (a: LatencyHistogram, b: LatencyHistogram) -> Bool {
    a.beyondRange == b.beyondRange && a.minimum == b.minimum && a.maximum == b.maximum
      && a.buckets.elementsEqual(b.buckets) { $0.value == $1.value && $0.count == $1.count }
  }
}
