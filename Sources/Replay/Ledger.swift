package import EventModel

/// The conservation account: offered = delivered + coalesced + masked + lost, in total and per vector.
/// A run in which it does not hold is void.
package struct Ledger: Sendable {
  /// One source of interrupts: a device and its MSI-X entry (or its EventID, if that is not known).
  package struct Vector: Hashable, Sendable, Comparable {
    package var deviceID: UInt32
    package var number: UInt32
    package static func < (a: Vector, b: Vector) -> Bool {
      (a.deviceID, a.number) < (b.deviceID, b.number)
    }
  }

  /// Counts by outcome class; the class is the index.
  package struct Account: Hashable, Sendable {
    package var offered: UInt64 = 0
    package var byClass: [OutcomeClass: UInt64] = [:]
    package init() {}

    package var delivered: UInt64 { byClass[.delivered] ?? 0 }
    package var coalesced: UInt64 { byClass[.coalesced] ?? 0 }
    package var masked: UInt64 { byClass[.masked] ?? 0 }
    package var lost: [(outcome: OutcomeClass, count: UInt64)] {
      byClass.filter { $0.key.isLost }.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { ($0.key, $0.value) }
    }
    package var lostTotal: UInt64 { lost.reduce(0) { $0 + $1.count } }
    package var isConserved: Bool { offered == delivered + coalesced + masked + lostTotal }

    mutating func offer() { offered += 1 }
    mutating func settle(_ outcome: OutcomeClass) { byClass[outcome, default: 0] += 1 }
    mutating func merge(_ other: Account) {
      offered += other.offered
      byClass.merge(other.byClass, uniquingKeysWith: +)
    }
  }

  /// More vectors than this share one account, so that no trace can make the ledger grow for ever.
  package static let vectorLimit = 65_536

  package private(set) var total = Account()
  package private(set) var vectors: [Vector: Account] = [:]
  /// What vectors beyond the limit did.
  package private(set) var others = Account()

  package init() {}

  /// Enters one interrupt. The offer is counted before the outcome is looked at.
  package mutating func enter(_ event: TraceEvent, _ outcome: OutcomeClass) {
    let number =
      event.vector == TraceEvent.unknownVector ? event.data | 0x8000_0000 : UInt32(event.vector)
    let vector = Vector(deviceID: event.deviceID, number: number)
    total.offer()
    total.settle(outcome)
    if vectors[vector] != nil || vectors.count < Self.vectorLimit {
      vectors[vector, default: Account()].offer()
      vectors[vector]?.settle(outcome)
    } else {
      others.offer()
      others.settle(outcome)
    }
  }

  package mutating func merge(_ other: Ledger) {
    total.merge(other.total)
    others.merge(other.others)
    for (vector, account) in other.vectors { vectors[vector, default: Account()].merge(account) }
  }

  /// The account holds in total and for every vector, and the vectors add up to the total.
  package var isConserved: Bool {
    let offered = vectors.values.reduce(others.offered) { $0 + $1.offered }
    return total.isConserved && others.isConserved && offered == total.offered
      && vectors.values.allSatisfy(\.isConserved)
  }
}
