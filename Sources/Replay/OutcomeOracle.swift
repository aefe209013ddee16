package import EventModel

/// The slow model against which a backend is proved. It sees every event in order.
package protocol OutcomeOracle {
  /// The outcome of an access as the guest's own machine gives it; nil for all other events.
  mutating func apply(_ event: TraceEvent) -> Outcome?
  /// The tables that decide about `event`, in words, for a reader who hunts a difference.
  func describe(_ event: TraceEvent) -> String
}
