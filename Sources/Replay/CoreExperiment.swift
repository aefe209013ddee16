package import EventModel
package import Measurement

/// The experiment `core`: what does translation cost? One thread, events already decoded.
///
/// The events are cut once, untimed, into alternating stretches of delivery (traffic and SMMU
/// maintenance) and set-up; the clock is read only where one ends and the next begins, never per event
/// (reading it costs more than the event). So every figure is a mean over a whole pass, and a sample is
/// a pass. The first pass of a fresh backend is `cold`; the later ones begin with the tables and caches
/// as the pass before left them and are `warm`.
package struct CoreExperiment: Sendable {
  package struct Options: Sendable {
    /// Fresh backends, each giving one cold pass.
    package var coldPasses = 3
    /// Warm passes at least, and until `warmNanoseconds` have gone by.
    package var warmPasses = 15
    package var warmNanoseconds: UInt64 = 300_000_000
    package init() {}
  }

  /// One pass.
  package struct Pass: Sendable {
    package var deliveryNanoseconds: UInt64 = 0
    package var setUpNanoseconds: UInt64 = 0
    package var tally = PassTally()
    @usableFromInline init() {}
  }

  package struct Result: Sendable {
    package var cold: [Pass]
    package var warm: [Pass]
    package var deliveryEvents: UInt64
    package var setUpEvents: UInt64
    /// Every cold pass gave the same outcomes, and so did every warm one, and every account held.
    package var isRepeatable: Bool
    @usableFromInline
    init(
      cold: [Pass], warm: [Pass], deliveryEvents: UInt64, setUpEvents: UInt64, isRepeatable: Bool
    ) {
      self.cold = cold
      self.warm = warm
      self.deliveryEvents = deliveryEvents
      self.setUpEvents = setUpEvents
      self.isRepeatable = isRepeatable
    }
  }

  /// A stretch of events of one class.
  @usableFromInline
  struct Stretch: Sendable {
    @usableFromInline var range: Range<Int>
    @usableFromInline var isSetUp: Bool
  }

  @usableFromInline let events: [TraceEvent]
  @usableFromInline let stretches: [Stretch]

  package init(_ events: [TraceEvent]) {
    self.events = events
    var stretches: [Stretch] = []
    var start = 0
    for index in events.indices {
      let isSetUp = Self.isSetUp(events[index])
      if index > start, Self.isSetUp(events[start]) != isSetUp {
        stretches.append(Stretch(range: start..<index, isSetUp: !isSetUp))
        start = index
      }
    }
    if start < events.count {
      stretches.append(
        Stretch(range: start..<events.count, isSetUp: Self.isSetUp(events[start])))
    }
    self.stretches = stretches
  }

  private static func isSetUp(_ event: TraceEvent) -> Bool {
    event.kind.isSetUp || event.kind.isVCPU
  }

  @inlinable
  package func run<Backend: TranslationBackend & ~Copyable>(
    _ options: Options, makeBackend: () -> Backend
  ) -> Result {
    var cold: [Pass] = []
    var warm: [Pass] = []
    let clock = CycleClock.shared
    for _ in 0..<max(1, options.coldPasses) {
      var backend = makeBackend()
      cold.append(pass(&backend, clock))
    }
    var backend = makeBackend()
    _ = pass(&backend, clock)
    _ = pass(&backend, clock)
    let begin = clock.now()
    while warm.count < options.warmPasses
      || clock.nanoseconds(from: begin, to: clock.now()) < options.warmNanoseconds
    {
      warm.append(pass(&backend, clock))
    }
    return result(cold: cold, warm: warm)
  }

  @usableFromInline
  func result(cold: [Pass], warm: [Pass]) -> Result {
    let setUp = stretches.filter(\.isSetUp).reduce(0) { $0 + $1.range.count }
    return Result(
      cold: cold, warm: warm, deliveryEvents: UInt64(events.count - setUp),
      setUpEvents: UInt64(setUp),
      isRepeatable: Set(cold.map(\.tally.digest)).count == 1
        && Set(warm.map(\.tally.digest)).count <= 1
        && (cold + warm).allSatisfy(\.tally.isConserved))
  }

  /// One timed pass. The clock is read once per border between stretches.
  @inlinable
  func pass<Backend: TranslationBackend & ~Copyable>(
    _ backend: inout Backend, _ clock: CycleClock
  ) -> Pass {
    var result = Pass()
    var tally = PassTally()
    var deliveryTicks: UInt64 = 0
    var setUpTicks: UInt64 = 0
    // Safety: stretches lie within the array, whose storage lives during the call.
    unsafe events.withUnsafeBufferPointer { all in
      var last = clock.now()
      for stretch in stretches {
        unsafe replay(
          UnsafeBufferPointer(rebasing: all[stretch.range]), through: &backend, &tally)
        let now = clock.now()
        if stretch.isSetUp { setUpTicks &+= now &- last } else { deliveryTicks &+= now &- last }
        last = now
      }
    }
    result.tally = tally
    result.deliveryNanoseconds = clock.nanoseconds(from: 0, to: deliveryTicks)
    result.setUpNanoseconds = clock.nanoseconds(from: 0, to: setUpTicks)
    return result
  }
}
