package import EventModel

/// The conservation account: offered = delivered + coalesced + masked + lost, in total and per vector.
/// A run in which it does not hold is void.
package struct Ledger: Sendable {
  /// One source of interrupts: a device and its MSI-X entry, or its EventID if that is not known.
  package struct Vector: Hashable, Sendable, Comparable {
    package var deviceID: UInt32
    package var isEventID: Bool
    package var number: UInt32

    package init(_ event: TraceEvent) {
      deviceID = event.deviceID
      isEventID = event.vector == TraceEvent.unknownVector
      number = isEventID ? event.data : UInt32(event.vector)
    }

    package static func < (a: Vector, b: Vector) -> Bool {
      (a.deviceID, a.isEventID ? 1 : 0, a.number) < (b.deviceID, b.isEventID ? 1 : 0, b.number)
    }
  }

  /// Counts by outcome class.
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
    /// False if an interrupt ended as something that is no end of an interrupt.
    package var isConserved: Bool { offered == delivered + coalesced + masked + lostTotal }

    mutating func offer() { offered += 1 }
    mutating func settle(_ outcome: OutcomeClass) { byClass[outcome, default: 0] += 1 }
    mutating func merge(_ other: Account) {
      offered += other.offered
      byClass.merge(other.byClass, uniquingKeysWith: +)
    }
  }

  /// So many vectors, the smallest, have an account of their own; the rest share one. No trace can make
  /// the ledger grow for ever, and which vectors those are does not depend on the order.
  package let vectorLimit: Int

  package private(set) var total = Account()
  /// Up to twice the limit, so that the largest are moved to `rest` seldom.
  private var accounts: [Vector: Account] = [:]
  private var rest = Account()

  package init(vectorLimit: Int = 65_536) {
    precondition(vectorLimit > 0, "a ledger has room for one vector at least")
    self.vectorLimit = vectorLimit
  }

  package var vectors: [Vector: Account] { trimmed().accounts }
  /// What vectors beyond the limit did.
  package var others: Account { trimmed().rest }

  /// Enters one interrupt. The offer is counted before the outcome is looked at.
  package mutating func enter(_ event: TraceEvent, _ outcome: OutcomeClass) {
    let vector = Vector(event)
    total.offer()
    accounts[vector, default: Account()].offer()
    total.settle(outcome)
    accounts[vector]?.settle(outcome)
    if accounts.count > 2 * vectorLimit { self = trimmed() }
  }

  /// Exact, and in any order the same.
  package mutating func merge(_ other: Ledger) {
    total.merge(other.total)
    rest.merge(other.rest)
    for (vector, account) in other.accounts { accounts[vector, default: Account()].merge(account) }
    if accounts.count > 2 * vectorLimit { self = trimmed() }
  }

  /// The account holds in total and for every vector, and the vectors add up to the total.
  package var isConserved: Bool {
    var sum = rest
    for account in accounts.values { sum.merge(account) }
    return total.isConserved && rest.isConserved && accounts.values.allSatisfy(\.isConserved)
      && sum == total
  }

  /// A vector that is among the smallest of all is among the smallest at any earlier time, so its
  /// account was never moved. One that was moved and came back is moved again.
  private func trimmed() -> Ledger {
    guard accounts.count > vectorLimit else { return self }
    var ledger = self
    for vector in accounts.keys.sorted().dropFirst(vectorLimit) {
      ledger.rest.merge(accounts[vector] ?? Account())
      ledger.accounts[vector] = nil
    }
    return ledger
  }
}
