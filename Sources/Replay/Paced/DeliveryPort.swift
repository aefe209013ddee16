package import EventModel

/// Where the open loop sends interrupts and sees them again: the threads of a design, or a simulated
/// server.
package protocol DeliveryPort: ~Copyable {
  /// Interrupts sent and not yet received.
  var inFlight: UInt64 { get }
  /// Starts one interrupt. False if there is no room: try again after receiving.
  mutating func send(intended: UInt64, sent: UInt64) -> Bool
  /// The next interrupt that has ended, in the order of their starts; nil if none has.
  mutating func receive() -> DeliveryEnd?
  /// No more can come back: what is in flight will never end.
  var isBroken: Bool { get }
}

/// How one interrupt ended.
package struct DeliveryEnd: Sendable {
  package var stamps: StageStamps
  package var outcome: OutcomeClass

  package init(stamps: StageStamps, outcome: OutcomeClass) {
    self.stamps = stamps
    self.outcome = outcome
  }
}
