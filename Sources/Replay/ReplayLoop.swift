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

  /// False if an interrupt ended as something that is no end of an interrupt.
  @inlinable public var isConserved: Bool { interrupts == delivered + coalesced + masked + lost }

  /// One answer to a DMA access.
  @inlinable
  public mutating func addAccess(_ outcome: Outcome) {
    accesses &+= 1
    add(outcome)
  }

  /// One answer to an MSI.
  @inlinable
  public mutating func addInterrupt(_ outcome: Outcome) {
    interrupts &+= 1
    addAccess(outcome)
    switch outcome.outcome {
    case .delivered: delivered &+= 1
    case .coalesced: coalesced &+= 1
    case .masked: masked &+= 1
    default: if outcome.outcome.isLost { lost &+= 1 }
    }
  }

  @inlinable
  mutating func add(_ outcome: Outcome) { digest = Self.extend(digest, by: outcome) }

  /// A polynomial in an odd number over the words of all outcomes. The multiplication makes each
  /// place count differently, so that two outcomes cannot change places, nor two equal errors cancel
  /// out. One multiplication and one addition depend on the outcome before.
  @inlinable @inline(__always)
  package static func extend(_ digest: UInt64, by outcome: Outcome) -> UInt64 {
    let interrupt =
      UInt64(outcome.intid) &<< 32 | UInt64(outcome.target.rawValue) &<< 16
      | UInt64(outcome.outcome.rawValue) &<< 8 | UInt64(outcome.flags)
    // The constants are splitmix64's increment and first multiplier (odd, about half their bits set).
    let word = (outcome.address ^ interrupt &* 0x9E37_79B9_7F4A_7C15)
    return digest &* 0xBF58_476D_1CE4_E5B9 &+ (word ^ word &>> 32)
  }
}

/// Gives each event of a buffer to the method that it belongs to. Specialised in `Backends`, so that a
/// call through it costs nothing.
///
/// - Parameter tally: added to.
@inlinable
public func replay<Backend: TranslationBackend & ~Copyable>(
  _ events: UnsafeBufferPointer<TraceEvent>, through backend: inout Backend,
  _ tally: inout PassTally
) {
  // Safety: the buffer is the caller's for the time of the call.
  unsafe backend.replay(events, &tally)
}

extension TranslationBackend where Self: ~Copyable {
  /// The loop.
  ///
  /// A DMA access, the commonest event by far, is answered in the loop, whose state is four registers:
  /// position, end, digest, count. Everything else is out of line, so that it takes none of them.
  @inlinable
  public mutating func replay(
    _ events: UnsafeBufferPointer<TraceEvent>, _ tally: inout PassTally
  ) {
    guard var event = events.baseAddress else { return }
    // Safety: from the first to behind the last event of the buffer. Fields are read where they are
    // used, so that a record is not copied before its kind is known.
    let end = unsafe event + events.count
    var digest = tally.digest
    var accesses: UInt64 = 0
    while unsafe event < end {
      let kind = unsafe event.pointee.kind
      if kind == .dma {
        accesses &+= 1
        digest = unsafe PassTally.extend(digest, by: translate(event.pointee))
      } else if kind.isMaintenance {
        unsafe Replay.maintain(event, &self)
      } else {
        unsafe digest = handle(event, digest, &self, &tally)
      }
      unsafe event += 1
    }
    tally.digest = digest
    tally.accesses &+= accesses
  }
}

@inlinable @inline(never)
func maintain<Backend: TranslationBackend & ~Copyable>(
  _ event: UnsafePointer<TraceEvent>, _ backend: inout Backend
) {
  // Safety: the caller's pointer is that of an event in its buffer.
  unsafe backend.maintain(event.pointee)
}

/// What is neither DMA nor maintenance. Takes the digest and returns it.
@inlinable @inline(never)
func handle<Backend: TranslationBackend & ~Copyable>(
  _ event: UnsafePointer<TraceEvent>, _ digest: UInt64, _ backend: inout Backend,
  _ tally: inout PassTally
) -> UInt64 {
  // Safety: as `maintain`.
  let kind = unsafe event.pointee.kind
  if kind == .msi {
    tally.digest = digest
    unsafe tally.addInterrupt(backend.translate(event.pointee))
    return tally.digest
  }
  if kind == .acknowledge {
    tally.acknowledges &+= 1
    unsafe backend.acknowledge(event.pointee)
  } else if kind.isSetUp || kind.isVCPU {
    unsafe configure(event, &backend)
  }
  return digest
}

@inlinable @inline(never)
func configure<Backend: TranslationBackend & ~Copyable>(
  _ event: UnsafePointer<TraceEvent>, _ backend: inout Backend
) {
  // Safety: as `maintain`.
  unsafe backend.configure(event.pointee)
}
