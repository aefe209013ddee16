public import EventModel

/// What one pass over some events gave, kept so that no work can be optimised away.
@frozen
public struct PassTally: Sendable {
  public var accesses: UInt64 = 0
  public var interrupts: UInt64 = 0
  public var acknowledges: UInt64 = 0
  public var delivered: UInt64 = 0
  public var coalesced: UInt64 = 0
  public var masked: UInt64 = 0
  public var lost: UInt64 = 0
  /// Over address, INTID, target and class of every access, in order.
  public var digest: UInt64 = 0

  @inlinable public init() {}

  @inlinable public var isConserved: Bool { interrupts == delivered + coalesced + masked + lost }

  @inlinable
  public mutating func add(_ outcome: Outcome) {
    let word =
      outcome.address ^ UInt64(outcome.intid) &<< 40 ^ UInt64(outcome.target.rawValue) &<< 16
      ^ UInt64(outcome.outcome.rawValue)
    digest = (digest &<< 5 | digest &>> 59) ^ word
  }
}

/// The loop: gives each event to the method that it belongs to. Specialised in `Backends`, so that a
/// call through it costs nothing.
///
/// - Returns: nothing; `tally` is added to.
@inlinable
public func replay<Backend: TranslationBackend & ~Copyable>(
  _ events: UnsafeBufferPointer<TraceEvent>, through backend: inout Backend,
  _ tally: inout PassTally
) {
  var local = tally
  // Safety: the index stays below the buffer's count.
  for index in 0..<events.count {
    let event = unsafe events[index]
    switch event.kind {
    case .dma:
      local.accesses &+= 1
      local.add(backend.translate(event))
    case .msi:
      local.accesses &+= 1
      local.interrupts &+= 1
      let outcome = backend.translate(event)
      local.add(outcome)
      switch outcome.outcome {
      case .delivered: local.delivered &+= 1
      case .coalesced: local.coalesced &+= 1
      case .masked: local.masked &+= 1
      default: local.lost &+= 1
      }
    case .acknowledge:
      local.acknowledges &+= 1
      backend.acknowledge(event)
    case .map, .unmap, .smmuCommand:
      backend.maintain(event)
    default:
      if event.kind.isSetUp || event.kind.isVCPU { backend.configure(event) }
    }
  }
  tally = local
}
