/// Counts of numbers over the whole range of 64 bits, exact to one part in 32. 15 KiB.
package struct LogHistogram: Sendable {
  private var counts = [UInt64](repeating: 0, count: 60 * 32)
  package private(set) var count: UInt64 = 0
  package private(set) var largest: UInt64 = 0

  package init() {}

  package mutating func record(_ value: UInt64) {
    counts[Self.bucket(value)] += 1
    count += 1
    largest = max(largest, value)
  }

  /// Values below 32 have a bucket each; above, 32 share each power of two.
  private static func bucket(_ value: UInt64) -> Int {
    guard value >= 32 else { return Int(value) }
    let shift = 58 - value.leadingZeroBitCount
    return (shift + 1) * 32 + Int(value >> UInt64(shift)) - 32
  }

  /// The smallest value of the next bucket, less one.
  private static func last(_ bucket: Int) -> UInt64 {
    guard bucket >= 32 else { return UInt64(bucket) }
    let shift = UInt64(bucket / 32 - 1)
    return (UInt64(bucket % 32 + 32) << shift) + ((1 << shift) - 1)
  }

  /// The least value that so many thousandths of all numbers do not exceed; 0 without any numbers.
  package func percentile(thousandths: UInt64) -> UInt64 {
    let (high, low) = count.multipliedFullWidth(by: thousandths)
    let exact = UInt64(1_000).dividingFullWidth((high, low))
    let rank = exact.quotient + (exact.remainder > 0 ? 1 : 0)
    var sum: UInt64 = 0
    for (bucket, number) in counts.enumerated() where number > 0 {
      sum += number
      if sum >= rank { return min(Self.last(bucket), largest) }
    }
    return 0
  }
}
