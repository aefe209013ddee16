/// Puts two views on one time line by the interrupts that both show.
///
/// 1. A vote in a short run gives the offset to a millisecond (`OffsetVote`).
/// 2. From the run on, forwards and backwards, each sighting is paired with the nearest of the same key
///    around the offset that the pairs before it had, so that a drift is followed.
/// 3. The drift is the median of the slopes between medians of parts (Theil and Sen), the offset the
///    median of what is left: neither heeds the interrupts that were late, or paired wrongly.
///
/// An interrupt is seen a little later by one view than by the other. That usual delay cannot be told
/// from the offset of the clocks and is part of it; the residual is what varies.
package struct TimelineMatch: Sendable {
  package let alignment: TimelineAlignment
  package let residual: AlignmentResidual

  /// Interrupts that each view must hold, and pairs that a match must have.
  private static var leastCount: Int { 8 }
  /// Of the interrupts in the time that both cover, in the view with fewer of them.
  private static var leastShare: Double { 0.5 }
  /// Two clocks of one machine do not drift apart faster.
  private static var driftLimit: Double { 500e-6 }

  /// - Throws: `AlignmentError`
  package init(
    moved: InterruptSightings, to fixed: InterruptSightings
  ) throws(AlignmentError) {
    var failure: AlignmentError?
    for key in InterruptSightings.Key.allCases {
      do {
        try self.init(moved.sightings(key), to: fixed.sightings(key))
        return
      } catch {
        failure = Self.telling(failure, error)
      }
    }
    throw failure ?? .tooFew(moved: 0, fixed: 0, needed: Self.leastCount)
  }

  /// What went wrong where most was there to match says most.
  private static func telling(_ one: AlignmentError?, _ other: AlignmentError) -> AlignmentError {
    if case .tooFew = one { return other }
    return one ?? other
  }

  init(_ moved: [Sighting], to fixed: [Sighting]) throws(AlignmentError) {
    guard moved.count >= Self.leastCount, fixed.count >= Self.leastCount else {
      throw .tooFew(moved: moved.count, fixed: fixed.count, needed: Self.leastCount)
    }
    let index = SightingIndex(fixed)
    let (start, coarse) = try Self.coarseOffset(moved, index)
    let pairs = Self.follow(moved, from: start, offset: coarse, index)
    let alignment = Self.fit(moved, pairs)
    let usual = Self.usualDistance(alignment, moved, pairs)
    let tolerance = min(OffsetVote.windowNanoseconds, max(10_000, 64 * usual))
    let residual = Self.residual(alignment, moved, fixed, within: tolerance)
    let fewer = min(residual.matched + residual.onlyMoved, residual.matched + residual.onlyFixed)
    guard residual.matched >= Self.leastCount,
      Double(residual.matched) >= Self.leastShare * Double(fewer)
    else { throw .noMatch(bestMatched: residual.matched, of: fewer) }
    self.alignment = alignment
    self.residual = residual
  }

  // MARK: 1. The offset in a run

  private static func coarseOffset(
    _ moved: [Sighting], _ fixed: SightingIndex
  ) throws(AlignmentError) -> (start: Int, offset: Int64) {
    var failure = AlignmentError.noMatch(bestMatched: 0, of: moved.count)
    var bestMatched = 0
    // The views need not cover the same time: look at several places.
    for start in [moved.count / 2, moved.count / 4, 3 * moved.count / 4, 0] {
      let vote = OffsetVote(moved, from: start, fixed)
      guard let best = vote.candidates.first, best.matched >= leastCount else { continue }
      // Of offsets that match nearly as many, the right one matches them more closely.
      let rivals = vote.candidates.filter { 10 * $0.matched >= 8 * best.matched }
      let closest = rivals.min { $0.spread < $1.spread } ?? best
      let other = rivals.filter { $0 != closest }.min { $0.spread < $1.spread }
      if let other, other.spread <= 2 * closest.spread {
        failure = .ambiguous(offsets: [closest.offset, other.offset].sorted())
      } else if 2 * closest.matched >= vote.runCount {
        return (start, closest.offset)
      } else if closest.matched > bestMatched, case .noMatch = failure {
        bestMatched = closest.matched
        failure = .noMatch(bestMatched: closest.matched, of: vote.runCount)
      }
    }
    throw failure
  }

  // MARK: 2. Pairs

  private struct Pair {
    /// The place in the moved view.
    var place: Int
    /// The time of the fixed view less that of the moved one.
    var offset: Int64
  }

  private static func follow(
    _ moved: [Sighting], from start: Int, offset: Int64, _ fixed: SightingIndex
  ) -> [Pair] {
    let forwards = follow(moved, Array(start..<moved.count), offset, fixed)
    // Backwards from what the first pairs on the way forwards said.
    let near = forwards.prefix(64).map(\.offset).sorted()
    let settled = near.isEmpty ? offset : near[near.count / 2]
    let backwards = follow(moved, Array((0..<start).reversed()), settled, fixed)
    return backwards.reversed() + forwards
  }

  private static func follow(
    _ moved: [Sighting], _ places: [Int], _ offset: Int64, _ fixed: SightingIndex
  ) -> [Pair] {
    var pairs: [Pair] = []
    var current = Double(offset)
    // How far pairs usually lie from the estimate.
    var usual = Double(OffsetVote.windowNanoseconds) / 8
    var lastTime: UInt64?
    for place in places {
      let sighting = moved[place]
      let expected = Int64(truncatingIfNeeded: sighting.time) &+ Int64(clamping: current)
      guard let near = fixed.nearest(to: expected, key: sighting.key) else { continue }
      let distance = Double(Int64(truncatingIfNeeded: near.time) &- expected)
      let elapsed = lastTime.map { Double(max($0, sighting.time) - min($0, sighting.time)) } ?? 0
      let tolerance = min(
        8 * usual + 1_000 + elapsed * driftLimit, 10 * Double(OffsetVote.windowNanoseconds))
      guard abs(distance) <= tolerance else { continue }
      pairs.append(
        Pair(
          place: place,
          offset: Int64(truncatingIfNeeded: near.time)
            &- Int64(truncatingIfNeeded: sighting.time)))
      current += distance / 16
      usual += (abs(distance) - usual) / 32
      lastTime = sighting.time
    }
    return pairs
  }

  // MARK: 3. The line

  private static func fit(_ moved: [Sighting], _ pairs: [Pair]) -> TimelineAlignment {
    guard let first = pairs.first, let last = pairs.last else {
      return TimelineAlignment(offsetNanoseconds: 0)
    }
    let parts = min(64, pairs.count / 8)
    // The time and the offset of the middle of each part.
    let medians: [(time: Double, offset: Double)] = (0..<parts).map { part in
      let range = part * pairs.count / parts..<(part + 1) * pairs.count / parts
      let offsets = pairs[range].map(\.offset).sorted()
      let middle = moved[pairs[(range.lowerBound + range.upperBound) / 2].place].time
      return (Double(middle), Double(offsets[offsets.count / 2]))
    }
    var slopes: [Double] = []
    for (index, one) in medians.enumerated() {
      for other in medians[(index + 1)...] where other.time > one.time {
        slopes.append((other.offset - one.offset) / (other.time - one.time))
      }
    }
    slopes.sort()
    // Parts of some interrupts and hundredths of a second say nothing of a drift.
    let isLong = moved[last.place].time &- moved[first.place].time >= 100_000_000
    let slope = parts >= 4 && isLong && !slopes.isEmpty ? slopes[slopes.count / 2] : 0
    let reference = moved[first.place].time
    let rest = pairs.map { pair in
      Double(pair.offset) - slope * Double(moved[pair.place].time - reference)
    }.sorted()
    return TimelineAlignment(
      reference: reference, offsetNanoseconds: Int64(clamping: rest[rest.count / 2]),
      driftNanosecondsPerSecond: slope * 1e9)
  }

  /// The median distance of the pairs from the line.
  private static func usualDistance(
    _ alignment: TimelineAlignment, _ moved: [Sighting], _ pairs: [Pair]
  ) -> Int64 {
    let distances = pairs.map { pair in
      let time = moved[pair.place].time
      let paired = Int64(truncatingIfNeeded: time) &+ pair.offset
      return (paired &- alignment.aligned(time)).magnitude
    }.sorted()
    guard !distances.isEmpty else { return 0 }
    // A pair is not farther than 10 windows from the line that was followed.
    return Int64(min(distances[distances.count / 2], OffsetVote.windowNanoseconds.magnitude))
  }

  /// Pairs once more, one with one, and counts. What lies beyond the tolerance is no pair: the view
  /// missed the interrupt, and another one came some time later.
  private static func residual(
    _ alignment: TimelineAlignment, _ moved: [Sighting], _ fixed: [Sighting],
    within window: Int64
  ) -> AlignmentResidual {
    let index = SightingIndex(fixed)
    let aligned = moved.map { alignment.aligned($0.time) }
    // In the order of distance each takes the nearest one that is free.
    var offers: [(distance: UInt64, place: Int, key: UInt64, other: Int)] = []
    for (place, sighting) in moved.enumerated() {
      guard let near = index.nearest(to: aligned[place], key: sighting.key) else { continue }
      let distance = (Int64(truncatingIfNeeded: near.time) &- aligned[place]).magnitude
      if distance <= window.magnitude {
        offers.append((distance, place, sighting.key, near.place))
      }
    }
    offers.sort { ($0.distance, $0.place) < ($1.distance, $1.place) }
    var taken: Set<Taken> = []
    var distances: [UInt64] = []
    for offer in offers where taken.insert(Taken(key: offer.key, place: offer.other)).inserted {
      distances.append(offer.distance)
    }
    let movedRange =
      (aligned.first ?? 0) - window...max(aligned.first ?? 0, aligned.last ?? 0) + window
    let shownFixed = fixed.filter { movedRange.contains(Int64(truncatingIfNeeded: $0.time)) }
    let shownMoved = aligned.filter { time in
      index.range.map { range in
        time + window >= Int64(truncatingIfNeeded: range.lowerBound)
          && time - window <= Int64(truncatingIfNeeded: range.upperBound)
      } ?? false
    }
    func rank(_ share: Double) -> UInt64 {
      distances.isEmpty ? 0 : distances[Int((Double(distances.count - 1) * share).rounded(.up))]
    }
    return AlignmentResidual(
      matched: distances.count, onlyMoved: max(0, shownMoved.count - distances.count),
      onlyFixed: max(0, shownFixed.count - distances.count), minimum: rank(0), median: rank(0.5),
      p99: rank(0.99), maximum: rank(1))
  }

  private struct Taken: Hashable {
    var key: UInt64
    var place: Int
  }
}
