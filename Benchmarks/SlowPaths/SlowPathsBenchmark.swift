// Do list walks in slow paths matter? Prints cost against length for each of them beside a map, and what
// the guard before find-first-bit costs.
//
//   swift run -c release SlowPathsBenchmark
//
// Figures are minima of a few runs on whatever host this is: read the shape, not the nanoseconds.

@main
struct SlowPathsBenchmark {
  static func main() {
    for curve in SlowPaths.real.all() {
      print("\(curve.name) (\(curve.unit))")
      print("  length            walk             map")
      for point in curve.points {
        print("  \(padded("\(point.length)", 6))\(figure(point.walk))\(figure(point.map))")
      }
      print(
        "  crossover: "
          + (curve.crossover.map { "the map is never dearer from length \($0) on" }
            ?? "none, the walk wins to the end") + "\n")
    }
    firstBit()
  }

  private static func firstBit() {
    var random = SplitMix(state: 3)
    for (name, empty) in [("one word in two empty", 2), ("all words empty", 1)] {
      let words = (0..<4096).map { index in
        index % empty == 0 ? 0 : UInt64(1) << UInt64.random(in: 0..<64, using: &random)
      }
      var sum = 0
      let guarded = cheapest(runs: 50, count: words.count) {
        for word in words { sum &+= FirstBit.guarded(word) ?? 64 }
      }
      let looped = cheapest(runs: 50, count: words.count) {
        for word in words { sum &+= FirstBit.looped(word) ?? 64 }
      }
      let unguarded = cheapest(runs: 50, count: words.count) {
        for word in words { sum &+= FirstBit.unguarded(word) }
      }
      print(
        "find-first-bit, \(name) (ns/word, digest \(sum)):\n"
          + "  guarded\(figure(guarded))  loop\(figure(looped))  no guard\(figure(unguarded))")
    }
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func figure(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let cents = hundredths % 100
    return padded("\(hundredths / 100).\(cents < 10 ? "0" : "")\(cents)", 16)
  }
}

/// The same splitmix64 sequence on every host.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
