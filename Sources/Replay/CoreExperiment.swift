public import EventModel
public import Measurement

/// The experiment `core`: what does translation cost? One thread, events already decoded.
///
/// The events are cut once, untimed, into stretches of one class (traffic, SMMU maintenance, set-up);
/// the clock is read only where one ends and the next begins, never per event (reading it costs more
/// than the event). So every figure is a mean over a whole pass, and a sample is a pass; warm passes over
/// a trace so short that one takes less than `sampleNanoseconds` make one sample together, or a second
/// of them would fill a record with millions. Set-up is always apart from delivery, which is traffic and
/// maintenance.
///
/// States. `cold`: the first pass of a fresh backend, whose tables and caches are empty and whose
/// memory was never touched. `warm`: a later pass; it begins with the tables and caches as the pass
/// before left them, which is what a device that is reset and configured again finds. `thrash`: a warm
/// pass that is stopped now and then to displace the processor's caches; only the first events after
/// each stop are timed. A design's own caches (its TLB, its translation cache) are tables in memory:
/// they are displaced with the rest, not emptied. To see them missing, run a backend that was made with
/// small ones.
@usableFromInline package struct CoreExperiment: Sendable {
  @usableFromInline package struct Options: Sendable {
    /// Fresh backends, each giving one cold pass.
    @usableFromInline package var coldPasses = 3
    /// Warm samples at least, and until `warmNanoseconds` have gone by.
    @usableFromInline package var warmSamples = 15
    @usableFromInline package var warmNanoseconds: UInt64 = 300_000_000
    /// The least time that the warm passes of a sample take together.
    @usableFromInline package var sampleNanoseconds: UInt64 = 100_000
    /// Warm passes in which maintenance is timed apart from traffic. Short stretches make the clock
    /// itself a part of what is timed: see `Pass.borders`.
    @usableFromInline package var trafficPasses = 3
    @usableFromInline package var thrashPasses = 3
    /// Passes for the processor's counters, of delivery only; untimed, because starting and stopping
    /// them are system calls.
    @usableFromInline package var counterPasses = 3
    @usableFromInline package var thrash = CoreThrash()
    /// Slows a stage on purpose, in every pass. Nil: nothing is slowed.
    @usableFromInline package var delay: InjectedDelay?
    @usableFromInline package init() {}
  }

  /// One pass, or several on end as one sample: times and borders are their sums.
  @usableFromInline package struct Pass: Sendable {
    @usableFromInline package var passes: UInt64 = 1
    /// Traffic and maintenance.
    @usableFromInline package var deliveryNanoseconds: UInt64 = 0
    @usableFromInline package var setUpNanoseconds: UInt64 = 0
    /// Times that the clock was read; each reading is part of the figures above.
    @usableFromInline package var borders: UInt64 = 0
    /// Of the first.
    @usableFromInline package var tally = PassTally()
    /// The others had the same outcomes.
    @usableFromInline var isUniform = true
    @usableFromInline init() {}

    /// Means over the passes.
    package var meanDelivery: Double { Double(deliveryNanoseconds) / Double(passes) }
    package var meanSetUp: Double { Double(setUpNanoseconds) / Double(passes) }

    @inlinable
    mutating func add(_ other: Pass) {
      passes &+= other.passes
      deliveryNanoseconds &+= other.deliveryNanoseconds
      setUpNanoseconds &+= other.setUpNanoseconds
      borders &+= other.borders
      isUniform =
        isUniform && other.tally.digest == tally.digest && other.tally.isConserved
    }
  }

  /// A pass in which traffic is timed apart.
  @usableFromInline package struct TrafficPass: Sendable {
    @usableFromInline package var trafficNanoseconds: UInt64
    @usableFromInline package var maintenanceNanoseconds: UInt64
    @usableFromInline package var borders: UInt64
    @usableFromInline
    init(trafficNanoseconds: UInt64, maintenanceNanoseconds: UInt64, borders: UInt64) {
      self.trafficNanoseconds = trafficNanoseconds
      self.maintenanceNanoseconds = maintenanceNanoseconds
      self.borders = borders
    }
  }

  @usableFromInline package struct Result: Sendable {
    @usableFromInline package var cold: [Pass] = []
    @usableFromInline package var warm: [Pass] = []
    @usableFromInline package var traffic: [TrafficPass] = []
    @usableFromInline package var thrash: [CoreThrash.Pass] = []
    /// Of all counter passes together; empty if there were none.
    @usableFromInline package var processorCounters: [ProcessorCounters.Reading] = []
    @usableFromInline package var counterPasses = 0
    @usableFromInline package var deliveryEvents: UInt64 = 0
    @usableFromInline package var setUpEvents: UInt64 = 0
    @usableFromInline package var trafficEvents: UInt64 = 0
    /// The work of one cold pass.
    @usableFromInline package var coldCounters = WorkCounters()
    /// Every cold pass gave the same outcomes and did the same work, every later pass gave the same
    /// outcomes, and every account held. If not, the figures are void.
    @usableFromInline package var isRepeatable = false
    @usableFromInline init() {}
  }

  @usableFromInline let events: [TraceEvent]
  @usableFromInline let stretches: [Stretch]
  /// The same, with traffic apart from maintenance.
  @usableFromInline let fineStretches: [Stretch]

  @usableFromInline package init(_ events: [TraceEvent]) {
    self.events = events
    fineStretches = Stretch.cut(events)
    stretches = Stretch.joinedByDelivery(fineStretches)
  }

  @inlinable
  package func run<Backend: TranslationBackend & ~Copyable>(
    _ options: Options, makeBackend: () -> Backend
  ) -> Result {
    var result = Result()
    var coldCounters: [WorkCounters] = []
    var laterTallies: [PassTally] = []
    let clock = CycleClock.shared
    for _ in 0..<max(1, options.coldPasses) {
      var backend = makeBackend()
      result.cold.append(pass(&backend, clock, options.delay))
      coldCounters.append(backend.counters)
    }
    var backend = makeBackend()
    _ = pass(&backend, clock, options.delay)
    _ = pass(&backend, clock, options.delay)
    let begin = clock.now()
    var now = begin
    while result.warm.count < options.warmSamples
      || clock.nanoseconds(from: begin, to: now) < options.warmNanoseconds
    {
      let start = now
      var sample = pass(&backend, clock, options.delay)
      now = clock.now()
      while clock.nanoseconds(from: start, to: now) < options.sampleNanoseconds {
        sample.add(pass(&backend, clock, options.delay))
        now = clock.now()
      }
      result.warm.append(sample)
    }
    for _ in 0..<options.trafficPasses {
      result.traffic.append(trafficPass(&backend, clock, options.delay, &laterTallies))
    }
    if options.thrashPasses > 0 {
      var displacer = CacheDisplacer(bytes: options.thrash.displacedBytes)
      for _ in 0..<options.thrashPasses {
        result.thrash.append(
          thrashPass(&backend, clock, options.thrash, &displacer, &laterTallies))
      }
    }
    if options.counterPasses > 0 {
      var counters = ProcessorCounters()
      // One pass says why, where nothing can be counted.
      result.counterPasses = counters.countsAnything ? options.counterPasses : 1
      for _ in 0..<result.counterPasses { counterPass(&backend, &counters, &laterTallies) }
      result.processorCounters = counters.readings()
    }
    conclude(&result, coldCounters, laterTallies)
    return result
  }

  @usableFromInline
  func conclude(
    _ result: inout Result, _ coldCounters: [WorkCounters], _ laterTallies: [PassTally]
  ) {
    for stretch in fineStretches {
      let count = UInt64(stretch.range.count)
      switch stretch.work {
      case .setUp: result.setUpEvents += count
      case .traffic: result.trafficEvents += count
      case .maintenance: break
      }
    }
    result.deliveryEvents = UInt64(events.count) - result.setUpEvents
    result.coldCounters = coldCounters.first ?? WorkCounters()
    let cold = result.cold.map(\.tally)
    let later = result.warm.map(\.tally) + laterTallies
    result.isRepeatable =
      Set(cold.map(\.digest)).count == 1 && Set(coldCounters).count == 1
      && Set(later.map(\.digest)).count <= 1 && (cold + later).allSatisfy(\.isConserved)
      && result.warm.allSatisfy(\.isUniform)
  }

  /// One timed pass. The clock is read once per border between stretches.
  @inlinable
  func pass<Backend: TranslationBackend & ~Copyable>(
    _ backend: inout Backend, _ clock: CycleClock, _ delay: InjectedDelay?
  ) -> Pass {
    var result = Pass()
    var ticks = StretchTicks()
    timeStretches(stretches, &backend, clock, delay, &result.tally, &ticks)
    result.borders = UInt64(stretches.count)
    result.deliveryNanoseconds = clock.nanoseconds(from: 0, to: ticks.traffic)
    result.setUpNanoseconds = clock.nanoseconds(from: 0, to: ticks.setUp)
    return result
  }

  @inlinable
  func trafficPass<Backend: TranslationBackend & ~Copyable>(
    _ backend: inout Backend, _ clock: CycleClock, _ delay: InjectedDelay?,
    _ tallies: inout [PassTally]
  ) -> TrafficPass {
    var tally = PassTally()
    var ticks = StretchTicks()
    timeStretches(fineStretches, &backend, clock, delay, &tally, &ticks)
    tallies.append(tally)
    return TrafficPass(
      trafficNanoseconds: clock.nanoseconds(from: 0, to: ticks.traffic),
      maintenanceNanoseconds: clock.nanoseconds(from: 0, to: ticks.maintenance),
      borders: UInt64(fineStretches.count))
  }

  /// A pass whose delivery is counted.
  @inlinable
  func counterPass<Backend: TranslationBackend & ~Copyable>(
    _ backend: inout Backend, _ counters: inout ProcessorCounters, _ tallies: inout [PassTally]
  ) {
    var tally = PassTally()
    // Safety: stretches lie within the array, whose storage lives during the call.
    unsafe events.withUnsafeBufferPointer { all in
      for stretch in stretches {
        if stretch.work != .setUp { counters.start() }
        unsafe replay(
          UnsafeBufferPointer(rebasing: all[stretch.range]), through: &backend, &tally)
        if stretch.work != .setUp { counters.stop() }
      }
    }
    tallies.append(tally)
  }

  @inlinable
  func timeStretches<Backend: TranslationBackend & ~Copyable>(
    _ stretches: [Stretch], _ backend: inout Backend, _ clock: CycleClock,
    _ delay: InjectedDelay?, _ tally: inout PassTally, _ ticks: inout StretchTicks
  ) {
    // Safety: stretches lie within the array, whose storage lives during the call.
    unsafe events.withUnsafeBufferPointer { all in
      var last = clock.now()
      for stretch in stretches {
        unsafe replay(
          UnsafeBufferPointer(rebasing: all[stretch.range]), through: &backend, &tally)
        var now = clock.now()
        if let delay, delay.covers(stretch.work) {
          now = delay.prolong(from: last, to: now, clock)
        }
        switch stretch.work {
        case .traffic: ticks.traffic &+= now &- last
        case .maintenance: ticks.maintenance &+= now &- last
        case .setUp: ticks.setUp &+= now &- last
        }
        last = now
      }
    }
  }
}

/// Time by class of work, in ticks.
@usableFromInline
struct StretchTicks {
  @usableFromInline var traffic: UInt64 = 0
  @usableFromInline var maintenance: UInt64 = 0
  @usableFromInline var setUp: UInt64 = 0
  @inlinable init() {}
}
