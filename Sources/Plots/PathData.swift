/// The `d` of a path through points on the picture: as few lines as a screen can tell from all of them.
///
/// Points are left out that lie nearer than `tolerance` to the line that is drawn instead (D. H. Douglas and
/// T. K. Peucker, "Algorithms for the reduction of the number of points required to represent a digitized line or its
/// caricature", Cartographica 10, 1973). The rest are in tenths of a unit, each as its distance from the one before.
struct PathData {
  private var text = ""
  /// In tenths.
  private var last: (x: Int, y: Int)?

  /// In units of the picture. A page shows a unit as about a pixel: half of one is not seen.
  static let tolerance = 0.5

  static func line(_ points: [Point]) -> String { path([points]) }

  /// Along `upper` and back along `lower`: a band.
  static func area(upper: [Point], lower: [Point]) -> String {
    path([upper, lower.reversed()]) + "Z"
  }

  private static func path(_ stretches: [[Point]]) -> String {
    var path = PathData()
    for point in stretches.flatMap(simplified) { path.add(point) }
    return path.text
  }

  /// The first point, the last one, and whatever is needed between. O(n log n) for most curves.
  static func simplified(_ points: [Point]) -> [Point] {
    guard points.count > 2 else { return points }
    var isKept = [Bool](repeating: false, count: points.count)
    isKept[0] = true
    isKept[points.count - 1] = true
    var open = [0..<points.count - 1]
    while let stretch = open.popLast() {
      let (first, last) = (stretch.lowerBound, stretch.upperBound)
      var farthest = (index: first, distance: tolerance)
      for index in first + 1..<max(first + 1, last) {
        let distance = distance(of: points[index], from: points[first], to: points[last])
        if distance > farthest.distance { farthest = (index, distance) }
      }
      guard farthest.index > first else { continue }
      isKept[farthest.index] = true
      open += [first..<farthest.index, farthest.index..<last]
    }
    return points.indices.filter { isKept[$0] }.map { points[$0] }
  }

  /// From the line between two points, and not beyond its ends.
  private static func distance(of point: Point, from a: Point, to b: Point) -> Double {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    let length = dx * dx + dy * dy
    let share =
      length > 0 ? min(1, max(0, ((point.x - a.x) * dx + (point.y - a.y) * dy) / length)) : 0
    let (x, y) = (point.x - a.x - share * dx, point.y - a.y - share * dy)
    return (x * x + y * y).squareRoot()
  }

  private mutating func add(_ point: Point) {
    let place = (
      x: Int((point.x * 10 + 0.5).floored), y: Int((point.y * 10 + 0.5).floored)
    )
    if let last {
      let (dx, dy) = (place.x - last.x, place.y - last.y)
      if dx != 0, dy != 0 {
        let second = Self.tenths(dy)
        text += "l" + Self.tenths(dx) + (second.hasPrefix("-") ? "" : " ") + second
      } else if dx != 0 {
        text += "h" + Self.tenths(dx)
      } else if dy != 0 {
        text += "v" + Self.tenths(dy)
      }
    } else {
      text = "M\(Self.tenths(place.x)) \(Self.tenths(place.y))"
    }
    last = place
  }

  /// 13 is "1.3", -5 is "-.5".
  private static func tenths(_ value: Int) -> String {
    let (whole, rest) = abs(value).quotientAndRemainder(dividingBy: 10)
    let digits = rest == 0 ? "\(whole)" : whole == 0 ? ".\(rest)" : "\(whole).\(rest)"
    return value < 0 ? "-" + digits : digits
  }
}
