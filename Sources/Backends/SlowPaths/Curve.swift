/// Cost against length, of a walk and of a map that answers the same question. Least of
/// a few runs; an irqfd list of 1,000 and more is made once.
package struct Curve: Sendable {
  package struct Point: Sendable {
    package var length: Int
    /// ns.
    package var walk: Double
    package var map: Double
  }
  package var name: String
  /// What one figure is the cost of.
  package var unit: String
  package var points: [Point] = []
}
