/// One budget of false alarms over many tests (Holm, Scandinavian Journal of Statistics 6, 1979): the
/// chance that any true null hypothesis is rejected is at most the level, whatever depends on what.
package enum Holm {
  /// Adjusted p-values in the order given: reject where one is at most the level.
  package static func adjusted(_ p: [Double]) -> [Double] {
    var result = [Double](repeating: 1, count: p.count)
    var largest = 0.0
    for (place, index) in p.indices.sorted(by: { p[$0] < p[$1] }).enumerated() {
      largest = max(largest, min(1, p[index] * Double(p.count - place)))
      result[index] = largest
    }
    return result
  }
}
