public import EventModel
public import Measurement
public import RingBuffer

extension PacedSession {
  @inlinable
  package func runDevice<Backend: TranslationBackend & ~Copyable>(
    _ shared: PathSession.Shared<Backend>, _ events: [TraceEvent]
  ) {
    if let lane = lanes.first {
      var onward = lane.sender.take()
      serve(shared, events, settle.take()) { message in
        guard onward.push(message, waiting: SpinThenYieldWait(spins: spins)) else { return false }
        let errno = lane.signal()
        if errno != 0 { fail(errno) }
        return errno == 0
      }
      // The receiver wakes once more and finds the end.
      onward.close()
      _ = lane.signal()
    } else {
      serve(shared, events, raise.take()) { _ in true }
    }
  }

  /// The device thread's loop.
  ///
  /// - Parameters:
  ///   - back: to the sender: each interrupt that has no route to go on.
  ///   - pass: gives one that has a route to the next thread; false ends the run.
  @inlinable @inline(__always)
  func serve<Backend: TranslationBackend & ~Copyable>(
    _ shared: PathSession.Shared<Backend>, _ events: [TraceEvent],
    _ back: consuming RingProducer<Message>, pass: (Message) -> Bool
  ) {
    var back = back
    var requests = requests.take()
    var taken = taken.take()
    var pending = DevicePosition(events.count)
    var inFlight: UInt64 = 0
    var end = DeviceEnd()
    let isShared = !lanes.isEmpty
    guarded(isShared) { unsafe advance(&pending, events, &shared.pointer.pointee) }
    let allocations = AllocationCount()
    var excused: UInt64 = 0
    var waiting = SpinThenYieldWait(spins: spins)
    loop: while true {
      if let note = taken.tryPop() {
        inFlight &-= 1
        // What a coalesced one met will be taken, and acknowledged then, unless nothing is in flight: a
        // command made that pending, and nobody takes it.
        guard note.outcome == .delivered || (note.outcome == .coalesced && inFlight == 0) else {
          continue
        }
        // Safety: this thread owns the backend, or holds the lock.
        guarded(isShared) {
          unsafe shared.pointer.pointee.acknowledge(
            .acknowledge(time: 0, target: note.target, intid: note.intid))
        }
        continue
      }
      guard var message = requests.tryPop() else {
        if requests.isAtEnd { break }
        waiting.pause()
        continue
      }
      waiting = SpinThenYieldWait(spins: spins)
      message.taken = clock.nowOrdered()
      let event = events[pending.index]
      var passage = PassageMark(clock)
      // Safety: as above.
      let signal = guarded(isShared) {
        unsafe shared.pointer.pointee.signal(event, noting: &passage)
      }
      message.passedSMMU = passage.time
      message.signalled = clock.nowOrdered()
      if passage.time != 0 { end.notesPassage = true }
      inFlight &+= 1
      if signal.route != Signal.none {
        message.number = signal.route
        guard pass(message) else { break loop }
      } else {
        message.number = signal.outcome.intid
        message.target = signal.outcome.target
        message.outcome = signal.outcome.outcome
        guard back.push(message, waiting: SpinThenYieldWait(spins: spins)) else { break loop }
      }
      let before = AllocationCount()
      pending.step()
      // Safety: as above.
      guarded(isShared) { unsafe advance(&pending, events, &shared.pointer.pointee) }
      if pending.hasConfigured { excused &+= before.count ?? 0 }
    }
    end.allocations = allocations.count.map { $0 &- excused }
    finish(end)
  }

  /// Replays what lies before the next interrupt, from the start again behind the last event.
  @inlinable
  func advance<Backend: TranslationBackend & ~Copyable>(
    _ position: inout DevicePosition, _ events: [TraceEvent], _ backend: inout Backend
  ) {
    position.hasConfigured = false
    while events[position.index].kind != .msi {
      let event = events[position.index]
      backend.applyBetweenInterrupts(event)
      if event.kind.isSetUp || event.kind.isVCPU { position.hasConfigured = true }
      position.step()
    }
  }

  @inlinable @inline(__always)
  func guarded<Result>(_ isShared: Bool, _ body: () -> Result) -> Result {
    isShared ? lock.withLock(body) : body()
  }

  @inlinable
  package func runInjector<Backend: TranslationBackend & ~Copyable>(
    _ shared: PathSession.Shared<Backend>
  ) {
    guard let lane = lanes.last else { return }
    var arrived = lane.receiver.take()
    var raise = raise.take()
    while lane.wait() {
      while var message = arrived.tryPop() {
        message.woken = clock.nowOrdered()
        // Safety: under the lock.
        let outcome = lock.withLock {
          unsafe shared.pointer.pointee.inject(route: message.number)
        }
        message.number = outcome.intid
        message.target = outcome.target
        message.outcome = outcome.outcome
        message.injected = clock.nowOrdered()
        guard raise.push(message, waiting: SpinThenYieldWait(spins: spins)) else { return }
      }
      if arrived.isAtEnd { break }
    }
    raise.close()
  }

  /// The VMM's thread: from one eventfd to the next.
  @usableFromInline package func runRelay(_ hop: Int) {
    var arrived = lanes[hop].receiver.take()
    var onward = lanes[hop + 1].sender.take()
    relay: while lanes[hop].wait() {
      while let message = arrived.tryPop() {
        guard onward.push(message, waiting: SpinThenYieldWait(spins: spins)),
          lanes[hop + 1].signal() == 0
        else { break relay }
      }
      if arrived.isAtEnd { break }
    }
    onward.close()
    _ = lanes[hop + 1].signal()
  }
}

/// Where the device thread is in the trace.
@usableFromInline struct DevicePosition: Sendable {
  @usableFromInline private(set) var index = 0
  /// The last `advance` met set-up, which may allocate.
  @usableFromInline var hasConfigured = false
  private let count: Int

  @usableFromInline init(_ count: Int) { self.count = count }

  @usableFromInline mutating func step() {
    index += 1
    if index == count { index = 0 }
  }
}
