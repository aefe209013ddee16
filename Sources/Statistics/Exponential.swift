internal import RealModule

/// Between factors and the scale on which they add up.
package enum Exponential {
  package static func logarithm(_ factor: Double) -> Double { .log(factor) }
  /// 0.0296 → 0.03.
  package static func change(_ logarithm: Double) -> Double { .expMinusOne(logarithm) }
  package static func power(_ base: Double, _ exponent: Double) -> Double { .pow(base, exponent) }
}
