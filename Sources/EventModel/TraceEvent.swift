// EventModel: what an event, an outcome and a counter is. This file: the fixed-size trace record.
//
// What it is not: it holds no state and no rule of any architecture, and reads no file. Who gives a meaning to
// events is `ReferenceModel` and `TranslationCore`.
//
//   let event = TraceEvent.msixControl(
//     time: 0, streamID: 8, deviceID: 8, enabled: true, masked: false)
//   event.kind, event.streamID                  // named accessors; a word is never read as such elsewhere
//
// Invariants: the layout below is that of trace files, plug-ins and rings, and never changes within a
// version; numbers of kinds and outcomes are kept forever. Every bit pattern is a value: none traps.
// Threads: values only; any thread may use them.
//
// 48 bytes, naturally aligned, no padding, no pointers: it crosses rings by memory copy and is read
// by C. Seven stored words carry every kind; what a word means depends on `kind` and is reached
// through the named accessors of `TraceEvent+Access.swift` and `TraceEvent+Configuration.swift`.
//
//   byte  0  time     UInt64  nanoseconds in the trace's clock domain
//         8  word0    UInt64 ┐
//        16  word1    UInt64 │ 32 bytes of payload; for an ITS command exactly DW0…DW3
//        24  word2    UInt64 │
//        32  word3    UInt64 ┘
//        40  target   UInt16  InterruptTarget: expected target, or the CPU / vCPU concerned
//        42  vector   UInt16  MSI-X entry index (MSI, table write), else the recorded CPU
//        44  kind     UInt8   EventKind
//        45  flags    UInt8   EventFlags
//        46  outcome  UInt8   OutcomeClass that the recording states, 0 if it does not
//        47  origin   UInt8   EventOrigin
//
//   kind                  word0            word1             word2 (lo, hi)        word3 (lo, hi)
//   dma                   IOVA             PA expected       StreamID, SubstreamID size bytes, –
//   msi                   message address  PA expected       StreamID, DeviceID    data, INTID exp.
//   acknowledge, EOI      –                –                 –                     –, INTID
//   map                   IOVA             output address    StreamID, VMID<<16|ASID  geometry, attr
//   unmap                 IOVA             –                 StreamID, VMID<<16|ASID  geometry, –
//   smmuCommand           DW0              DW1               –                     –
//   streamConfiguration   TTB0             S2TTB             StreamID, VMID<<16|ASID  S1, S2 fields
//   itsCommand            DW0              DW1               DW2                   DW3
//   msixTableWrite        GPA of the write value             StreamID, DeviceID    byte offset, size
//   msixControl           –                –                 StreamID, DeviceID    enabled|masked<<1
//   lpiConfiguration      –                config byte       –                     –, INTID
//   itsRegisterWrite      register offset  value             –                     size bytes, –
//   redistributorWrite    register offset  value             –                     size bytes, –
//   vcpu*                 VPT address      –                 –                     from pCPU, to pCPU
//   mark                  number           –                 –                     –
//   loss                  count            –                 –                     –

/// One event of a trace. See the head of this file for the layout, which the trace format and the C
/// ABI rely on.
@frozen
public struct TraceEvent: Hashable, Sendable, BitwiseCopyable {
  /// Nanoseconds since the trace's epoch, in the clock domain that the trace header names.
  public var time: UInt64
  public var word0: UInt64
  public var word1: UInt64
  public var word2: UInt64
  public var word3: UInt64
  public var target: InterruptTarget
  public var vector: UInt16
  public var kind: EventKind
  public var flags: EventFlags
  public var outcome: OutcomeClass
  public var origin: EventOrigin

  @inlinable
  public init(
    time: UInt64, kind: EventKind, word0: UInt64 = 0, word1: UInt64 = 0, word2: UInt64 = 0,
    word3: UInt64 = 0, target: InterruptTarget = .pe(0), vector: UInt16 = 0,
    flags: EventFlags = [], outcome: OutcomeClass = .notRecorded, origin: EventOrigin = .synthetic
  ) {
    self.time = time
    self.word0 = word0
    self.word1 = word1
    self.word2 = word2
    self.word3 = word3
    self.target = target
    self.vector = vector
    self.kind = kind
    self.flags = flags
    self.outcome = outcome
    self.origin = origin
  }
}

/// Flags of a record. What the recording does not say is left clear.
@frozen
public struct EventFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// The access was a read / a write. Neither: the recording does not tell the direction.
  @inlinable public static var read: EventFlags { EventFlags(rawValue: 1 << 0) }
  @inlinable public static var write: EventFlags { EventFlags(rawValue: 1 << 1) }
  /// The permission that the recorded translation found.
  @inlinable public static var readable: EventFlags { EventFlags(rawValue: 1 << 2) }
  @inlinable public static var writable: EventFlags { EventFlags(rawValue: 1 << 3) }
  /// word1 holds the recorded physical address.
  @inlinable public static var addressRecorded: EventFlags { EventFlags(rawValue: 1 << 4) }
  /// The recorded INTID and target are valid.
  @inlinable public static var interruptRecorded: EventFlags { EventFlags(rawValue: 1 << 5) }
  /// word2's upper half is a SubstreamID (dma only).
  @inlinable public static var substreamValid: EventFlags { EventFlags(rawValue: 1 << 6) }
  /// Not in the capture: deduced by the importer (an unmap seen only by its invalidation, …).
  @inlinable public static var inferred: EventFlags { EventFlags(rawValue: 1 << 7) }
}

/// Who recorded the event: software on the host, the guest, an emulator, or nobody.
@frozen
public struct EventOrigin: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  @inlinable public static var synthetic: EventOrigin { EventOrigin(rawValue: 0) }
  @inlinable public static var emulator: EventOrigin { EventOrigin(rawValue: 1) }
  @inlinable public static var guest: EventOrigin { EventOrigin(rawValue: 2) }
  @inlinable public static var host: EventOrigin { EventOrigin(rawValue: 3) }
}

@inlinable
package func pack(_ low: UInt32, _ high: UInt32) -> UInt64 { UInt64(low) | UInt64(high) << 32 }
