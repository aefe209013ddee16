import EventModel
import Measurement
import RingBuffer

/// The sender's and vCPU's ends of a paced run: sends into the device's ring, and takes what was made
/// pending.
struct RingPort: DeliveryPort, ~Copyable {
  private var requests: RingProducer<PacedSession.Message>
  private var raised: RingConsumer<PacedSession.Message>
  private var settled: RingConsumer<PacedSession.Message>
  private var taken: RingProducer<PacedSession.Taken>
  private let clock: CycleClock
  private(set) var inFlight: UInt64 = 0
  private(set) var isBroken = false

  init(
    requests: consuming RingProducer<PacedSession.Message>,
    raised: consuming RingConsumer<PacedSession.Message>,
    settled: consuming RingConsumer<PacedSession.Message>,
    taken: consuming RingProducer<PacedSession.Taken>, clock: CycleClock
  ) {
    self.requests = requests
    self.raised = raised
    self.settled = settled
    self.taken = taken
    self.clock = clock
  }

  mutating func send(intended: UInt64, sent: UInt64) -> Bool {
    var message = PacedSession.Message()
    message.intended = intended
    message.sent = sent
    guard requests.tryPush(message) else { return false }
    inFlight &+= 1
    return true
  }

  mutating func receive() -> DeliveryEnd? {
    if let message = raised.tryPop() { return end(message) }
    if let message = settled.tryPop() { return end(message) }
    // The device thread and an injector stay until this side closes the requests, or fail.
    if raised.isAtEnd { isBroken = true }
    return nil
  }

  /// The vCPU's part: sees the interrupt and acknowledges it.
  private mutating func end(_ message: PacedSession.Message) -> DeliveryEnd {
    inFlight &-= 1
    var stamps = StageStamps()
    stamps.start = message.intended
    stamps.sent = message.sent
    stamps.taken = message.taken
    stamps.passedSMMU = message.passedSMMU
    stamps.signalled = message.signalled
    stamps.woken = message.woken
    stamps.injected = message.injected
    if message.outcome == .delivered { stamps.seen = clock.nowOrdered() }
    let note = PacedSession.Taken(
      intid: message.number, target: message.target, outcome: message.outcome)
    if !taken.push(note, waiting: SpinThenYieldWait()) { isBroken = true }
    stamps.acknowledged = clock.nowOrdered()
    return DeliveryEnd(stamps: stamps, outcome: message.outcome)
  }

  /// No more interrupts: the device thread ends.
  consuming func close() {}
}
