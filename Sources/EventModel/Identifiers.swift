// Identifiers of the architecture, each a type of its own.
//
// A one-field struct costs nothing (the machine code is that of the raw integer) and makes it
// impossible to pass a StreamID where a DeviceID is meant. Spelling follows the specifications:
// Arm IHI 0069 (GICv3/v4), Arm IHI 0070 (SMMUv3).

/// The number by which an SMMU knows the originator of a transaction (IHI 0070, §3.2).
@frozen
public struct StreamID: Hashable, Sendable, BitwiseCopyable, RawRepresentable {
  public var rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// The number by which an ITS knows the originator of an MSI (IHI 0069, §5.1). It is the StreamID
/// after fixed wiring, which IORT describes; it is never derived from the translated address.
@frozen
public struct DeviceID: Hashable, Sendable, BitwiseCopyable, RawRepresentable {
  public var rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// The number within a device that selects an interrupt translation entry: the MSI's data.
@frozen
public struct EventID: Hashable, Sendable, BitwiseCopyable, RawRepresentable {
  public var rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// An interrupt number. LPIs start at 8192; 1023 is "spurious" and "no doorbell".
@frozen
public struct INTID: Hashable, Sendable, BitwiseCopyable, RawRepresentable {
  public var rawValue: UInt32
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }

  /// The first LPI (IHI 0069, §2.2.1).
  @inlinable public static var firstLPI: INTID { INTID(8192) }
  /// INTID 1023: spurious, or "no doorbell" in a VMAPTI.
  @inlinable public static var spurious: INTID { INTID(1023) }
}

/// Where an interrupt is sent: a PE (a physical CPU or, for a guest, its vCPU) by processor number,
/// or a vPE by vPEID. Bit 15 tells which, so the two number spaces never meet.
@frozen
public struct InterruptTarget: Hashable, Sendable, BitwiseCopyable, RawRepresentable {
  public var rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
  @inlinable public static func pe(_ number: UInt16) -> InterruptTarget {
    InterruptTarget(rawValue: number & 0x7FFF)
  }
  @inlinable public static func vpe(_ vPEID: UInt16) -> InterruptTarget {
    InterruptTarget(rawValue: 0x8000 | vPEID)
  }
  @inlinable public var isVPE: Bool { rawValue & 0x8000 != 0 }
  @inlinable public var number: UInt16 { rawValue & 0x7FFF }
}

extension InterruptTarget: CustomStringConvertible {
  public var description: String { isVPE ? "vPE \(number)" : "PE \(number)" }
}
