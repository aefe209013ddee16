import EventModel
import TestSupport
import Testing

@testable import TraceImport

/// The measures that lay a made trace beside its source, against slow ones.
@Suite struct ProfileTests {
  @Test func percentilesAreExactToOnePartIn32() {
    var random = SeededGenerator(seed: 4)
    for bits in [3, 10, 40, 64] as [UInt64] {
      var histogram = LogHistogram()
      let values = (0..<2_000).map { _ in random.next() >> (64 - bits) }
      for value in values { histogram.record(value) }
      let sorted = values.sorted()
      for thousandths in [1, 500, 900, 990, 999, 1_000] as [UInt64] {
        let exact = sorted[Int((2_000 * thousandths + 999) / 1_000) - 1]
        let found = histogram.percentile(thousandths: thousandths)
        #expect(found >= exact && found - exact <= exact / 32)
      }
      #expect(histogram.largest == sorted.last && histogram.count == 2_000)
    }
    #expect(LogHistogram().percentile(thousandths: 500) == 0)
    var ends = LogHistogram()
    for value in [0, .max] as [UInt64] { ends.record(value) }
    #expect(ends.percentile(thousandths: 500) == 0)
    #expect(ends.percentile(thousandths: 1_000) == .max)
  }

  @Test func aReuseDistanceIsTheNumberOfOthersSince() {
    var random = SeededGenerator(seed: 9)
    var stack = ReuseStack<Int>(limit: 100)
    var history: [Int] = []
    for _ in 0..<3_000 {
      let page = Int.random(in: 0..<12, using: &random)
      let expected = history.lastIndex(of: page).map { Set(history[($0 + 1)...]).count }
      #expect(stack.distance(of: page) == expected)
      if let expected { #expect(stack.element(at: expected) == page) }
      let used = stack.use(page)
      #expect(used == expected)
      history.append(page)
    }
  }

  @Test func theStackForgetsWhatWasNotUsedForLongest() {
    var stack = ReuseStack<Int>(limit: 3)
    for page in [1, 2, 3, 1, 4] { stack.use(page) }
    #expect(stack.count == 3 && stack.distance(of: 2) == nil && stack.distance(of: 3) == 2)
  }

  @Test func aRateCurveHoldsEveryEventWhateverTheTime() {
    for step in [1, 1_000, 777_777, 3_000_000_000_000] as [UInt64] {
      var curve = RateCurve()
      for index in 0..<10_000 as Range<UInt64> { curve.add(5_000_000 + index * step) }
      #expect(curve.bins.reduce(0, +) == 10_000)
      #expect(curve.bins.count <= 128)
      // An even rate is an even curve, but for the last bin.
      let inner = curve.bins.dropLast()
      if let least = inner.min(), let most = inner.max() { #expect(most - least <= 1) }
      #expect(curve.peak == max(1, min(10_000, (1_000_000 + step - 1) / step)))
    }
    var far = RateCurve()
    for time in [7, .max, 0] as [UInt64] { far.add(time) }
    #expect(far.bins.reduce(0, +) == 3)
  }

  @Test func aProfileCountsByDeviceAndKind() {
    var profile = TraceProfile()
    for index in 0..<10 as Range<UInt64> {
      profile.add(.dma(time: index * 100, streamID: 1, iova: 0x1000 * (index % 2)))
      profile.add(.dma(time: index * 100 + 30, streamID: 2, iova: 0x5000))
      profile.add(
        .msi(time: index * 100 + 50, streamID: 2, deviceID: 2, address: 0, data: UInt32(index % 3)))
    }
    #expect(profile.events == 30 && profile.count(.dma) == 20 && profile.count(.msi) == 10)
    #expect(profile.durationNanoseconds == 950)
    #expect(profile.devices.map(\.dma) == [10, 10] && profile.devices.map(\.msi) == [0, 10])
    #expect(profile.devices[1].vectors == [0, 1, 2])
    // Gaps are of a device; those of a kind are of all.
    #expect(profile.dmaGaps.count == 18 && profile.dmaGaps.largest == 100)
    #expect(profile.kindGaps[Int(EventKind.dma.rawValue)]?.largest == 70)
    #expect(profile.firstUses == 3 && profile.reuse.count == 17)
    #expect(profile.reuse.percentile(thousandths: 1_000) == 1)
  }
}
