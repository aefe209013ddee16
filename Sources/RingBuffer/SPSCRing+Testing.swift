// What tests may look at and production code may not. Both checks are exact only while the other
// end stands still.

internal import Synchronization

extension RingProducer {
  /// The first broken invariant of this end in words, or nil.
  package func testOnlyBrokenInvariant() -> String? {
    // Safety: `storage` keeps both cursors alive; pairs as in `advance` and `refreshLimit`.
    let published = unsafe own.pointee.sequence.load(ordering: .acquiring)
    let released = unsafe opposite.pointee.sequence.load(ordering: .acquiring)
    let seen = limit.rawValue &- UInt64(capacity)
    if published != next.rawValue { return "published \(published), but next is \(next.rawValue)" }
    if released > published { return "released \(released) of \(published) published" }
    if published - released > UInt64(capacity) { return "\(published - released) in \(capacity)" }
    if limit < next { return "limit \(limit.rawValue) is before next \(next.rawValue)" }
    if Int64(bitPattern: seen) > Int64(released) { return "saw \(seen) of \(released) released" }
    if claimed > limit.distance(from: next) { return "claimed \(claimed) slots, not all free" }
    return nil
  }
}

extension RingConsumer {
  /// The first broken invariant of this end in words, or nil.
  package func testOnlyBrokenInvariant() -> String? {
    // Safety: `storage` keeps both cursors alive; pairs as in `advance` and `refreshLimit`.
    let released = unsafe own.pointee.sequence.load(ordering: .acquiring)
    let published = unsafe opposite.pointee.sequence.load(ordering: .acquiring)
    if released != next.rawValue { return "released \(released), but next is \(next.rawValue)" }
    if limit < next { return "limit \(limit.rawValue) is before next \(next.rawValue)" }
    if limit.rawValue > published { return "saw \(limit.rawValue) of \(published) published" }
    if peeked > limit.distance(from: next) { return "peeked \(peeked), not all published" }
    return nil
  }
}

extension SPSCRing {
  /// Bytes between the two sequences, and between the second one and the first slot.
  package var testOnlyLineDistances: (Int, Int) {
    // Safety: addresses are compared, nothing is read.
    let first = UInt(bitPattern: unsafe producer.own)
    let second = UInt(bitPattern: unsafe consumer.own)
    let slots = UInt(bitPattern: unsafe producer.slots)
    return (Int(second - first), Int(slots - second))
  }
}
