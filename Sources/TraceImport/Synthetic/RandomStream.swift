import EventModel

/// Draws that repeat on every host and in every version, which is why nothing here uses floating point.
struct RandomStream: Sendable {
  private var generator: SplitMix64

  init(seed: UInt64) { generator = SplitMix64(seed: seed) }

  mutating func next() -> UInt64 { generator.next() }

  /// 0 ..< count. Off an even share by less than count / 2⁶⁴.
  mutating func below(_ count: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }

  /// A generator for a part of the work, whose numbers do not depend on how much another part takes.
  mutating func split() -> RandomStream { RandomStream(seed: next()) }
}

/// Gaps of events that come independently of each other (a Poisson process): −mean × ln(u), from a table
/// of 1,024 quantiles in 1/65,536 of the mean.
struct ExponentialGap: Sendable {
  private let quantiles: [UInt64]
  let meanNanoseconds: UInt64
  private static let count = 1_024

  /// - Parameter meanNanoseconds: below 2⁴⁰, some 18 minutes.
  init(meanNanoseconds: UInt64) {
    self.meanNanoseconds = min(meanNanoseconds, 1 << 40)
    let whole = UInt64(2 * Self.count)
    quantiles = (0..<Self.count).map { Self.ln(whole) - Self.ln(whole - 1 - 2 * UInt64($0)) }
  }

  func next(_ random: inout RandomStream) -> UInt64 {
    (meanNanoseconds &* quantiles[random.below(Self.count)]) >> 16
  }

  /// 65,536 × ln(x), rounded down: the logarithm to base 2 bit by bit (squaring the mantissa moves its
  /// next bit before the point), times ln 2.
  static func ln(_ x: UInt64) -> UInt64 {
    let exponent = 63 - x.leadingZeroBitCount
    var mantissa = x << UInt64(31 - exponent)
    var log2 = UInt64(exponent)
    for _ in 0..<16 {
      mantissa = (mantissa * mantissa) >> 31
      log2 = log2 << 1 | mantissa >> 32
      mantissa >>= mantissa >> 32
    }
    return (log2 * 45_426) >> 16
  }
}
