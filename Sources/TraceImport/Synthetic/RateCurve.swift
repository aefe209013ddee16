/// Events over time, in bounded memory and without knowing the end: when time runs out of bins, two
/// become one.
package struct RateCurve: Sendable {
  /// Events of the bins from `start` on, each of `binNanoseconds`.
  package private(set) var bins: [UInt64] = []
  package private(set) var binNanoseconds: UInt64 = 1_000
  private var start: UInt64?
  private var window: (number: UInt64, count: UInt64) = (.max, 0)
  /// The most events in one window of `peakWindowNanoseconds`.
  package private(set) var peak: UInt64 = 0

  package static let peakWindowNanoseconds: UInt64 = 1_000_000
  private static let binLimit = 128

  package init() {}

  package mutating func add(_ time: UInt64) {
    let number = time / Self.peakWindowNanoseconds
    if number != window.number { window = (number, 0) }
    window.count += 1
    peak = max(peak, window.count)

    let start = self.start ?? time
    self.start = start
    // A time before the first counts as the first.
    let offset = time - min(time, start)
    while offset / binNanoseconds >= UInt64(Self.binLimit) { halve() }
    let bin = Int(offset / binNanoseconds)
    if bin >= bins.count { bins += Array(repeating: 0, count: bin + 1 - bins.count) }
    bins[bin] += 1
  }

  private mutating func halve() {
    bins = stride(from: 0, to: bins.count, by: 2).map { index in
      bins[index] + (index + 1 < bins.count ? bins[index + 1] : 0)
    }
    binNanoseconds *= 2
  }

  /// The curve in `columns` steps of equal time, each the mean number of events per bin.
  package func resampled(columns: Int) -> [Double] {
    guard bins.count > columns else { return bins.map(Double.init) }
    return (0..<columns).map { column in
      let (from, to) = (column * bins.count / columns, (column + 1) * bins.count / columns)
      return Double(bins[from..<to].reduce(0, +)) / Double(to - from)
    }
  }
}
