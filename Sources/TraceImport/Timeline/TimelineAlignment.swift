/// How the clock of one view of a machine (`moved`, say the guest's own recording) stands to that of
/// another (`fixed`, say the host's): an offset at one time, and a drift from there.
package struct TimelineAlignment: Hashable, Sendable {
  /// A time of the moved view, in nanoseconds.
  package var reference: UInt64
  /// What is added to it there.
  package var offsetNanoseconds: Int64
  /// What the offset gains in a second of the moved view.
  package var driftNanosecondsPerSecond: Double

  /// An offset that somebody knows.
  package init(offsetNanoseconds: Int64) {
    reference = 0
    self.offsetNanoseconds = offsetNanoseconds
    driftNanosecondsPerSecond = 0
  }

  init(reference: UInt64, offsetNanoseconds: Int64, driftNanosecondsPerSecond: Double) {
    self.reference = reference
    self.offsetNanoseconds = offsetNanoseconds
    self.driftNanosecondsPerSecond = driftNanosecondsPerSecond
  }

  /// A time of the moved view on the clock of the fixed one. It is negative before that clock's start.
  package func aligned(_ time: UInt64) -> Int64 {
    let elapsed = Double(Int64(truncatingIfNeeded: time &- reference))
    let gained = Int64(clamping: elapsed * driftNanosecondsPerSecond / 1e9)
    return Int64(truncatingIfNeeded: time) &+ offsetNanoseconds &+ gained
  }
}

extension TimelineAlignment: CustomStringConvertible {
  package var description: String {
    // Thousandths of a part per million are nanoseconds per second.
    "offset \(offsetNanoseconds) ns, drift \(Int64(clamping: driftNanosecondsPerSecond)) ns/s"
  }
}

/// How far matched interrupts lie from the alignment, as distances in nanoseconds: what a comparison
/// between the views is good for.
package struct AlignmentResidual: Hashable, Sendable {
  /// Interrupts that both views show.
  package var matched: Int
  /// Interrupts of one view, in the time that both cover, that the other does not show.
  package var onlyMoved: Int
  package var onlyFixed: Int
  package var minimum: UInt64
  package var median: UInt64
  package var p99: UInt64
  package var maximum: UInt64
}

extension AlignmentResidual: CustomStringConvertible {
  package var description: String {
    "\(matched) interrupts matched, \(onlyMoved) and \(onlyFixed) in one view only; residual ns: "
      + "min \(minimum), median \(median), p99 \(p99), max \(maximum)"
  }
}

/// Why two views could not be put on one time line.
package enum AlignmentError: Error, Hashable {
  /// Fewer interrupts than a match can be judged by.
  case tooFew(moved: Int, fixed: Int, needed: Int)
  /// No offset puts enough interrupts of one view on those of the other.
  case noMatch(bestMatched: Int, of: Int)
  /// Two offsets fit alike: the interrupts are too regular.
  case ambiguous(offsets: [Int64])
}

extension AlignmentError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooFew(let moved, let fixed, let needed):
      "the views hold \(moved) and \(fixed) interrupts; expected \(needed) or more in each; record "
        + "acknowledges or irq_handler_entry in both, or state the offset"
    case .noMatch(let best, let count):
      "the views do not match: the best offset puts \(best) of \(count) interrupts on others; were they "
        + "recorded at the same time, on the same machine? If so, state the offset"
    case .ambiguous(let offsets):
      "the interrupts are too regular to tell the offset: "
        + offsets.map { "\($0) ns" }.joined(separator: " and ") + " fit alike; state the offset"
    }
  }
}

extension Int64 {
  /// The nearest whole number, or the nearest that fits; 0 for what is no number.
  init(clamping value: Double) {
    let rounded = value.rounded()
    if rounded.isNaN {
      self = 0
    } else {
      self = Int64(exactly: rounded) ?? (rounded < 0 ? .min : .max)
    }
  }
}
