/// The sightings of a view by key, and by time within a key.
struct SightingIndex {
  private let times: [UInt64: [UInt64]]
  let count: Int
  let range: ClosedRange<UInt64>?

  init(_ sightings: [Sighting]) {
    var times: [UInt64: [UInt64]] = [:]
    for sighting in sightings { times[sighting.key, default: []].append(sighting.time) }
    self.times = times
    count = sightings.count
    if let first = sightings.first, let last = sightings.last, first.time <= last.time {
      range = first.time...last.time
    } else {
      range = nil
    }
  }

  func times(of key: UInt64) -> [UInt64] { times[key] ?? [] }

  /// The place in `times(of:)` of the one that is nearest to `time`.
  func nearest(to time: Int64, key: UInt64) -> (place: Int, time: UInt64)? {
    guard let all = times[key], !all.isEmpty else { return nil }
    let wanted = UInt64(max(0, time))
    var low = 0
    var high = all.count
    while low < high {
      let middle = (low + high) / 2
      if all[middle] < wanted { low = middle + 1 } else { high = middle }
    }
    guard low < all.count else { return (all.count - 1, all[all.count - 1]) }
    if low > 0, wanted - all[low - 1] <= all[low] - wanted { return (low - 1, all[low - 1]) }
    return (low, all[low])
  }
}
