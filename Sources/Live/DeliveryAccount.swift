/// The conservation account of a live run: offered = delivered + coalesced + masked + lost.
///
/// Delivered is what the guest's handler counted. An offer is lost if it was not masked and the guest's
/// last record does not cover it: the host writes `offered` before it signals, so a handler that ran
/// for an offer, or after it, has read at least its number. What is neither was pending together with
/// another one: coalesced, in the eventfd's counter or in the LAPIC's request register.
package struct DeliveryAccount: Hashable, Sendable {
  package var offered: UInt64 = 0
  package var delivered: UInt64 = 0
  package var coalesced: UInt64 = 0
  package var masked: UInt64 = 0
  /// Signalled, and not taken when the deadline had passed.
  package var lost: UInt64 = 0

  package init() {}

  /// - Parameters:
  ///   - offered: unmasked offers, numbered from 1.
  ///   - delivered: interrupts that the guest's handler counted.
  ///   - covered: the highest number that the guest's last record says it had seen; 0 without one.
  ///   - masked: offers that were made while the entry was masked, not among `offered`.
  package init(
    offered: UInt64, delivered: UInt64, covered: UInt64, masked: UInt64 = 0
  ) throws(LiveError) {
    let lost = offered - min(covered, offered)
    guard covered <= offered, delivered + lost <= offered else {
      throw .spurious(offered: offered, delivered: delivered)
    }
    self.offered = offered + masked
    self.delivered = delivered
    self.masked = masked
    self.lost = lost
    coalesced = offered - delivered - lost
  }

  package var isConserved: Bool { offered == delivered + coalesced + masked + lost }

  package static func + (a: DeliveryAccount, b: DeliveryAccount) -> DeliveryAccount {
    var sum = a
    sum.offered += b.offered
    sum.delivered += b.delivered
    sum.coalesced += b.coalesced
    sum.masked += b.masked
    sum.lost += b.lost
    return sum
  }
}
