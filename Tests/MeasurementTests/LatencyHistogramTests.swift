import Histogram
import TestSupport
import Testing

@testable import Measurement

@Suite struct LatencyHistogramTests {
  /// Values from nanoseconds to beyond the range, each magnitude equally likely.
  static func values(_ count: Int, seed: UInt64) -> [UInt64] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      UInt64.random(in: 0...UInt64.max, using: &random)
        >> UInt64.random(in: 16...63, using: &random)
    }
  }

  static func histogram(_ values: some Sequence<UInt64>) -> LatencyHistogram {
    var histogram = LatencyHistogram()
    for value in values { histogram.record(value) }
    return histogram
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func percentilesAreThoseOfTheSortedValuesToThreeDigits(seed: UInt64) {
    let values = Self.values(2_000, seed: seed).filter { $0 <= LatencyHistogram.highestNanoseconds }
    let sorted = values.sorted()
    let histogram = Self.histogram(values)
    for percent in [0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 100] {
      let rank = max(1, Int((Double(sorted.count) * percent.nextDown / 100).rounded(.up)))
      let exact = sorted[rank - 1]
      let found = histogram.percentile(percent)
      #expect(found >= exact && Double(found) <= Double(exact) * 1.001 + 1, "p\(percent)")
    }
    #expect(histogram.count == UInt64(values.count))
    #expect(histogram.minimum == sorted.first && histogram.maximum == sorted.last)
  }

  /// Splits the values over several histograms and merges them in every order.
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func mergeIsExactAndDoesNotDependOnTheOrder(seed: UInt64) {
    let values = Self.values(900, seed: seed)
    let whole = Self.histogram(values)
    let parts = (0..<3).map { part in
      Self.histogram(values.enumerated().filter { $0.offset * 7 % 3 == part }.map(\.element))
    }
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      var merged = LatencyHistogram()
      for part in order { merged.merge(parts[part]) }
      #expect(merged == whole)
    }
    var nested = parts[1]
    nested.merge(parts[2])
    var outer = parts[0]
    outer.merge(nested)
    #expect(outer == whole)
  }

  @Test func bucketsReadBackGiveTheSamePercentiles() {
    let histogram = Self.histogram(Self.values(1_000, seed: 9))
    var copy = LatencyHistogram()
    for bucket in histogram.buckets { copy.record(bucket.value, count: bucket.count) }
    #expect(copy.count == histogram.count)
    for percent in [1, 50, 90, 99, 99.9, 100] {
      #expect(copy.percentile(percent) == histogram.percentile(percent))
    }
    #expect(histogram.buckets.map(\.value) == histogram.buckets.map(\.value).sorted())
  }

  @Test func valueBeyondTheRangeIsCountedAndItsSizeKept() {
    var histogram = LatencyHistogram()
    histogram.record(7)
    histogram.record(LatencyHistogram.highestNanoseconds)
    #expect(histogram.beyondRange == 0)
    histogram.record(LatencyHistogram.highestNanoseconds + 1)
    histogram.record(.max, count: 2)
    #expect(histogram.count == 5 && histogram.beyondRange == 3)
    #expect(histogram.minimum == 7 && histogram.maximum == .max)
    #expect(histogram.percentile(100) >= LatencyHistogram.highestNanoseconds)
  }

  @Test func emptyHistogramHasNoFigures() {
    let histogram = LatencyHistogram()
    #expect(histogram.count == 0 && histogram.minimum == 0 && histogram.maximum == 0)
    #expect(histogram.percentile(99) == 0 && histogram.buckets.isEmpty)
  }

  @Test func differentContentsAreNotEqual() {
    #expect(Self.histogram([1, 2, 3]) == Self.histogram([3, 1, 2]))
    #expect(Self.histogram([1, 2, 3]) != Self.histogram([1, 2, 4]))
    #expect(Self.histogram([1, 2, 3]) != Self.histogram([1, 2, 3, 3]))
  }

  /// The two layouts are one: at every border between buckets, one below, and one above.
  @Test func recorderAndHistogramPutEveryValueInTheSameBucket() {
    var borders: [UInt64] = Array(0...5_000)
    for bit in 11...43 as ClosedRange<UInt64> {
      for step in [0, 1, 2, 3, 511, 512, 1_022, 1_023] as [UInt64] {
        let border = (1 << bit) + step << (bit - 10)
        borders += [border - 1, border, border + 1]
      }
    }
    let layout = LatencyHistogram().histogram
    for value in borders where value <= LatencyHistogram.highestNanoseconds {
      let highest = LatencyRecorder.highest(of: LatencyRecorder.index(of: value))
      #expect(highest == layout.highestEquivalentForValue(value), "\(value)")
    }
    borders += [.max, LatencyHistogram.highestNanoseconds]
    var recorder = LatencyRecorder()
    for value in borders { recorder.record(value) }
    #expect(recorder.histogram == Self.histogram(borders))
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func recorderBecomesTheHistogramOfItsValues(seed: UInt64) {
    let values = Self.values(3_000, seed: seed)
    var recorder = LatencyRecorder()
    for value in values { recorder.record(value) }
    let histogram = recorder.histogram
    #expect(histogram == Self.histogram(values) && histogram.count == 3_000)
    #expect(
      histogram.beyondRange == UInt64(values.count { $0 > LatencyHistogram.highestNanoseconds }))
  }

  @Test func unusedRecorderBecomesAnEmptyHistogram() {
    let recorder = LatencyRecorder()
    #expect(recorder.histogram == LatencyHistogram())
  }
}
