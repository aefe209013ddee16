/// Which of several rings comes next: the one with the earliest head; at the same time the lower one.
struct RingOrder {
  /// The ring whose head comes next; nil if none has a head.
  private(set) var next: Int?
  /// `next` must not be moved past the earliest head of the others.
  private var limit: (time: UInt64, ring: Int)?

  /// - Parameter time: of a ring's head; nil if it has none.
  mutating func choose(_ count: Int, time: (Int) -> UInt64?) {
    next = nil
    limit = nil
    var earliest: UInt64 = 0
    for ring in 0..<count {
      guard let time = time(ring) else { continue }
      guard let first = next else {
        (next, earliest) = (ring, time)
        continue
      }
      if time < earliest {
        limit = (earliest, first)
        (next, earliest) = (ring, time)
      } else if limit == nil || time < limit?.time ?? 0 {
        limit = (time, ring)
      }
    }
  }

  /// Whether `next` stays the next one with a head of this time.
  func holds(_ time: UInt64?) -> Bool {
    guard let time, let next else { return false }
    guard let limit else { return true }
    return (time, next) < (limit.time, limit.ring)
  }
}
