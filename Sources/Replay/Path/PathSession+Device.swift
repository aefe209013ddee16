public import EventModel
import Glibc
public import Measurement
public import RingBuffer

extension PathSession {
  /// With one interrupt in flight this cannot be; it ends the run rather than losing one.
  @usableFromInline static var laneIsFull: Int32 { EAGAIN }

  @inlinable
  package func runDevice<Backend: TranslationBackend & ~Copyable>(
    _ shared: Shared<Backend>, _ experiment: PathExperiment
  ) {
    if let lane = lanes.first {
      var routes = lane.sender.take()
      drive(shared, experiment) { _, signal in
        guard routes.tryPush(signal.route) else { return Self.laneIsFull }
        return lane.signal()
      }
      // The receiver wakes once more and finds the end of the routes.
      routes.close()
      _ = lane.signal()
    } else {
      var raise = raise.take()
      drive(shared, experiment) { message, _ in raise.tryPush(message) ? 0 : Self.laneIsFull }
      raise.close()
    }
  }

  /// The device thread's loop. `handOver` returns 0 or an errno.
  @inlinable @inline(__always)
  package func drive<Backend: TranslationBackend & ~Copyable>(
    _ shared: Shared<Backend>, _ experiment: PathExperiment,
    handOver: (Message, Signal) -> Int32
  ) {
    var answers = answers.take()
    let options = experiment.options
    var result = Measured()
    if !lanes.isEmpty { result.stageSet.insert(.eventfd) }
    result.samples.reserveCapacity(options.interrupts)
    var warmUp = options.warmUpInterrupts
    let begin = clock.now()
    let limit = clock.ticks(nanoseconds: options.limitNanoseconds)
    // On a host that wakes nobody for milliseconds the whole time would go into warming up.
    let warmUpLimit = limit / 4
    passes: while result.samples.count < options.interrupts {
      var taken = 0
      for event in experiment.events {
        guard event.kind == .msi else {
          // Safety: the token is here: no message is out.
          unsafe shared.pointer.pointee.applyBetweenInterrupts(event)
          continue
        }
        result.account.offered &+= 1
        let start = clock.now()
        // Safety: as above.
        var passage = PassageMark(clock)
        let signal = unsafe shared.pointer.pointee.signal(event, noting: &passage)
        let signalled = clock.nowOrdered()
        if signal.route == Signal.none && signal.outcome.outcome != .delivered {
          // Safety: as above.
          unsafe settle(signal.outcome, &result.account, &shared.pointer.pointee)
          continue
        }
        result.errno = handOver(Message(signal.outcome), signal)
        guard result.errno == 0, let message = answers.pop(waiting: waiting) else { break passes }
        let end = clock.now()
        guard message.outcome.outcome == .delivered else {
          // Safety: the answer brought the token back.
          unsafe settle(message.outcome, &result.account, &shared.pointer.pointee)
          continue
        }
        taken += 1
        if end &- begin > limit { break passes }
        if warmUp > 0, end &- begin < warmUpLimit {
          warmUp -= 1
          continue
        }
        var stamps = StageStamps()
        stamps.start = start
        stamps.passedSMMU = passage.time
        stamps.signalled = signalled
        stamps.woken = message.wokenAt
        stamps.injected = message.injectedAt
        stamps.seen = message.seenAt
        stamps.acknowledged = message.acknowledgedAt
        if passage.time != 0 { result.stageSet.insert(.smmu) }
        result.samples.append(
          Sample(stages: stamps.stages(clock), roundTrip: clock.nanoseconds(from: start, to: end)))
        if result.samples.count == options.interrupts { break passes }
      }
      if taken == 0 { break }
    }
    finish(result)
  }

  /// An interrupt that nobody will take: counts it, and clears one that was found pending, so that the
  /// next one of its vector is not coalesced too.
  @inlinable
  package func settle<Backend: TranslationBackend & ~Copyable>(
    _ outcome: Outcome, _ account: inout DeliveryAccount, _ backend: inout Backend
  ) {
    switch outcome.outcome {
    case .coalesced:
      account.coalesced &+= 1
      backend.acknowledge(.acknowledge(time: 0, target: outcome.target, intid: outcome.intid))
    case .masked: account.masked &+= 1
    default: if outcome.outcome.isLost { account.lost &+= 1 }
    }
  }
}
