public import EventModel
public import Measurement

/// The experiment `set-up`: what does configuring cost? Configuration events only.
///
/// A pass is a fresh backend that is given every set-up event (kinds 0x20…0x3F) of the trace, timed over
/// whole stretches; SMMU maintenance between them is applied untimed, because a host that reads a guest's
/// messages needs the guest's mappings, and traffic is left out. So what a design puts off until the first
/// interrupt is not in this figure. Counters are of one pass and exact.
///
/// For a break-even the cost of one delivery is needed too. It is measured here, in the same process: the
/// whole trace, once as it is, and once with each delivered interrupt acknowledged and raised again
/// `repeats` times; the difference of two such passes over the number of extra interrupts. That is one
/// translation and one acknowledge in the calling thread: traps, system calls and wake-ups are counted
/// by the designs and cost nothing here.
@usableFromInline package struct SetUpExperiment: Sendable {
  @usableFromInline package struct Options: Sendable {
    @usableFromInline package var passes = 15
    @usableFromInline package var repeats = 64
    /// Extra interrupts of one pass at most.
    @usableFromInline package var extraLimit = 1_000_000
    @usableFromInline package init() {}
  }

  @usableFromInline package struct Result: Sendable {
    /// One per pass.
    @usableFromInline package var setUpNanoseconds: [UInt64] = []
    @usableFromInline package var counters = WorkCounters()
    /// Every pass did the same work.
    @usableFromInline package var isRepeatable = true
    @usableFromInline package var setUpEvents: UInt64 = 0
    /// One per pair of passes; empty if the trace delivers no interrupt.
    @usableFromInline package var deliveryNanoseconds: [Double] = []
    @usableFromInline init() {}
  }

  @usableFromInline let events: [TraceEvent]
  @usableFromInline let stretches: [Stretch]

  @usableFromInline package init(_ events: [TraceEvent]) {
    self.events = events
    stretches = Stretch.cut(events)
  }

  @inlinable
  package func run<Backend: TranslationBackend & ~Copyable>(
    _ options: Options, makeBackend: () -> Backend
  ) -> Result {
    var result = Result()
    let clock = CycleClock.shared
    for stretch in stretches where stretch.work == .setUp {
      result.setUpEvents += UInt64(stretch.range.count)
    }
    for pass in 0..<max(1, options.passes) {
      var backend = makeBackend()
      var counters = WorkCounters()
      let ticks = setUpPass(&backend, clock, &counters)
      result.setUpNanoseconds.append(clock.nanoseconds(from: 0, to: ticks))
      if pass == 0 { result.counters = counters }
      if counters != result.counters { result.isRepeatable = false }
    }
    var backend = makeBackend()
    let repeated = repeating(options, &backend)
    let extra = (repeated.count - events.count) / 2
    guard extra > 0 else { return result }
    for _ in 0..<max(1, options.passes) {
      let plain = timed(events, &backend, clock)
      let long = timed(repeated, &backend, clock)
      result.deliveryNanoseconds.append((long - plain) / Double(extra))
    }
    return result
  }

  @inlinable
  func setUpPass<Backend: TranslationBackend & ~Copyable>(
    _ backend: inout Backend, _ clock: CycleClock, _ counters: inout WorkCounters
  ) -> UInt64 {
    var ticks: UInt64 = 0
    for stretch in stretches {
      switch stretch.work {
      case .traffic: break
      case .maintenance:
        for index in stretch.range where events[index].kind.isMaintenance {
          backend.maintain(events[index])
        }
      case .setUp:
        let before = backend.counters
        let begin = clock.now()
        for index in stretch.range
        where events[index].kind.isSetUp || events[index].kind.isVCPU {
          backend.configure(events[index])
        }
        ticks &+= clock.now() &- begin
        counters = counters + (backend.counters - before)
      }
    }
    return ticks
  }

  /// The trace with each delivered interrupt acknowledged and raised again.
  @inlinable
  func repeating<Backend: TranslationBackend & ~Copyable>(
    _ options: Options, _ backend: inout Backend
  ) -> [TraceEvent] {
    var repeated: [TraceEvent] = []
    var left = options.extraLimit
    for event in events {
      repeated.append(event)
      switch event.kind {
      case .dma: _ = backend.translate(event)
      case .msi:
        let outcome = backend.translate(event)
        guard outcome.outcome == .delivered, left >= options.repeats else { continue }
        left -= options.repeats
        let acknowledge = TraceEvent(
          time: event.time, kind: .acknowledge, word3: UInt64(outcome.intid) << 32,
          target: outcome.target)
        for _ in 0..<options.repeats {
          repeated.append(acknowledge)
          repeated.append(event)
        }
      case .acknowledge: backend.acknowledge(event)
      case .map, .unmap, .smmuCommand: backend.maintain(event)
      default: if event.kind.isSetUp || event.kind.isVCPU { backend.configure(event) }
      }
    }
    return repeated
  }

  @inlinable
  func timed<Backend: TranslationBackend & ~Copyable>(
    _ events: [TraceEvent], _ backend: inout Backend, _ clock: CycleClock
  ) -> Double {
    var tally = PassTally()
    // Safety: the buffer is the array's for the time of the call.
    return unsafe events.withUnsafeBufferPointer { buffer in
      let begin = clock.now()
      unsafe replay(buffer, through: &backend, &tally)
      return Double(clock.nanoseconds(from: begin, to: clock.now()))
    }
  }
}
