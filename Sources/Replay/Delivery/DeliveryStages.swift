public import Measurement

/// The stages of one interrupt in nanoseconds. They add up to its total exactly, because each is the
/// difference of two times since the same start.
///
/// A stage that a design or an experiment does not have is 0 here and absent from a result
/// (`StageSet`): `path` has no waits before the device, hardware delivery wakes nobody and injects
/// nothing, and where a message does not pass the SMMU (x86: requests of interrupts are remapped, not
/// translated) all of the translation is `its`.
@usableFromInline
package struct DeliveryStages: Hashable, Sendable, BitwiseCopyable {
  /// From the intended start until the event, decoded, was given to the device's ring.
  @usableFromInline package var decodeWait: UInt64 = 0
  /// In the ring, until the device thread took it.
  @usableFromInline package var ringWait: UInt64 = 0
  /// Until the device's write had passed the SMMU; with trapped set-up the look-up of its entry, too.
  @usableFromInline package var smmu: UInt64 = 0
  /// The physical ITS or remapping table, to the pending bit or to the host's interrupt.
  @usableFromInline package var its: UInt64 = 0
  /// From the host's interrupt until the thread behind the eventfd runs: the write, the kernel, and
  /// with `bounce` the VMM's thread between.
  @usableFromInline package var wakeUp: UInt64 = 0
  /// Route, virtual ITS, pending bit.
  @usableFromInline package var inject: UInt64 = 0
  /// From the pending bit until the vCPU thread sees it.
  @usableFromInline package var notification: UInt64 = 0
  /// Until the vCPU thread has acknowledged it.
  @usableFromInline package var acknowledge: UInt64 = 0

  @usableFromInline package init() {}

  @usableFromInline package var total: UInt64 {
    decodeWait + ringWait + smmu + its + wakeUp + inject + notification + acknowledge
  }

  /// In the order in which an interrupt passes them.
  package static var all: [(name: String, path: KeyPath<DeliveryStages, UInt64>, set: StageSet)] {
    [
      ("decode-wait", \.decodeWait, .waits), ("ring-wait", \.ringWait, .waits),
      ("smmu", \.smmu, .smmu), ("its", \.its, []), ("wake-up", \.wakeUp, .eventfd),
      ("inject", \.inject, .eventfd), ("notification", \.notification, []),
      ("acknowledge", \.acknowledge, []),
    ]
  }
}

/// The stages that not every design and experiment has.
@usableFromInline
package struct StageSet: OptionSet, Hashable, Sendable, BitwiseCopyable {
  @usableFromInline package let rawValue: UInt8
  @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }
  /// `decodeWait` and `ringWait`: an open loop.
  @inlinable package static var waits: StageSet { StageSet(rawValue: 1) }
  /// `smmu` apart from `its`.
  @inlinable package static var smmu: StageSet { StageSet(rawValue: 2) }
  /// `wakeUp` and `inject`.
  @inlinable package static var eventfd: StageSet { StageSet(rawValue: 4) }
}

/// When one interrupt passed each border between two stages, in ticks; 0 where there is no border.
@usableFromInline
package struct StageStamps: Hashable, Sendable, BitwiseCopyable {
  /// Where the total begins: the intended start, or the actual one in a closed loop.
  @usableFromInline package var start: UInt64 = 0
  @usableFromInline package var sent: UInt64 = 0
  @usableFromInline package var taken: UInt64 = 0
  @usableFromInline package var passedSMMU: UInt64 = 0
  @usableFromInline package var signalled: UInt64 = 0
  @usableFromInline package var woken: UInt64 = 0
  @usableFromInline package var injected: UInt64 = 0
  @usableFromInline package var seen: UInt64 = 0
  @usableFromInline package var acknowledged: UInt64 = 0
  @usableFromInline package init() {}

  /// A stamp that is not after the one before it (absent, or another core's counter is some ticks
  /// behind) gives its stage nothing and the next one the difference.
  @usableFromInline
  package func stages(_ clock: some PacingClock) -> DeliveryStages {
    var stages = DeliveryStages()
    var sum: UInt64 = 0
    func step(_ stamp: UInt64) -> UInt64 {
      let elapsed = clock.nanoseconds(from: start, to: stamp)
      guard elapsed > sum else { return 0 }
      defer { sum = elapsed }
      return elapsed - sum
    }
    stages.decodeWait = step(sent)
    stages.ringWait = step(taken)
    stages.smmu = step(passedSMMU)
    stages.its = step(signalled)
    stages.wakeUp = step(woken)
    stages.inject = step(injected)
    stages.notification = step(seen)
    stages.acknowledge = step(acknowledged)
    return stages
  }
}

/// Where a backend notes that the device's write has passed the SMMU.
@frozen
public struct PassageMark: Sendable {
  @usableFromInline let clock: CycleClock
  /// Ticks; 0 if the design did not say.
  @usableFromInline package var time: UInt64 = 0

  @inlinable package init(_ clock: CycleClock) { self.clock = clock }

  @inlinable @inline(__always)
  public mutating func note() { time = clock.nowOrdered() }
}
