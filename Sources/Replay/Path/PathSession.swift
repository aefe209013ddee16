public import EventModel
import Glibc
public import Measurement
public import RingBuffer
import Synchronization

/// The threads of one `path` run and what lies between them.
///
/// There is one token: whoever holds the interrupt that is in flight may use the backend. It goes from
/// the device thread through the lanes and rings to the vCPU thread and comes back with the answer;
/// each hand-over is a release that the next holder's acquire pairs with.
@usableFromInline package final class PathSession: Sendable {
  /// A backend that the threads use one after the other.
  @safe
  @usableFromInline
  package struct Shared<Backend: TranslationBackend & ~Copyable>: @unchecked Sendable {
    @usableFromInline package let pointer: UnsafeMutablePointer<Backend>
    @usableFromInline package init(_ pointer: UnsafeMutablePointer<Backend>) {
      unsafe self.pointer = pointer
    }
  }

  /// From the thread that made an interrupt pending to the vCPU thread, and back.
  @usableFromInline package struct Message: BitwiseCopyable, Sendable {
    @usableFromInline package var outcome: Outcome
    @usableFromInline package var wokenAt: UInt64 = 0
    @usableFromInline package var injectedAt: UInt64 = 0
    @usableFromInline package var seenAt: UInt64 = 0
    @usableFromInline package var acknowledgedAt: UInt64 = 0
    /// Fills a cache line: at 48 bytes every other slot of a ring would lie in two.
    private var padding: (UInt64, UInt64) = (0, 0)
    @usableFromInline package init(_ outcome: Outcome) { self.outcome = outcome }
  }

  @usableFromInline package struct Sample: Sendable {
    @usableFromInline package var stages: DeliveryStages
    @usableFromInline package var roundTrip: UInt64
    @usableFromInline
    init(stages: DeliveryStages, roundTrip: UInt64) {
      self.stages = stages
      self.roundTrip = roundTrip
    }
  }

  /// What the device thread found.
  @usableFromInline package struct Measured: Sendable {
    @usableFromInline package var samples: [Sample] = []
    @usableFromInline package var account = DeliveryAccount()
    @usableFromInline package var stageSet = StageSet()
    @usableFromInline package var errno: Int32 = 0
    @usableFromInline init() {}
  }

  @usableFromInline package let clock = CycleClock.shared
  @usableFromInline package let lanes: [EventfdLane<UInt32>]
  /// The raising end: the injector's if there is an eventfd, else the device's.
  @usableFromInline package let raise: HandOff<RingProducer<Message>>
  @usableFromInline package let raised: HandOff<RingConsumer<Message>>
  @usableFromInline package let answer: HandOff<RingProducer<Message>>
  @usableFromInline package let answers: HandOff<RingConsumer<Message>>
  private let measured = Mutex(Measured())
  private let taken = Mutex<UInt64>(0)
  /// With a CPU for each thread it is best to spin; with fewer a waiting thread must get out of the
  /// way of the one it waits for.
  @usableFromInline package let waiting: SpinThenYieldWait

  @usableFromInline package init(eventfdHops: Int) throws(PathExperiment.Failure) {
    var lanes: [EventfdLane<UInt32>] = []
    for _ in 0..<eventfdHops { lanes.append(try EventfdLane()) }
    self.lanes = lanes
    let interrupts = SPSCRing<Message>(capacity: 16)
    let replies = SPSCRing<Message>(capacity: 16)
    raise = HandOff(interrupts.producer)
    raised = HandOff(interrupts.consumer)
    answer = HandOff(replies.producer)
    answers = HandOff(replies.consumer)
    let hasCPUs = 2 + eventfdHops <= ThreadPlacement.allowedCPUs.count
    waiting = SpinThenYieldWait(spins: hasCPUs ? 1_024 : 0)
  }

  @usableFromInline package func finish(_ result: consuming Measured) {
    let result = result
    measured.withLock { $0 = result }
  }
  @usableFromInline package func finish(taken count: UInt64) { taken.withLock { $0 = count } }

  @usableFromInline package func result(
    placement: [String]
  ) throws(PathExperiment.Failure) -> PathExperiment.Result {
    var found = measured.withLock { $0 }
    found.account.taken = taken.withLock { $0 }
    guard found.errno == 0 else { throw .eventfd(code: found.errno) }
    guard !found.samples.isEmpty else { throw .noInterrupts }
    return PathExperiment.Result(found, placement: placement)
  }

  /// After a thread could not be started: the end that it would have sent from is destroyed, so that
  /// the threads that run, which were started from the vCPU's backwards, see their streams end.
  @usableFromInline package func abandon(started: Int) {
    if started == 1 { raise.discard() }
    if started >= 2 { lanes[lanes.count - (started - 1)].abandon() }
  }
}

// The bodies of the threads around the device's, which is in `PathSession+Device.swift`.
extension PathSession {
  @inlinable
  package func runVCPU<Backend: TranslationBackend & ~Copyable>(_ shared: Shared<Backend>) {
    var raised = raised.take()
    var answer = answer.take()
    var taken: UInt64 = 0
    while var message = raised.pop(waiting: waiting) {
      message.seenAt = clock.nowOrdered()
      if message.outcome.outcome == .delivered {
        // Safety: the token is here: the raising thread does not touch the backend.
        unsafe shared.pointer.pointee.acknowledge(
          .acknowledge(time: 0, target: message.outcome.target, intid: message.outcome.intid))
        taken &+= 1
      }
      message.acknowledgedAt = clock.nowOrdered()
      guard answer.push(message, waiting: waiting) else { break }
    }
    finish(taken: taken)
    answer.close()
  }

  @inlinable
  package func runInjector<Backend: TranslationBackend & ~Copyable>(_ shared: Shared<Backend>) {
    guard let lane = lanes.last else { return }
    var routes = lane.receiver.take()
    var raise = raise.take()
    while lane.wait() {
      let wokenAt = clock.nowOrdered()
      guard let route = routes.tryPop() else {
        if routes.isAtEnd { break }
        continue
      }
      // Safety: the token is here: the device thread waits for the answer.
      var message = Message(unsafe shared.pointer.pointee.inject(route: route))
      message.wokenAt = wokenAt
      message.injectedAt = clock.nowOrdered()
      guard raise.push(message, waiting: waiting) else { break }
    }
    raise.close()
  }

  /// The VMM's thread: from one eventfd to the next.
  @usableFromInline package func runRelay(_ hop: Int) {
    var routes = lanes[hop].receiver.take()
    var onward = lanes[hop + 1].sender.take()
    while lanes[hop].wait() {
      guard let route = routes.tryPop() else {
        if routes.isAtEnd { break }
        continue
      }
      guard onward.tryPush(route), lanes[hop + 1].signal() == 0 else { break }
    }
    onward.close()
    _ = lanes[hop + 1].signal()
  }
}
