public import EventModel

/// What became of all interrupts that a device raised, those of the warm-up included.
@usableFromInline
package struct DeliveryAccount: Sendable, Hashable {
  @usableFromInline package var offered: UInt64 = 0
  /// Taken by the vCPU thread.
  @usableFromInline package var taken: UInt64 = 0
  @usableFromInline package var coalesced: UInt64 = 0
  @usableFromInline package var masked: UInt64 = 0
  @usableFromInline package var lost: UInt64 = 0
  @usableFromInline package init() {}

  @usableFromInline package var isConserved: Bool { offered == taken + coalesced + masked + lost }

  /// Enters how one interrupt ended. An outcome that is no end of an interrupt is left out, which breaks
  /// the account.
  @usableFromInline package mutating func settle(_ outcome: OutcomeClass) {
    switch outcome {
    case .delivered: taken &+= 1
    case .coalesced: coalesced &+= 1
    case .masked: masked &+= 1
    default: if outcome.isLost { lost &+= 1 }
    }
  }

  /// Exact, and in any order the same.
  package mutating func merge(_ other: DeliveryAccount) {
    offered += other.offered
    taken += other.taken
    coalesced += other.coalesced
    masked += other.masked
    lost += other.lost
  }
}
