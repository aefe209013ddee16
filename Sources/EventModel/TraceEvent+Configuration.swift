// Configuration records: mappings, stream configuration, commands, MSI-X table writes.

/// The translation granule by its TLBI `TG` encoding (IHI 0070, §4.4.1.1).
@frozen
public enum Granule: UInt8, Sendable, Hashable {
  case kib4 = 1
  case kib16 = 2
  case kib64 = 3
  @inlinable public var log2Bytes: UInt32 { UInt32(rawValue) * 2 + 10 }
}

extension TraceEvent {
  /// map, unmap, streamConfiguration: the address-space identifiers.
  @inlinable public var asid: UInt16 { UInt16(truncatingIfNeeded: word2 &>> 32) }
  @inlinable public var vmid: UInt16 { UInt16(truncatingIfNeeded: word2 &>> 48) }

  /// map: the output address of the leaf (a page or a block base).
  @inlinable public var outputAddress: UInt64 { word1 }
  /// map, unmap: log2 of the bytes covered. word3 bits 7:0.
  @inlinable public var log2SizeBytes: UInt32 { UInt32(truncatingIfNeeded: word3 & 0xFF) }
  /// map, unmap: the level of the leaf. word3 bits 11:8.
  @inlinable public var level: UInt32 { UInt32(truncatingIfNeeded: (word3 &>> 8) & 0xF) }
  /// map, unmap: the granule's TG code. word3 bits 15:12.
  @inlinable public var granuleCode: UInt8 { UInt8(truncatingIfNeeded: (word3 &>> 12) & 0xF) }
  /// map, unmap: translation stage, 1 or 2. word3 bits 17:16.
  @inlinable public var stage: UInt32 { UInt32(truncatingIfNeeded: (word3 &>> 16) & 0x3) }
  /// map: the leaf descriptor's attribute bits. Descriptor bits 11:0 in word3 bits 43:32 and
  /// descriptor bits 63:50 in word3 bits 61:48.
  @inlinable public var leafAttributes: UInt64 {
    let field = word3 &>> 32
    return (field & 0xFFF) | ((field &>> 16) & 0x3FFF) &<< 50
  }
  /// map: the leaf descriptor as it stands in memory (VMSAv8-64, Arm ARM D8.3), 48-bit addresses.
  @inlinable public var leafDescriptor: UInt64 {
    leafAttributes | (outputAddress & 0x0000_FFFF_FFFF_F000)
  }

  /// - Parameter descriptor: the leaf descriptor, of which only the attribute bits are kept.
  public static func map(
    time: UInt64, streamID: UInt32, asid: UInt16, vmid: UInt16 = 0, iova: UInt64,
    outputAddress: UInt64, log2SizeBytes: UInt32, level: UInt32, granule: Granule,
    stage: UInt32 = 1, descriptor: UInt64, flags: EventFlags = [], origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    let attributes = (descriptor & 0xFFF) | ((descriptor >> 50) & 0x3FFF) << 16
    return TraceEvent(
      time: time, kind: .map, word0: iova, word1: outputAddress,
      word2: pack(streamID, UInt32(vmid) << 16 | UInt32(asid)),
      word3: leafGeometry(log2SizeBytes, level, granule, stage) | attributes << 32,
      flags: flags, origin: origin)
  }

  public static func unmap(
    time: UInt64, streamID: UInt32, asid: UInt16, vmid: UInt16 = 0, iova: UInt64,
    log2SizeBytes: UInt32, level: UInt32, granule: Granule, stage: UInt32 = 1,
    flags: EventFlags = [], origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    TraceEvent(
      time: time, kind: .unmap, word0: iova,
      word2: pack(streamID, UInt32(vmid) << 16 | UInt32(asid)),
      word3: leafGeometry(log2SizeBytes, level, granule, stage), flags: flags, origin: origin)
  }

  private static func leafGeometry(
    _ log2SizeBytes: UInt32, _ level: UInt32, _ granule: Granule, _ stage: UInt32
  ) -> UInt64 {
    UInt64(log2SizeBytes & 0xFF) | UInt64(level & 0xF) << 8 | UInt64(granule.rawValue) << 12
      | UInt64(stage & 3) << 16
  }

  public static func smmuCommand(
    time: UInt64, _ dword0: UInt64, _ dword1: UInt64, origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    TraceEvent(time: time, kind: .smmuCommand, word0: dword0, word1: dword1, origin: origin)
  }

  public static func itsCommand(
    time: UInt64, _ dword0: UInt64, _ dword1: UInt64 = 0, _ dword2: UInt64 = 0,
    _ dword3: UInt64 = 0, origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    TraceEvent(
      time: time, kind: .itsCommand, word0: dword0, word1: dword1, word2: dword2, word3: dword3,
      origin: origin)
  }

  /// - Parameters:
  ///   - offset: bytes from the start of the MSI-X table: entry × 16 + {0, 4, 8, 12}.
  ///   - deviceID: `unknownDevice` when the recording names no owner.
  public static func msixTableWrite(
    time: UInt64, streamID: UInt32, deviceID: UInt32, gpa: UInt64, offset: UInt32, value: UInt64,
    sizeBytes: UInt32 = 4, flags: EventFlags = [], origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    TraceEvent(
      time: time, kind: .msixTableWrite, word0: gpa, word1: value, word2: pack(streamID, deviceID),
      word3: pack(offset, sizeBytes), vector: UInt16(truncatingIfNeeded: offset / 16),
      flags: flags, origin: origin)
  }

  /// msixTableWrite, msixControl: no owner known.
  @inlinable public static var unknownDevice: UInt32 { 0xFFFF_FFFF }

  public static func msixControl(
    time: UInt64, streamID: UInt32, deviceID: UInt32, enabled: Bool, masked: Bool,
    origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    TraceEvent(
      time: time, kind: .msixControl, word2: pack(streamID, deviceID),
      word3: (enabled ? 1 : 0) | (masked ? 2 : 0), origin: origin)
  }

  /// msixTableWrite: byte offset in the table, and which of the entry's four words it is.
  @inlinable public var tableOffset: UInt32 { UInt32(truncatingIfNeeded: word3) }
  /// msixTableWrite, itsRegisterWrite, redistributorWrite: the value stored.
  @inlinable public var value: UInt64 { word1 }
  /// itsRegisterWrite, redistributorWrite: offset in the frame.
  @inlinable public var registerOffset: UInt64 { word0 }
}

/// The stream table entry and context descriptor of a stream, as far as a recording reveals them.
/// It travels in a `streamConfiguration` record.
public struct StreamConfiguration: Hashable, Sendable {
  /// STE.Config (IHI 0070, §5.2): 0 abort, 4 bypass, 5 stage 1, 6 stage 2, 7 nested.
  public var config: UInt8 = 5
  public var asid: UInt16 = 0
  public var vmid: UInt16 = 0
  /// CD.TTB0 and STE.S2TTB.
  public var ttb0: UInt64 = 0
  public var s2ttb: UInt64 = 0
  /// Stage 1: CD.T0SZ, granule, CD.IPS code.
  public var t0sz: UInt8 = 16
  public var granule: Granule = .kib4
  public var ips: UInt8 = 5
  /// Stage 2: STE.S2T0SZ, S2SL0, granule, S2PS code. Only with config 6 and 7.
  public var s2t0sz: UInt8 = 0
  public var s2sl0: UInt8 = 0
  public var s2granule: Granule = .kib4
  public var s2ps: UInt8 = 0
  public init() {}

  // word3, low half: T0SZ 5:0, TG 7:6, IPS 10:8, Config 13:11.
  // word3, high half: S2T0SZ 5:0, S2TG 7:6, S2PS 10:8, S2SL0 12:11.
  public init(_ event: TraceEvent) {
    let s1 = UInt32(truncatingIfNeeded: event.word3)
    let s2 = UInt32(truncatingIfNeeded: event.word3 >> 32)
    config = UInt8(s1 >> 11 & 7)
    asid = event.asid
    vmid = event.vmid
    ttb0 = event.word0
    s2ttb = event.word1
    t0sz = UInt8(s1 & 0x3F)
    granule = Granule(rawValue: UInt8(s1 >> 6 & 3)) ?? .kib4
    ips = UInt8(s1 >> 8 & 7)
    s2t0sz = UInt8(s2 & 0x3F)
    s2granule = Granule(rawValue: UInt8(s2 >> 6 & 3)) ?? .kib4
    s2ps = UInt8(s2 >> 8 & 7)
    s2sl0 = UInt8(s2 >> 11 & 3)
  }

  public func event(
    time: UInt64, streamID: UInt32, flags: EventFlags = [], origin: EventOrigin = .synthetic
  ) -> TraceEvent {
    let s1 =
      UInt32(t0sz & 0x3F) | UInt32(granule.rawValue) << 6 | UInt32(ips & 7) << 8
      | UInt32(config & 7) << 11
    let s2 =
      UInt32(s2t0sz & 0x3F) | UInt32(s2granule.rawValue) << 6 | UInt32(s2ps & 7) << 8
      | UInt32(s2sl0 & 3) << 11
    return TraceEvent(
      time: time, kind: .streamConfiguration, word0: ttb0, word1: s2ttb,
      word2: pack(streamID, UInt32(vmid) << 16 | UInt32(asid)), word3: pack(s1, s2), flags: flags,
      origin: origin)
  }
}
