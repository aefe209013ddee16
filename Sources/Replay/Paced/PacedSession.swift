public import EventModel
import Glibc
public import Measurement
public import RingBuffer
import Synchronization

/// The threads of one paced run and what lies between them.
@usableFromInline
package final class PacedSession: Sendable {
  /// One interrupt on its way, in one cache line.
  @usableFromInline package struct Message: BitwiseCopyable, Sendable {
    @usableFromInline package var intended: UInt64 = 0
    @usableFromInline package var sent: UInt64 = 0
    @usableFromInline package var taken: UInt64 = 0
    @usableFromInline package var passedSMMU: UInt64 = 0
    @usableFromInline package var signalled: UInt64 = 0
    @usableFromInline package var woken: UInt64 = 0
    @usableFromInline package var injected: UInt64 = 0
    /// The INTID; on the way to an injector the route.
    @usableFromInline package var number: UInt32 = 0
    @usableFromInline package var target = InterruptTarget.pe(0)
    @usableFromInline package var outcome = OutcomeClass.notRecorded
    @usableFromInline package init() {}
  }

  /// How one ended: what the guest has taken is no longer pending.
  @usableFromInline package struct Taken: BitwiseCopyable, Sendable {
    @usableFromInline package var intid: UInt32
    @usableFromInline package var target: InterruptTarget
    @usableFromInline package var outcome: OutcomeClass
  }

  @usableFromInline package let clock = CycleClock.shared
  @usableFromInline let lanes: [EventfdLane<Message>]
  @usableFromInline let requests: HandOff<RingConsumer<Message>>
  @usableFromInline let raise: HandOff<RingProducer<Message>>
  /// From the device thread past the injector: what did not become an interrupt of the host.
  @usableFromInline let settle: HandOff<RingProducer<Message>>
  @usableFromInline let taken: HandOff<RingConsumer<Taken>>
  private let send: HandOff<RingProducer<Message>>
  private let raised: HandOff<RingConsumer<Message>>
  private let settled: HandOff<RingConsumer<Message>>
  private let acknowledge: HandOff<RingProducer<Taken>>
  @usableFromInline let lock = SpinLock()
  @usableFromInline let spins: UInt32
  private let outcome = Mutex<PacedResult?>(nil)
  private let failure = Mutex<Int32>(0)
  private let device = Mutex<DeviceEnd>(DeviceEnd())

  /// What the device thread knows at its end.
  @usableFromInline struct DeviceEnd: Sendable {
    @usableFromInline var allocations: UInt64?
    @usableFromInline var notesPassage = false
    @usableFromInline init() {}
  }

  init(eventfdHops: Int, ringCapacity: Int) throws(PathExperiment.Failure) {
    var lanes: [EventfdLane<Message>] = []
    for _ in 0..<eventfdHops { lanes.append(try EventfdLane(capacity: ringCapacity)) }
    self.lanes = lanes
    let requested = SPSCRing<Message>(capacity: ringCapacity)
    let interrupts = SPSCRing<Message>(capacity: ringCapacity)
    let others = SPSCRing<Message>(capacity: ringCapacity)
    // Never full: every interrupt in flight fits, and the device thread empties it first.
    let acknowledges = SPSCRing<Taken>(capacity: ringCapacity * (3 + eventfdHops))
    send = HandOff(requested.producer)
    requests = HandOff(requested.consumer)
    raise = HandOff(interrupts.producer)
    raised = HandOff(interrupts.consumer)
    settle = HandOff(others.producer)
    settled = HandOff(others.consumer)
    acknowledge = HandOff(acknowledges.producer)
    taken = HandOff(acknowledges.consumer)
    spins = 2 + eventfdHops <= ThreadPlacement.allowedCPUs.count ? 1_024 : 0
  }

  func runSender(_ schedule: ArrivalSchedule, _ options: PacedLoop.Options) {
    var port = RingPort(
      requests: send.take(), raised: raised.take(), settled: settled.take(),
      taken: acknowledge.take(), clock: clock)
    let result = PacedLoop.run(schedule, options, clock: clock, port: &port)
    port.close()
    outcome.withLock { $0 = result }
  }

  @usableFromInline func fail(_ errno: Int32) { failure.withLock { $0 = errno } }
  @usableFromInline func finish(_ end: DeviceEnd) { device.withLock { $0 = end } }

  /// After a thread could not be started: ends the streams of those that run.
  func abandon() {
    send.discard()
    raised.discard()
    settled.discard()
    acknowledge.discard()
    for lane in lanes { lane.abandon() }
  }

  func result(placement: [String]) throws(PathExperiment.Failure) -> PacedResult {
    let errno = failure.withLock { $0 }
    guard errno == 0 else { throw .eventfd(code: errno) }
    guard var result = outcome.withLock({ $0 }) else { throw .noInterrupts }
    let end = device.withLock { $0 }
    result.placement = placement
    result.stageSet = .waits
    if end.notesPassage { result.stageSet.insert(.smmu) }
    if !lanes.isEmpty { result.stageSet.insert(.eventfd) }
    if let sender = result.allocations, let device = end.allocations {
      result.allocations = sender + device
    } else {
      result.allocations = nil
    }
    return result
  }
}
