/// Things in the order of their last use: how many others were used since is the distance of a reuse
/// (Mattson and others, "Evaluation techniques for storage hierarchies", 1970).
///
/// A use costs its distance; at the limit the one that was not used for longest goes.
struct ReuseStack<Element: Equatable & Sendable>: Sendable {
  /// The last used is last.
  private var elements: [Element] = []
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  var count: Int { elements.count }

  /// nil: never used, or too long ago.
  func distance(of element: Element) -> Int? {
    elements.lastIndex(of: element).map { elements.count - 1 - $0 }
  }

  /// What was used `distance` others ago, 0 for the last; nil beyond the first.
  func element(at distance: Int) -> Element? {
    distance < elements.count ? elements[elements.count - 1 - distance] : nil
  }

  /// - Returns: the distance before this use.
  @discardableResult
  mutating func use(_ element: Element) -> Int? {
    let distance = distance(of: element)
    if let distance {
      if distance > 0 {
        elements.remove(at: elements.count - 1 - distance)
        elements.append(element)
      }
    } else {
      if elements.count == limit { elements.removeFirst() }
      elements.append(element)
    }
    return distance
  }
}
