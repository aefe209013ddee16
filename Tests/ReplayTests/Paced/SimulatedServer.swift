import EventModel
import Replay

/// A design that serves one interrupt after the other, each for as long as `service` says. It takes no
/// time of the sender.
struct SimulatedServer: DeliveryPort {
  let clock: SimulatedClock
  /// Nanoseconds, by ordinal.
  let service: (UInt64) -> UInt64
  /// How an interrupt ends, by ordinal.
  var outcome: (UInt64) -> OutcomeClass = { _ in .delivered }
  var room = UInt64.max
  var isBroken = false
  private var ordinal: UInt64 = 0
  private var freeAt: UInt64 = 0
  private var ends: [(stamps: StageStamps, outcome: OutcomeClass)] = []
  private var next = 0

  init(_ clock: SimulatedClock, service: @escaping (UInt64) -> UInt64) {
    self.clock = clock
    self.service = service
  }

  var inFlight: UInt64 { UInt64(ends.count - next) }

  mutating func send(intended: UInt64, sent: UInt64) -> Bool {
    guard inFlight < room else { return false }
    var stamps = StageStamps()
    stamps.start = intended
    stamps.sent = sent
    stamps.taken = max(sent, freeAt)
    freeAt = stamps.taken + service(ordinal)
    stamps.acknowledged = freeAt
    ends.append((stamps, outcome(ordinal)))
    ordinal += 1
    return true
  }

  mutating func receive() -> DeliveryEnd? {
    guard next < ends.count, ends[next].stamps.acknowledged <= clock.time else { return nil }
    defer { next += 1 }
    return DeliveryEnd(stamps: ends[next].stamps, outcome: ends[next].outcome)
  }
}
