package import EventModel
package import Replay

/// What every toy design and its oracle agree on: a DMA at an IOVA reaches IOVA + 2^32, which a design
/// puts 2^40 higher; an MSI's data is its INTID; data 0xDEAD is unmapped. A pending interrupt coalesces.
package struct ToyMachine {
  package static let inputBase: UInt64 = 1 << 32
  package static let stage2: UInt64 = 1 << 40

  private var pending: Set<UInt32> = []
  package var masked: Set<UInt32> = []

  package mutating func outcome(_ event: TraceEvent, offset: UInt64) -> Outcome {
    guard event.kind == .msi else {
      return Outcome(address: event.iova + Self.inputBase + offset, outcome: .translated)
    }
    guard event.data != 0xDEAD else { return Outcome(outcome: .unmappedEvent) }
    let target = InterruptTarget.vpe(UInt16(event.deviceID & 0xFF))
    if masked.contains(event.data) {
      return Outcome(intid: event.data, target: target, outcome: .masked)
    }
    let isNew = pending.insert(event.data).inserted
    return Outcome(intid: event.data, target: target, outcome: isNew ? .delivered : .coalesced)
  }

  package mutating func acknowledge(_ event: TraceEvent) { pending.remove(event.intid) }
}

package struct ToyOracle: OutcomeOracle {
  private var machine = ToyMachine()
  package var isSilent = false

  package init() {}

  package mutating func apply(_ event: TraceEvent) -> Outcome? {
    if event.kind == .acknowledge { machine.acknowledge(event) }
    guard event.kind.isAccess, !isSilent else { return nil }
    return machine.outcome(event, offset: 0)
  }
  package func describe(_ event: TraceEvent) -> String { "toy table of device \(event.deviceID)" }
}

/// The toy design. `flaw` says what is wrong with it, from access `flawAt` on.
package struct ToyBackend: TranslationBackend, ~Copyable {
  package enum Flaw: CaseIterable, Sendable {
    case none
    case wrongAddress
    case wrongINTID
    case wrongTarget
    case losesInterrupts
    case inventsFault
    /// Answers an MSI with something that is no end of an interrupt.
    case unconserved
    /// Right in one piece, wrong in two.
    case wrongInjection
    /// Gives another answer in each backend, as one that depends on addresses of memory would.
    case unrepeatable
  }

  package var counters = WorkCounters()
  package let deliversThroughEventfd: Bool
  private var machine = ToyMachine()
  private let flaw: Flaw
  private let flawAt: UInt64
  private let salt: UInt64
  /// By route; several may be on their way at once.
  private var messages: [TraceEvent] = []
  /// Kinds in the order in which they were seen, if asked for.
  package var log: [EventKind] = []
  private let keepsLog: Bool

  package init(
    flaw: Flaw = .none, at flawAt: UInt64 = 0, eventfd: Bool = false, salt: UInt64 = 0,
    keepsLog: Bool = false
  ) {
    self.flaw = flaw
    self.flawAt = flawAt
    deliversThroughEventfd = eventfd
    self.salt = salt
    self.keepsLog = keepsLog
    messages.reserveCapacity(16)
  }

  private mutating func note(_ event: TraceEvent) { if keepsLog { log.append(event.kind) } }

  package mutating func configure(_ event: TraceEvent) {
    note(event)
    counters.itsCommands += 1
    if event.kind == .lpiConfiguration {
      if event.value & 1 == 0 {
        machine.masked.insert(event.intid)
      } else {
        machine.masked.remove(event.intid)
      }
    }
  }
  package mutating func maintain(_ event: TraceEvent) {
    note(event)
    counters.smmuCommands += 1
  }
  package mutating func acknowledge(_ event: TraceEvent) {
    note(event)
    machine.acknowledge(event)
  }
  package mutating func translate(_ event: TraceEvent) -> Outcome {
    note(event)
    return answer(event)
  }

  private mutating func answer(_ event: TraceEvent) -> Outcome {
    var outcome = machine.outcome(event, offset: ToyMachine.stage2)
    defer {
      counters.accesses += 1
      if event.kind == .msi { counters.interruptsOffered += 1 }
    }
    guard counters.accesses >= flawAt else { return outcome }
    let isMSI = event.kind == .msi
    switch flaw {
    case .wrongAddress where !isMSI: outcome.address ^= 0x1000
    case .wrongINTID where isMSI: outcome.intid ^= 1
    case .wrongTarget where isMSI: outcome.target = .pe(7)
    case .losesInterrupts where isMSI: outcome = Outcome(outcome: .unmappedCollection)
    case .inventsFault where !isMSI: outcome = Outcome(outcome: .smmuFault(0x10))
    case .unconserved where isMSI: outcome.outcome = .translated
    case .unrepeatable: outcome.address ^= salt
    default: break
    }
    return outcome
  }

  package mutating func signal(_ event: TraceEvent) -> Signal {
    guard deliversThroughEventfd else {
      var outcome = translate(event)
      if flaw == .wrongInjection { outcome.intid ^= 1 }
      return Signal(outcome: outcome)
    }
    messages.append(event)
    return Signal(outcome: Outcome(outcome: .delivered), route: UInt32(messages.count - 1))
  }
  package mutating func inject(route: UInt32) -> Outcome {
    var outcome = translate(messages[Int(route)])
    if flaw == .wrongInjection { outcome.intid ^= 1 }
    return outcome
  }
  package func physicalAddress(ofIntermediate intermediate: UInt64) -> UInt64 {
    intermediate + ToyMachine.stage2
  }
}

/// A small trace with every class of event: set-up, then rounds of map, DMA, MSI, acknowledge, unmap.
package func toyTrace(rounds: Int, devices: UInt32 = 2, acknowledged: Bool = true) -> [TraceEvent] {
  var events: [TraceEvent] = [.itsCommand(time: 0, 8), .itsCommand(time: 1, 9)]
  for round in 0..<rounds {
    let time = UInt64(round) * 10 + 10
    let device = UInt32(round) % devices
    let data = 8192 + device
    events.append(
      .map(
        time: time, streamID: device, asid: 0, iova: 0x1000, outputAddress: 0x2000,
        log2SizeBytes: 12, level: 3, granule: .kib4, descriptor: 3))
    for page in 0..<3 as Range<UInt64> {
      events.append(
        .dma(time: time + 1 + page, streamID: device, iova: page << 12 | UInt64(round) << 20))
    }
    events.append(
      .msi(
        time: time + 5, streamID: device, deviceID: device, address: 0x809_0040, data: data,
        vector: UInt16(device)))
    if acknowledged {
      events.append(
        .acknowledge(time: time + 6, target: .vpe(UInt16(device & 0xFF)), intid: data))
    }
    events.append(
      .unmap(
        time: time + 7, streamID: device, asid: 0, iova: 0x1000, log2SizeBytes: 12, level: 3,
        granule: .kib4))
    if round % 4 == 3 { events.append(.itsCommand(time: time + 8, 5)) }
  }
  return events
}
