public import EventModel
public import Measurement

/// What one delivery costs over the way between two CPUs alone: translate, one cache line to the vCPU thread,
/// one back, and the pending bit cleared by the device thread, which owns it. No stage is stamped: of an
/// interrupt there are two readings of the clock, and one of them belongs to the next.
///
/// Block by block the same two threads pass a word to and fro with nothing else. The ratio of the two medians
/// is what a design adds, whatever the host does to both.
///
/// For designs that deliver without an eventfd. DMA and everything else of the trace is applied between
/// interrupts, unmeasured.
@usableFromInline package struct RoundTrip: Sendable {
  @usableFromInline package struct Result: Sendable {
    @usableFromInline package var delivery = LatencyHistogram()
    /// The cache line there and back, by the same threads.
    @usableFromInline package var line = LatencyHistogram()
    @usableFromInline package var account = DeliveryAccount()
    package var placement: [String] = []
    @usableFromInline init() {}

    @usableFromInline mutating func keep(
      _ delivery: borrowing LatencyRecorder, _ line: borrowing LatencyRecorder
    ) {
      self.delivery = delivery.histogram
      self.line = line.histogram
    }

    /// The medians' ratio; nil without samples.
    package var ratio: Double? {
      let bare = line.percentile(50)
      return bare == 0 || delivery.count == 0
        ? nil : Double(delivery.percentile(50)) / Double(bare)
    }
  }

  /// Interrupts, and bare exchanges, of one block.
  @usableFromInline static var block: Int { 250 }

  @usableFromInline let events: [TraceEvent]
  @usableFromInline let interrupts: Int

  @usableFromInline package init(_ events: [TraceEvent], interrupts: Int) {
    self.events = events
    self.interrupts = interrupts
  }

  @inlinable
  package func run<Backend: TranslationBackend & ~Copyable>(
    through backend: inout Backend
  ) throws(WorkerThreadError) -> Result {
    precondition(!backend.deliversThroughEventfd, "an eventfd is no cache line")
    let mailbox = Mailbox()
    let partner = try startPartner(mailbox)
    var result = Result()
    pin(&result)
    drive(&backend, mailbox, &result)
    // The last message of all: the partner ends.
    mailbox.exchange(.max)
    finish(partner, &result)
    return result
  }

  @usableFromInline func startPartner(_ mailbox: Mailbox) throws(WorkerThreadError) -> WorkerThread
  {
    try WorkerThread("vCPU", onCPU: 1) {
      var last = Mailbox.none
      while last != .max { last = mailbox.answer(after: last) }
    }
  }

  @usableFromInline func pin(_ result: inout Result) {
    if let reason = ThreadPlacement.pin(toAllowed: 0) {
      result.placement.append("device thread not on a CPU of its own: \(reason)")
    }
  }

  @usableFromInline func finish(_ partner: WorkerThread, _ result: inout Result) {
    if let reason = partner.join() { result.placement.append(reason) }
    ThreadPlacement.unpin()
  }

  @inlinable @inline(__always)
  func drive<Backend: TranslationBackend & ~Copyable>(
    _ backend: inout Backend, _ mailbox: Mailbox, _ result: inout Result
  ) {
    let clock = CycleClock.shared
    var delivery = LatencyRecorder()
    var line = LatencyRecorder()
    var turn: UInt64 = 0
    var left = interrupts
    var untilBare = 0
    while left > 0 {
      let before = left
      for event in events {
        guard event.kind == .msi else {
          backend.applyBetweenInterrupts(event)
          continue
        }
        if untilBare == 0 {
          exchange(mailbox, &turn, &line)
          untilBare = Self.block
        }
        result.account.offered &+= 1
        let start = clock.now()
        let outcome = backend.translate(event)
        if outcome.outcome == .delivered {
          // INTID, target, and a count by which no word is the one before.
          turn = (turn &+ 1) & 0x7FFF
          mailbox.exchange(
            UInt64(outcome.intid) &<< 32 | UInt64(outcome.target.rawValue) &<< 16 | turn | 0x8000)
        }
        let acknowledge = TraceEvent.acknowledge(
          time: 0, target: outcome.target, intid: outcome.intid)
        if outcome.outcome == .delivered || outcome.outcome == .coalesced {
          backend.acknowledge(acknowledge)
        }
        let end = clock.now()
        result.account.settle(outcome.outcome)
        guard outcome.outcome == .delivered else { continue }
        delivery.record(clock.nanoseconds(from: start, to: end))
        untilBare -= 1
        left -= 1
        if left == 0 { break }
      }
      // A trace that delivers nothing has no figure.
      if left == before { break }
    }
    result.keep(delivery, line)
  }

  /// A block of bare exchanges.
  @usableFromInline
  func exchange(_ mailbox: Mailbox, _ turn: inout UInt64, _ line: inout LatencyRecorder) {
    let clock = CycleClock.shared
    for _ in 0..<Self.block {
      let start = clock.now()
      turn = (turn &+ 1) & 0x7FFF
      mailbox.exchange(turn | 0x8000)
      line.record(clock.nanoseconds(from: start, to: clock.now()))
    }
  }
}

extension TranslationBackend where Self: ~Copyable {
  /// Everything but interrupts and their recorded acknowledges.
  @inlinable
  mutating func applyBetweenInterrupts(_ event: TraceEvent) {
    switch event.kind {
    case .dma: _ = translate(event)
    case .map, .unmap, .smmuCommand: maintain(event)
    default: if event.kind.isSetUp || event.kind.isVCPU { configure(event) }
    }
  }
}
