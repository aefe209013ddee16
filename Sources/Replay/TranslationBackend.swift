// Replay: who runs what, when, and on which thread. This file: the protocol of a design, which it owns.
//
// What it is: the loops over a design (`replay`), and the experiments that are made of them: `EqualityCheck`
// first, then core, path, paced, saturate, scale, pipeline and set-up, one type each.
// What it is not: it knows no table of any architecture and no file. Designs come to it (`Backends` conforms, and
// instantiates the loops); events come from an `EventSource`, answers to compare with from an `OutcomeOracle`.
//
//   var backend = MyBackend()                                  // in Backends: a concrete type
//   var tally = PassTally()
//   replay(events, through: &backend, &tally)                  // one pass, specialised for MyBackend
//
// Invariants: between the first and the last measured event nothing allocates, locks or calls through an
// existential; offered = delivered + coalesced + masked + lost, or the run is void; a time is taken between
// stretches of events, never for each, but in the experiments that are about single interrupts.
// Threads: every backend is used by one thread at a time; an experiment starts its threads, and they have
// ended when it returns. What crosses threads goes through a ring, an eventfd or a `HandOff`.

public import EventModel

/// A design as code: what the replay loop calls for each event.
///
/// `Replay` owns this protocol and the loops over it; `Backends` conforms, and instantiates the
/// loops where its internals are visible, so that a call costs nothing. A backend is used by one
/// thread at a time; the loops guarantee it.
///
/// No method throws: a fault is an `Outcome` and is counted.
public protocol TranslationBackend: ~Copyable, SendableMetatype {
  /// Everything done since creation. Exact and repeatable.
  var counters: WorkCounters { get }

  /// Whether `signal` hands an MSI over through an eventfd, to be injected by another thread.
  var deliversThroughEventfd: Bool { get }

  /// Set-up and vCPU events (kinds 0x20…0x3F). May allocate.
  mutating func configure(_ event: TraceEvent)

  /// SMMU maintenance: map, unmap, SMMU command (kinds 0x10…0x1F). Does not allocate on the heap.
  mutating func maintain(_ event: TraceEvent)

  /// A DMA access or an MSI, from the bus to the pending bit, in the calling thread.
  mutating func translate(_ event: TraceEvent) -> Outcome

  /// The guest took the interrupt: the pending state is cleared.
  mutating func acknowledge(_ event: TraceEvent)

  /// The first half of `translate` for an MSI, up to where the design leaves the device's thread.
  /// For hardware delivery that is the whole of it and `route` is nil.
  mutating func signal(_ event: TraceEvent) -> Signal

  /// `signal`, which notes when the device's write has passed the SMMU, if it does. For the stages of an
  /// interrupt; the reading costs more than the translation.
  mutating func signal(_ event: TraceEvent, noting passage: inout PassageMark) -> Signal

  /// The second half, in the thread that the eventfd woke: route → virtual translation → pending.
  mutating func inject(route: UInt32) -> Outcome

  /// Where the design puts what the guest sees at `intermediate` (stage 2). A recording's physical
  /// addresses are intermediate ones to a design.
  func physicalAddress(ofIntermediate intermediate: UInt64) -> UInt64

  /// Events of any kind, in order, each given to the method that it belongs to. A design to which a call
  /// is dear takes them in one; all others leave it to the loop.
  mutating func replay(_ events: UnsafeBufferPointer<TraceEvent>, _ tally: inout PassTally)
}

extension TranslationBackend where Self: ~Copyable {
  /// A design whose messages do not pass an SMMU notes nothing.
  @inlinable
  public mutating func signal(_ event: TraceEvent, noting passage: inout PassageMark) -> Signal {
    signal(event)
  }
}

/// What the device's side of a design gave for one MSI.
@frozen
public struct Signal: Sendable {
  /// Final if `route` is `Signal.none`, else the physical half (host INTID, doorbell address).
  public var outcome: Outcome
  /// Index of the eventfd to write, or `Signal.none`.
  public var route: UInt32
  @inlinable public init(outcome: Outcome, route: UInt32 = Signal.none) {
    self.outcome = outcome
    self.route = route
  }
  @inlinable public static var none: UInt32 { 0xFFFF_FFFF }
}
