import EventModel
import Testing

@testable import Replay

@Suite struct ArrivalScheduleTests {
  private func first(_ count: Int, _ arrivals: Arrivals, recorded: [UInt64] = [0]) -> [UInt64] {
    var schedule = ArrivalSchedule(arrivals, recorded: recorded)
    return (0..<count).map { _ in schedule.next() }
  }

  @Test func fixedArrivalsAreRoundedEachByItself() {
    #expect(first(4, .fixed(perSecond: 3)) == [0, 333_333_333, 666_666_666, 1_000_000_000])
    #expect(first(3, .fixed(perSecond: 1_000_000_000)) == [0, 1, 2])
  }

  @Test func recordedArrivalsArePlayedAtASpeedAndAgain() {
    let times: [UInt64] = [500, 600, 1_000]
    #expect(
      first(7, .recorded(thousandths: 1_000), recorded: times) == [
        0, 100, 500, 750, 850, 1_250, 1_500,
      ])
    #expect(first(4, .recorded(thousandths: 2_500), recorded: times) == [0, 40, 200, 300])
    #expect(first(4, .recorded(thousandths: 500), recorded: times) == [0, 200, 1_000, 1_500])
  }

  @Test func burstsKeepTheirShapeAtTheRate() {
    let times: [UInt64] = [0, 10, 20, 1_000, 1_010, 1_020]
    let played = first(13, .bursts(perSecond: 1_000), recorded: times)
    // Six interrupts in the recording's length and one mean gap: 6 ms at 1,000 per second.
    #expect(played[6] == 6_000_000 && played[12] == 12_000_000)
    #expect(played[1] * 100 <= played[3] && played[4] - played[3] < played[3] / 50)
  }

  /// 2³² events and more, and years of a trace: not a nanosecond is lost.
  @Test func noCounterWraps() {
    let ordinals: [UInt64] = [1 << 32, (1 << 33) + 7, 1 << 50]
    for ordinal in ordinals {
      var fixed = ArrivalSchedule(.fixed(perSecond: 7), recorded: [0])
      fixed.skip(to: ordinal)
      let exact = UInt128(ordinal) * 1_000_000_000 / 7
      #expect(fixed.next() == UInt64(clamping: exact))
      #expect(fixed.ordinal == ordinal + 1)
      // A day's trace, two interrupts, played over and over.
      let day: UInt64 = 86_400_000_000_000
      var recorded = ArrivalSchedule(.recorded(thousandths: 1_000_000), recorded: [5, 5 + day])
      recorded.skip(to: ordinal | 1)
      let passes = UInt128(ordinal / 2) * UInt128(2 * day)
      #expect(recorded.next() == UInt64(clamping: (passes + UInt128(day)) / 1_000))
    }
  }

  @Test func poissonRepeatsWithItsSeedAndHasTheRateAndTheSpread() {
    let arrivals = Arrivals.poisson(perSecond: 1_000_000, seed: 7)
    let times = first(20_001, arrivals)
    #expect(times == first(20_001, arrivals))
    #expect(times != first(20_001, .poisson(perSecond: 1_000_000, seed: 8)))
    let gaps = zip(times, times.dropFirst()).map { Double($1) - Double($0) }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    // A sum of 20,000 exponential gaps is within 5 standard errors (0.7 % each).
    #expect(abs(mean - 1_000) < 35)
    // A gap is longer than the mean with probability 1/e, than three means with 1/e³.
    let long = Double(gaps.count { $0 > 1_000 }) / Double(gaps.count)
    let longer = Double(gaps.count { $0 > 3_000 }) / Double(gaps.count)
    #expect(abs(long - 0.3679) < 0.018 && abs(longer - 0.0498) < 0.008)
  }

  @Test func recordedTimesThatGoBackDoNotTrap() {
    #expect(first(3, .recorded(thousandths: 1_000), recorded: [100, 50, 200]) == [0, 0, 100])
    #expect(first(3, .recorded(thousandths: 1_000), recorded: [9]) == [0, 1_000, 2_000])
  }
}
