/// How many elements came before: a position in the stream. It starts at 0, never wraps (at 1 ns
/// per element it lasts 584 years) and is not an index into memory; see `SlotIndex`.
@usableFromInline package struct RingSequence: Hashable, Comparable, Sendable, BitwiseCopyable {
  @usableFromInline package let rawValue: UInt64

  @inlinable
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  package static func < (left: RingSequence, right: RingSequence) -> Bool {
    left.rawValue < right.rawValue
  }

  /// The position `count` elements later.
  @inlinable
  package func advanced(by count: Int) -> RingSequence {
    RingSequence(rawValue: rawValue &+ UInt64(truncatingIfNeeded: count))
  }

  /// How many elements lie between `earlier` and this position.
  @inlinable
  package func distance(from earlier: RingSequence) -> Int {
    Int(truncatingIfNeeded: rawValue &- earlier.rawValue)
  }
}

/// Where in the slot memory an element lives: the low bits of its sequence.
@usableFromInline
struct SlotIndex: Hashable, Sendable, BitwiseCopyable {
  @usableFromInline let rawValue: Int

  @inlinable
  init(_ sequence: RingSequence, mask: UInt64) {
    rawValue = Int(truncatingIfNeeded: sequence.rawValue & mask)
  }
}
