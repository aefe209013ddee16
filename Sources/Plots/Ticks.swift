internal import RealModule

/// Where an axis is marked.
package struct Ticks {
  package struct Tick: Hashable, Sendable {
    package var value: Double
    /// Empty for a mark without words.
    package var label: String
  }

  package private(set) var all: [Tick] = []

  init(_ scale: Scale, _ style: ValueStyle) {
    switch scale {
    case .linear(let range): linear(range, style)
    case .logarithmic(let range): logarithmic(range, style)
    case .nines(let most): nines(most)
    }
  }

  private mutating func linear(_ range: ClosedRange<Double>, _ style: ValueStyle) {
    let step = Self.step(over: range.upperBound - range.lowerBound, atMost: 5)
    var index = -(-range.lowerBound / step + 1e-9).floored
    while index * step <= range.upperBound + step * 1e-9 {
      let value = index * step
      all.append(Tick(value: value, label: style.text(value)))
      index += 1
    }
  }

  /// 1, 2 or 5 × a power of ten, so that no more than `count` steps cover `length`.
  static func step(over length: Double, atMost count: Int) -> Double {
    let least = length / Double(count)
    let decade = Double.exp10((Double.log10(least) + 1e-9).floored)
    for factor in [1.0, 2, 5] where factor * decade >= least * (1 - 1e-9) {
      return factor * decade
    }
    return 10 * decade
  }

  /// Decades; of many decades every second or third has words; of one or two also 2 and 5.
  private mutating func logarithmic(_ range: ClosedRange<Double>, _ style: ValueStyle) {
    let from = Int((Double.log10(range.lowerBound) + 1e-9).floored)
    let to = Int(-(-Double.log10(range.upperBound) + 1e-9).floored)
    let each = to - from > 12 ? 3 : to - from > 6 ? 2 : 1
    for exponent in from...max(from, to) {
      for factor in [1.0, 2, 5] where factor == 1 || to - from <= 2 {
        let value = factor * Double.exp10(Double(exponent))
        let hair = 1 + 1e-9
        guard value * hair >= range.lowerBound, value <= range.upperBound * hair else { continue }
        let isNamed = (exponent - from) % each == 0
        all.append(Tick(value: value, label: isNamed ? style.text(value) : ""))
      }
    }
  }

  /// 0, 50, 90, 99, 99.9, …
  private mutating func nines(_ most: Double) {
    all = [Tick(value: 0, label: "0"), Tick(value: 50, label: "50")]
    var missing = 10.0
    var label = "90"
    var count = 1
    while Double(count) <= most + 1e-9 {
      all.append(Tick(value: 100 - missing, label: label))
      missing /= 10
      count += 1
      label = count == 2 ? "99" : label + (count == 3 ? ".9" : "9")
    }
  }
}
