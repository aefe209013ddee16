// Traffic records: DMA, MSI, acknowledge, end of interrupt.

extension TraceEvent {
  /// MSI-X entry index of an MSI whose source vector is unknown.
  @inlinable public static var unknownVector: UInt16 { 0xFFFF }

  /// dma, msi: the address that the device put on the bus.
  @inlinable public var iova: UInt64 { word0 }
  /// dma, msi: the physical address that the recording states (`addressRecorded`).
  @inlinable public var expectedAddress: UInt64 { word1 }
  /// dma, msi, map, unmap, streamConfiguration, msixTableWrite, msixControl.
  @inlinable public var streamID: UInt32 { UInt32(truncatingIfNeeded: word2) }
  /// msi, msixTableWrite, msixControl.
  @inlinable public var deviceID: UInt32 { UInt32(truncatingIfNeeded: word2 &>> 32) }
  /// dma with `substreamValid`.
  @inlinable public var substreamID: UInt32 { UInt32(truncatingIfNeeded: word2 &>> 32) }
  /// msi: the 32 bits of data, which an ITS takes as EventID.
  @inlinable public var data: UInt32 { UInt32(truncatingIfNeeded: word3) }
  /// dma: bytes accessed, 0 if unknown.
  @inlinable public var sizeBytes: UInt32 { UInt32(truncatingIfNeeded: word3) }
  /// msi: the INTID that the recording states (`interruptRecorded`).
  /// acknowledge, endOfInterrupt, lpiConfiguration: the INTID concerned.
  @inlinable public var intid: UInt32 { UInt32(truncatingIfNeeded: word3 &>> 32) }

  public static func dma(
    time: UInt64, streamID: UInt32, iova: UInt64, sizeBytes: UInt32 = 0, flags: EventFlags = [],
    expectedAddress: UInt64 = 0, outcome: OutcomeClass = .notRecorded,
    origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    TraceEvent(
      time: time, kind: .dma, word0: iova, word1: expectedAddress, word2: pack(streamID, 0),
      word3: pack(sizeBytes, 0), flags: flags, outcome: outcome, origin: origin)
  }

  public static func msi(
    time: UInt64, streamID: UInt32, deviceID: UInt32, address: UInt64, data: UInt32,
    vector: UInt16 = unknownVector, flags: EventFlags = .write, expectedAddress: UInt64 = 0,
    expectedINTID: UInt32 = 0, expectedTarget: InterruptTarget = .pe(0),
    outcome: OutcomeClass = .notRecorded, origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    TraceEvent(
      time: time, kind: .msi, word0: address, word1: expectedAddress,
      word2: pack(streamID, deviceID), word3: pack(data, expectedINTID), target: expectedTarget,
      vector: vector, flags: flags, outcome: outcome, origin: origin)
  }

  public static func acknowledge(
    time: UInt64, target: InterruptTarget, intid: UInt32, origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    TraceEvent(
      time: time, kind: .acknowledge, word3: pack(0, intid), target: target, origin: origin)
  }

  public static func endOfInterrupt(
    time: UInt64, target: InterruptTarget, intid: UInt32, origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    TraceEvent(
      time: time, kind: .endOfInterrupt, word3: pack(0, intid), target: target, origin: origin)
  }
}
