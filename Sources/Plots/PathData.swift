/// The `d` of a path through points on the picture: absolute moves, then as few lines as a screen can
/// tell apart.
struct PathData {
  private(set) var text = ""
  private var last: Point?
  private var skipped: Point?

  /// Points nearer than this to the last one are left out, the end of the path excepted.
  static let resolution = 0.4

  static func line(_ points: [Point]) -> String {
    var path = PathData()
    for point in points { path.add(point) }
    return path.finished()
  }

  /// Along `upper` and back along `lower`: a band.
  static func area(upper: [Point], lower: [Point]) -> String {
    line(upper + lower.reversed()) + "Z"
  }

  mutating func add(_ point: Point) {
    guard let last else {
      text += "M" + SVG.pair(point.x, point.y)
      self.last = point
      return
    }
    let isNear =
      abs(point.x - last.x) < Self.resolution && abs(point.y - last.y) < Self.resolution
    if isNear { skipped = point } else { move(to: point) }
  }

  mutating func finished() -> String {
    if let skipped { move(to: skipped) }
    return text
  }

  private mutating func move(to point: Point) {
    guard let last else { return }
    let (x, y) = (SVG.number(point.x), SVG.number(point.y))
    let (lastX, lastY) = (SVG.number(last.x), SVG.number(last.y))
    if x != lastX, y != lastY {
      text += "L\(x) \(y)"
    } else if x != lastX {
      text += "H\(x)"
    } else if y != lastY {
      text += "V\(y)"
    }
    self.last = point
    skipped = nil
  }
}
