package import EventModel

/// The proof before any timing: every access of a trace through oracle and backend.
///
/// A DMA access must reach `backend.physicalAddress(ofIntermediate:)` of the oracle's address, or end
/// in the same SMMU fault. An MSI must become the same interrupt (target, INTID, and delivered,
/// coalesced or masked alike), or be lost in both. Why it is lost may differ by design: where a guest
/// writes an address that is no doorbell, a trapping host finds no route and a device finds no page.
///
/// Each access is compared at its place in the trace, so interrupts of one source, which `translate`
/// makes pending before it returns, cannot change places unseen.
package struct EqualityCheck: Sendable {
  package struct Difference: Sendable, CustomStringConvertible {
    package var ordinal: UInt64
    package var event: TraceEvent
    package var against: String
    package var expected: Outcome
    package var found: Outcome
    package var context: String

    package var description: String {
      """
          event \(ordinal) at \(event.time) ns: \(event.kind) StreamID 0x\(hex(event.streamID)) \
      address 0x\(hex(event.iova)) data 0x\(hex(event.data))
            \(against): \(text(expected))
            backend: \(text(found))
      \(context)
      """
    }

    private func hex(_ value: some BinaryInteger) -> String { String(value, radix: 16) }
    private func text(_ outcome: Outcome) -> String {
      "\(outcome.outcome), address 0x\(hex(outcome.address)), INTID \(outcome.intid), "
        + "\(outcome.target)"
    }
  }

  package private(set) var accessesCompared: UInt64 = 0
  package private(set) var interruptsCompared: UInt64 = 0
  /// Accesses for which the recording states something.
  package private(set) var recordedCompared: UInt64 = 0
  package private(set) var firstDifference: Difference?
  package private(set) var firstRecordingDifference: Difference?
  package private(set) var differences: UInt64 = 0
  package private(set) var recordingDifferences: UInt64 = 0
  package private(set) var ledger = Ledger()
  package private(set) var setUpCounters = WorkCounters()
  package private(set) var deliveryCounters = WorkCounters()
  package private(set) var setUpEvents: UInt64 = 0
  package private(set) var events: UInt64 = 0
  package private(set) var tally = PassTally()

  package var conforms: Bool {
    differences == 0 && recordingDifferences == 0 && ledger.isConserved
  }

  /// How an MSI is given to the backend. The experiment `path` uses the halves.
  package enum Delivery: Sendable {
    /// `translate`
    case whole
    /// `signal`, then `inject` of the route that it gave, if it gave one
    case inHalves
  }

  /// Replays all of `events` once. Not timed.
  package init<Backend: TranslationBackend & ~Copyable>(
    _ source: [TraceEvent], oracle: inout some OutcomeOracle, backend: inout Backend,
    delivery: Delivery = .whole
  ) {
    for event in source { step(event, &oracle, &backend, delivery) }
    deliveryCounters = backend.counters - setUpCounters
  }

  /// Replays all of `source` once, from where it stands, in bounded memory. Not timed.
  package init<Backend: TranslationBackend & ~Copyable, Source: EventSource & ~Copyable>(
    reading source: inout Source, oracle: inout some OutcomeOracle, backend: inout Backend,
    delivery: Delivery = .whole
  ) throws {
    let batch = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: 4_096)
    defer { unsafe batch.deallocate() }
    while true {
      // Safety: the buffer lives until this function returns; the source says how much it filled.
      let count = unsafe try source.fill(batch)
      if count == 0 { break }
      for index in 0..<count { unsafe step(batch[index], &oracle, &backend, delivery) }
    }
    deliveryCounters = backend.counters - setUpCounters
  }

  private mutating func step<Backend: TranslationBackend & ~Copyable>(
    _ event: TraceEvent, _ oracle: inout some OutcomeOracle, _ backend: inout Backend,
    _ delivery: Delivery
  ) {
    defer { events += 1 }
    let expected = oracle.apply(event)
    switch event.kind {
    case .dma, .msi:
      let found: Outcome
      if event.kind == .dma {
        found = backend.translate(event)
        tally.addAccess(found)
      } else {
        found = Self.deliver(event, &backend, delivery)
        tally.addInterrupt(found)
        ledger.enter(event, found.outcome)
      }
      // An oracle without an answer proves nothing: that is a difference too.
      let answer = expected ?? Outcome(outcome: .notRecorded)
      let physical = backend.physicalAddress(ofIntermediate: answer.address)
      compare(event, answer, found, oracle, physical)
      compareWithRecording(event, answer, oracle)
    case .acknowledge:
      tally.acknowledges += 1
      backend.acknowledge(event)
    case .map, .unmap, .smmuCommand: backend.maintain(event)
    default:
      guard event.kind.isSetUp || event.kind.isVCPU else { return }
      setUpEvents += 1
      let before = backend.counters
      backend.configure(event)
      setUpCounters = setUpCounters + (backend.counters - before)
    }
  }

  private static func deliver<Backend: TranslationBackend & ~Copyable>(
    _ event: TraceEvent, _ backend: inout Backend, _ delivery: Delivery
  ) -> Outcome {
    guard delivery == .inHalves else { return backend.translate(event) }
    let signal = backend.signal(event)
    return signal.route == Signal.none ? signal.outcome : backend.inject(route: signal.route)
  }

  private mutating func compare(
    _ event: TraceEvent, _ expected: Outcome, _ found: Outcome, _ oracle: some OutcomeOracle,
    _ physical: UInt64
  ) {
    accessesCompared += 1
    let agrees: Bool
    if event.kind == .dma {
      agrees =
        found.outcome == expected.outcome
        && (expected.outcome != .translated || found.address == physical)
    } else {
      interruptsCompared += 1
      agrees =
        expected.outcome.isLost
        ? found.outcome.isLost
        : found.outcome == expected.outcome && found.intid == expected.intid
          && found.target == expected.target
    }
    guard !agrees else { return }
    differences += 1
    if firstDifference == nil {
      firstDifference = Difference(
        ordinal: events, event: event, against: "reference model", expected: expected,
        found: found, context: oracle.describe(event))
    }
  }

  /// The oracle against what the capture states. The backend equals the oracle, or was caught above.
  private mutating func compareWithRecording(
    _ event: TraceEvent, _ found: Outcome, _ oracle: some OutcomeOracle
  ) {
    guard let agrees = Self.agrees(event, found) else { return }
    recordedCompared += 1
    guard !agrees else { return }
    recordingDifferences += 1
    if firstRecordingDifference == nil {
      let recorded = Outcome(
        address: event.expectedAddress, intid: event.kind == .msi ? event.intid : 0,
        target: event.target, outcome: event.outcome)
      firstRecordingDifference = Difference(
        ordinal: events, event: event, against: "recording", expected: recorded, found: found,
        context: oracle.describe(event))
    }
  }

  /// Whether an outcome is what the recording states; nil if it states nothing.
  package static func agrees(_ event: TraceEvent, _ found: Outcome) -> Bool? {
    var states = false
    var agrees = true
    if event.flags.contains(.addressRecorded) {
      states = true
      agrees = found.address == event.expectedAddress
    }
    if event.flags.contains(.interruptRecorded) {
      states = true
      agrees = agrees && found.intid == event.intid && found.target == event.target
    }
    if event.outcome != .notRecorded {
      states = true
      // A recording does not tell a delivered interrupt from one that met a pending one.
      let isTaken = event.outcome == .delivered || event.outcome == .coalesced
      agrees =
        agrees
        && (isTaken
          ? !found.outcome.isLost && found.outcome != .translated : found.outcome == event.outcome)
    }
    return states ? agrees : nil
  }
}
