/// Cost against length, of a walk and of a map that answers the same question: minima of a few runs.
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

  /// The first measured length from which on the map is never dearer; nil if the walk wins at the end.
  package var crossover: Int? {
    var found: Int?
    for point in points.reversed() {
      guard point.map <= point.walk else { break }
      found = point.length
    }
    return found
  }
}
