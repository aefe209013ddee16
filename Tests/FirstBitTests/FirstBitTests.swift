import Testing

@testable import FirstBitBenchmark

@Suite struct FirstBitTests {
  /// Every word with at most two bits, and none at all: guard and loop agree, and "no bit" is no bit.
  @Test func theGuardGivesWhatTheLoopGives() {
    #expect(FirstBit.guarded(0) == nil && FirstBit.looped(0) == nil)
    #expect(FirstBit.unguarded(0) == 64, "the bit width, which is no bit of the word")
    for low in 0..<UInt64(64) {
      for high in low..<UInt64(64) {
        let word = UInt64(1) << low | UInt64(1) << high
        #expect(FirstBit.guarded(word) == Int(low) && FirstBit.looped(word) == Int(low))
        #expect(FirstBit.unguarded(word) == Int(low))
      }
    }
  }
}
