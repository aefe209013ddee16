import TestSupport
import Testing

@testable import Measurement

@Suite struct CycleClockTests {
  @Test func readingsNeverGoBackwardsOnOneThread() {
    let clock = CycleClock.shared
    var last = clock.now()
    for _ in 0..<10_000 {
      let now = clock.nowOrdered()
      #expect(now >= last)
      last = now
    }
  }

  /// 1 % is a hundred times what the calibration states for itself, and catches a wrong unit.
  @Test func calibratedClockAgreesWithTheFallbackClock() {
    let clock = CycleClock.shared
    let reference = CycleClock.monotonicRaw(.counterUnknown)
    // Nested, so that losing the CPU between two readings cannot make a right clock look wrong.
    let outerStart = reference.now()
    let start = clock.nowOrdered()
    let innerStart = reference.now()
    while reference.now() - innerStart < 10_000_000 {}
    let innerEnd = reference.now()
    let end = clock.nowOrdered()
    let outerEnd = reference.now()
    let measured = Double(clock.nanoseconds(from: start, to: end))
    #expect(measured > 0.99 * Double(innerEnd - innerStart))
    #expect(measured < 1.01 * Double(outerEnd - outerStart))
    #expect(clock.uncertaintyPartsPerMillion < 10_000)
  }

  /// Against 128-bit division, over rates from 1 kHz to 10 GHz and durations up to 30 days.
  @Test(
    arguments: [
      (1, 1_000_000), (1, 1), (24, 1_000), (2_445_428_123, 1_000_000_000), (10, 1),
      (48_906_421, 20_000_007),
    ] as [(UInt64, UInt64)])
  func conversionLosesLessThanANanosecondInDays(ticks: UInt64, nanoseconds: UInt64) {
    let clock = CycleClock(ticks: ticks, lasting: nanoseconds, origin: .timeStampCounter)
    var random = SeededGenerator(seed: ticks)
    let thirtyDays: UInt64 = 30 * 86_400 * 1_000_000_000
    let most = UInt64(UInt128(thirtyDays) * UInt128(ticks) / UInt128(nanoseconds))
    for _ in 0..<1_000 {
      let duration = UInt64.random(in: 0...most, using: &random)
      let exact = UInt64(UInt128(duration) * UInt128(nanoseconds) / UInt128(ticks))
      let start = UInt64.random(in: 0...1 << 50, using: &random)
      let converted = clock.nanoseconds(from: start, to: start + duration)
      #expect(converted <= exact && exact - converted <= 1)
      // And back, on a schedule: within half a tick and the nanosecond that was cut off.
      let back = clock.ticks(nanoseconds: exact)
      let slack = ticks / nanoseconds + 2
      #expect(max(back, duration) - min(back, duration) <= slack)
    }
  }

  @Test func timeThatRanBackwardsIsNoTime() {
    #expect(CycleClock.shared.nanoseconds(from: 10, to: 9) == 0)
    #expect(CycleClock.shared.nanoseconds(from: 10, to: 10) == 0)
  }

  @Test func rateIsTheOneThatWasCalibrated() {
    let clock = CycleClock(ticks: 2_450, lasting: 1_000, origin: .timeStampCounter)
    #expect(abs(clock.ticksPerSecond - 2.45e9) < 1)
    #expect(CycleClock.monotonicRaw(.counterMayStop).ticksPerSecond == 1e9)
  }

  @Test func counterThatChangesItsRateIsNotTrustedAndTheReasonIsSaid() {
    #if arch(x86_64)
      #expect(CycleClock.origin(cpuFlags: "fpu tsc constant_tsc nonstop_tsc") == .timeStampCounter)
      #expect(CycleClock.origin(cpuFlags: "fpu tsc nonstop_tsc") == .counterMayChangeRate)
      #expect(CycleClock.origin(cpuFlags: "fpu tsc constant_tsc") == .counterMayStop)
      #expect(CycleClock.origin(cpuFlags: "") == .counterMayChangeRate)
    #endif
    let fallback = CycleClock.monotonicRaw(.counterMayStop)
    #expect(fallback.source.contains("nonstop_tsc"))
    #expect(fallback.nanoseconds(from: 5, to: 12) == 7)
  }
}
