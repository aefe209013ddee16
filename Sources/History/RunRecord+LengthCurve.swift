extension RunRecord {
  /// Cost against length, of a list walk and of a map that answers the same question, in nanoseconds.
  public struct LengthCurve: Codable, Hashable, Sendable {
    public var name: String
    /// What one figure is the cost of, such as "ns/register".
    public var unit: String
    public var points: [Point]

    public init(name: String, unit: String, points: [Point]) {
      self.name = name
      self.unit = unit
      self.points = points
    }

    public struct Point: Codable, Hashable, Sendable {
      public var length: Int
      public var walk: Double
      public var map: Double
      public init(length: Int, walk: Double, map: Double) {
        self.length = length
        self.walk = walk
        self.map = map
      }
    }

    /// The first measured length from which on the map is never dearer; nil if the walk wins at the end.
    public var crossover: Int? {
      var found: Int?
      for point in points.reversed() {
        guard point.map <= point.walk else { break }
        found = point.length
      }
      return found
    }
  }
}
