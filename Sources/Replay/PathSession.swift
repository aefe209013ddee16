import CPlatform
package import EventModel
import Glibc
package import Measurement
package import RingBuffer
import Synchronization

/// The three threads of one `path` run and what lies between them.
package final class PathSession: Sendable {
  /// A backend that the threads use one after the other.
  @safe
  package struct Shared<Backend: TranslationBackend & ~Copyable>: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<Backend>
    package init(_ pointer: UnsafeMutablePointer<Backend>) { unsafe self.pointer = pointer }
  }

  /// From the thread that made an interrupt pending to the vCPU thread, and back.
  package struct Message: BitwiseCopyable, Sendable {
    package var outcome: Outcome
    package var wokenAt: UInt64 = 0
    package var injectedAt: UInt64 = 0
    package var seenAt: UInt64 = 0
    package init(_ outcome: Outcome) { self.outcome = outcome }
  }

  package struct Measured: Sendable {
    package var samples: [PathExperiment.Stages]
    package var lost: UInt64 = 0
    package var coalesced: UInt64 = 0
    package var errno: Int32 = 0
  }

  package let usesEventfd: Bool
  package let clock = CycleClock.shared
  package let descriptor: Int32
  /// The raising end: the injector's if there is an eventfd, else the device's.
  package let raise: HandOff<RingProducer<Message>>
  package let raised: HandOff<RingConsumer<Message>>
  package let answer: HandOff<RingProducer<Message>>
  package let answers: HandOff<RingConsumer<Message>>
  package let route: HandOff<RingProducer<UInt32>>
  package let routes: HandOff<RingConsumer<UInt32>>
  private let measured = Mutex<Measured?>(nil)
  private let placement = Mutex<[String]>([])

  package init(usesEventfd: Bool) throws(PathExperiment.Failure) {
    self.usesEventfd = usesEventfd
    descriptor = CPlatform_eventfd()
    let interrupts = SPSCRing<Message>(capacity: 16)
    let replies = SPSCRing<Message>(capacity: 16)
    let routing = SPSCRing<UInt32>(capacity: 16)
    raise = HandOff(interrupts.producer)
    raised = HandOff(interrupts.consumer)
    answer = HandOff(replies.producer)
    answers = HandOff(replies.consumer)
    route = HandOff(routing.producer)
    routes = HandOff(routing.consumer)
    guard descriptor >= 0 else { throw .eventfd(code: -descriptor) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Pins the calling thread and notes if that is not possible.
  package func place(_ name: String, _ index: Int) {
    if let reason = ThreadPlacement.pin(toAllowed: index) {
      placement.withLock { $0.append("\(name) thread not on a CPU of its own: \(reason)") }
    } else if index >= ThreadPlacement.allowedCPUs.count {
      placement.withLock { $0.append("\(name) thread shares a CPU") }
    }
  }

  package func finish(_ result: Measured) { measured.withLock { $0 = result } }

  package func result() throws(PathExperiment.Failure) -> PathExperiment.Result {
    let found = measured.withLock { $0 }
    guard let found, !found.samples.isEmpty else {
      if let code = found?.errno, code != 0 { throw .eventfd(code: code) }
      throw .noInterrupts
    }
    return PathExperiment.Result(
      samples: found.samples, lost: found.lost, coalesced: found.coalesced,
      placement: placement.withLock { $0.sorted() })
  }

  /// After a thread could not be started: lets those that run see the end of their streams.
  package func abandon() {
    raise.discard()
    answer.discard()
    route.discard()
    _ = CPlatform_eventfdSignal(descriptor)
  }

  // The bodies. With fewer CPUs than threads a spinning thread gives its CPU away.

  @inlinable
  package func runVCPU<Backend: TranslationBackend & ~Copyable>(_ shared: Shared<Backend>) {
    place("vCPU", 1)
    var raised = raised.take()
    var answer = answer.take()
    while var message = raised.pop(waiting: SpinThenYieldWait()) {
      message.seenAt = clock.now()
      if message.outcome.outcome == .delivered {
        // Safety: the raising thread waits for the answer and does not touch the backend.
        unsafe shared.pointer.pointee.acknowledge(
          .acknowledge(time: 0, target: message.outcome.target, intid: message.outcome.intid))
      }
      guard answer.push(message, waiting: SpinThenYieldWait()) else { break }
    }
    answer.close()
  }

  @inlinable
  package func runInjector<Backend: TranslationBackend & ~Copyable>(_ shared: Shared<Backend>) {
    guard usesEventfd else { return }
    place("injector", 2)
    var routes = routes.take()
    var raise = raise.take()
    while waitForSignal() {
      let wokenAt = clock.now()
      guard let route = routes.tryPop() else {
        if routes.isAtEnd { break }
        continue
      }
      // Safety: the device thread waits for the answer and does not touch the backend.
      var message = Message(unsafe shared.pointer.pointee.inject(route: route))
      message.wokenAt = wokenAt
      message.injectedAt = clock.now()
      guard raise.push(message, waiting: SpinThenYieldWait()) else { break }
    }
    raise.close()
  }

  package func waitForSignal() -> Bool {
    var count: UInt64 = 0
    // Safety: the pointer is valid for the call.
    return unsafe CPlatform_eventfdWait(descriptor, &count) == 0
  }

  package func signal() -> Int32 { CPlatform_eventfdSignal(descriptor) }

  @inlinable
  package func runDevice<Backend: TranslationBackend & ~Copyable>(
    _ shared: Shared<Backend>, _ experiment: PathExperiment
  ) {
    place("device", 0)
    if usesEventfd {
      var route = route.take()
      drive(shared, experiment) { _, signal in
        guard route.tryPush(signal.route) else { return EAGAIN }
        return self.signal()
      }
      // The injector wakes once more and finds the end of the routes.
      route.close()
      _ = signal()
    } else {
      var raise = raise.take()
      drive(shared, experiment) { message, _ in raise.tryPush(message) ? 0 : EAGAIN }
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
    var result = Measured(samples: [])
    result.samples.reserveCapacity(options.interrupts)
    var warmUp = options.warmUpInterrupts
    let begin = clock.now()
    let limit = clock.ticks(nanoseconds: options.limitNanoseconds)
    passes: while result.samples.count < options.interrupts {
      var taken = 0
      for event in experiment.events {
        // Safety: no message is out, so this thread alone uses the backend.
        switch event.kind {
        case .msi: break
        case .dma:
          _ = unsafe shared.pointer.pointee.translate(event)
          continue
        case .map, .unmap, .smmuCommand:
          unsafe shared.pointer.pointee.maintain(event)
          continue
        default:
          if event.kind.isSetUp || event.kind.isVCPU {
            unsafe shared.pointer.pointee.configure(event)
          }
          continue
        }
        let start = clock.now()
        // Safety: as above.
        let signal = unsafe shared.pointer.pointee.signal(event)
        let signalled = clock.now()
        if signal.route == Signal.none {
          guard signal.outcome.outcome == .delivered else {
            if signal.outcome.outcome == .coalesced {
              result.coalesced += 1
            } else {
              result.lost += 1
            }
            continue
          }
        }
        result.errno = handOver(Message(signal.outcome), signal)
        guard result.errno == 0, let message = answers.pop(waiting: SpinThenYieldWait()) else {
          break passes
        }
        let end = clock.now()
        guard message.outcome.outcome == .delivered else {
          if message.outcome.outcome == .coalesced {
            result.coalesced += 1
          } else {
            result.lost += 1
          }
          continue
        }
        taken += 1
        if warmUp > 0 {
          warmUp -= 1
          continue
        }
        var stages = PathExperiment.Stages()
        stages.translate = clock.nanoseconds(from: start, to: signalled)
        var last = signalled
        if usesEventfd {
          stages.wakeUp = clock.nanoseconds(from: last, to: message.wokenAt)
          stages.inject = clock.nanoseconds(from: message.wokenAt, to: message.injectedAt)
          last = message.injectedAt
        }
        stages.notify = clock.nanoseconds(from: last, to: message.seenAt)
        stages.acknowledge = clock.nanoseconds(from: message.seenAt, to: end)
        result.samples.append(stages)
        if result.samples.count == options.interrupts || end &- begin > limit { break passes }
      }
      if taken == 0 { break }
    }
    finish(result)
  }
}
