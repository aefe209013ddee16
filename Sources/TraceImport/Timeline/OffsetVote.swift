/// The offset between two views, from the times of their interrupts alone.
///
/// Each sighting of a short run of the moved view votes for its distance to every sighting of the same
/// key in the fixed view. Wrong pairs vote all over the place; the right ones together.
struct OffsetVote {
  struct Candidate: Hashable {
    var offset: Int64
    /// Sightings of the run that lie near one of the fixed view with this offset.
    var matched: Int
    /// The median distance of those.
    var spread: UInt64
  }

  /// Votes this far apart are one opinion: more than interrupt latencies, and than what clocks that
  /// differ by 100 ppm drift apart in ten seconds.
  static var windowNanoseconds: Int64 { 1_000_000 }
  private static var voteLimit: Int { 1 << 21 }
  /// Sightings in a run: enough to tell, and few enough to end before clocks drift apart.
  private static var runLimit: Int { 512 }
  private static var candidateLimit: Int { 6 }

  /// The best candidate first.
  let candidates: [Candidate]
  let runCount: Int

  /// - Parameter start: the place in `moved` where the run starts.
  init(_ moved: [Sighting], from start: Int, _ fixed: SightingIndex) {
    var votes: [Int64] = []
    var end = start
    while end < min(moved.count, start + Self.runLimit) {
      let times = fixed.times(of: moved[end].key)
      guard votes.count + times.count <= Self.voteLimit || end == start else { break }
      let own = Int64(truncatingIfNeeded: moved[end].time)
      for time in times.prefix(Self.voteLimit) {
        votes.append(Int64(truncatingIfNeeded: time) &- own)
      }
      end += 1
    }
    votes.sort()
    let run = moved[start..<end]
    runCount = run.count
    candidates = Self.peaks(votes).map { Self.candidate($0, run, fixed) }
      .sorted { ($1.matched, $0.spread) < ($0.matched, $1.spread) }
  }

  /// The fullest windows that do not overlap: the medians of their votes.
  private static func peaks(_ votes: [Int64]) -> [Int64] {
    var windows: [(start: Int, end: Int)] = []
    var end = 0
    for start in votes.indices {
      while end < votes.count, votes[end] &- votes[start] <= windowNanoseconds { end += 1 }
      windows.append((start, end))
      // Only local maxima can win; the others are dropped to keep the list short.
      if windows.count > 4096 { windows = best(windows, votes) }
    }
    return best(windows, votes).map { votes[($0.start + $0.end) / 2] }
  }

  private static func best(
    _ windows: [(start: Int, end: Int)], _ votes: [Int64]
  ) -> [(start: Int, end: Int)] {
    var kept: [(start: Int, end: Int)] = []
    let sorted = windows.sorted {
      ($1.end - $1.start, $0.start) < ($0.end - $0.start, $1.start)
    }
    for window in sorted where kept.count < candidateLimit {
      let isApart = kept.allSatisfy { other in
        votes[window.start] &- votes[other.end - 1] > 0
          || votes[other.start] &- votes[window.end - 1] > 0
      }
      if isApart { kept.append(window) }
    }
    return kept
  }

  private static func candidate(
    _ offset: Int64, _ run: ArraySlice<Sighting>, _ fixed: SightingIndex
  ) -> Candidate {
    var distances: [UInt64] = []
    for sighting in run {
      let time = Int64(truncatingIfNeeded: sighting.time) &+ offset
      guard let near = fixed.nearest(to: time, key: sighting.key) else { continue }
      let distance = (Int64(truncatingIfNeeded: near.time) &- time).magnitude
      if distance <= windowNanoseconds.magnitude { distances.append(distance) }
    }
    distances.sort()
    return Candidate(
      offset: offset, matched: distances.count,
      spread: distances.isEmpty ? .max : distances[distances.count / 2])
  }
}
