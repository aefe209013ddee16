import TestSupport
import Testing

@testable import Backends

@Suite struct SlowPathsTests {
  @Test(arguments: 1...20)
  func listAndMapHoldTheSameTokens(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    var list = TokenList(capacity: 50, random: &random)
    var map = TokenMap(capacity: 50)
    var model: Set<UInt64> = []
    for _ in 0..<50 {
      let token = UInt64.random(in: 1...200, using: &random)
      if model.insert(token).inserted {
        list.append(token)
        map.insert(token)
      }
      for token in UInt64(1)...200 {
        #expect(list.contains(token) == model.contains(token))
        #expect(map.contains(token) == model.contains(token))
      }
    }
  }

  @Test func everyCurveHasAPointPerLength() {
    for curve in SlowPaths.smoke.all() {
      #expect(
        curve.points.map(\.length) == [0, 1, 10].filter { $0 > 0 || curve.points.count == 3 })
    }
  }
}
