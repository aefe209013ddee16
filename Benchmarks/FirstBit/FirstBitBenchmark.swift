// What does the guard before find-first-bit cost?
//
//   swift run -c release FirstBitBenchmark
//
// Minima of 50 runs over 4,096 words, on whatever host this is.

import Measurement

@main
struct FirstBitBenchmark {
  static func main() {
    for (name, empty) in [("one word in two empty", 2), ("all words empty", 1)] {
      // 29 has no factor with 64: every bit comes as often.
      let words = (0..<4096).map { $0 % empty == 0 ? 0 : UInt64(1) << (UInt64($0) * 29 % 64) }
      var sum = 0
      let guarded = leastNanoseconds(runs: 50, operations: words.count) {
        for word in words { sum &+= FirstBit.guarded(word) ?? 64 }
      }
      let looped = leastNanoseconds(runs: 50, operations: words.count) {
        for word in words { sum &+= FirstBit.looped(word) ?? 64 }
      }
      let unguarded = leastNanoseconds(runs: 50, operations: words.count) {
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
    let hundredths = Int(value * 100 + 0.5)
    let cents = hundredths % 100
    return padded("\(hundredths / 100).\(cents < 10 ? "0" : "")\(cents)", 16)
  }
}
