/// How a translation ended, in one byte. Also what a recording says about an access.
///
/// 0 is "the recording does not say". Success is below 0x10, losses on the way through the
/// interrupt controller are 0x10…0x3F, SMMU faults are 0x40 + event number (IHI 0070, §7.3),
/// x86 interrupt-remapping faults are 0x80 + fault reason.
@frozen
public struct OutcomeClass: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  @inlinable public static var notRecorded: OutcomeClass { OutcomeClass(rawValue: 0x00) }
  /// A DMA access found its physical address.
  @inlinable public static var translated: OutcomeClass { OutcomeClass(rawValue: 0x01) }
  /// An interrupt became pending and its target can take it.
  @inlinable public static var delivered: OutcomeClass { OutcomeClass(rawValue: 0x02) }
  /// The interrupt was pending already: one acknowledge will serve both.
  @inlinable public static var coalesced: OutcomeClass { OutcomeClass(rawValue: 0x03) }
  /// Pending, but disabled in its configuration byte, or held back by an MSI-X mask bit.
  @inlinable public static var masked: OutcomeClass { OutcomeClass(rawValue: 0x04) }

  @inlinable public static var itsDisabled: OutcomeClass { OutcomeClass(rawValue: 0x10) }
  @inlinable public static var deviceIDOutOfRange: OutcomeClass { OutcomeClass(rawValue: 0x11) }
  @inlinable public static var unmappedDevice: OutcomeClass { OutcomeClass(rawValue: 0x12) }
  @inlinable public static var eventIDOutOfRange: OutcomeClass { OutcomeClass(rawValue: 0x13) }
  @inlinable public static var unmappedEvent: OutcomeClass { OutcomeClass(rawValue: 0x14) }
  @inlinable public static var unmappedCollection: OutcomeClass { OutcomeClass(rawValue: 0x15) }
  @inlinable public static var unmappedVPE: OutcomeClass { OutcomeClass(rawValue: 0x16) }
  @inlinable public static var intidOutOfRange: OutcomeClass { OutcomeClass(rawValue: 0x17) }
  /// The target redistributor has GICR_CTLR.EnableLPIs = 0.
  @inlinable public static var lpisDisabled: OutcomeClass { OutcomeClass(rawValue: 0x18) }
  /// The write reached no GITS_TRANSLATER: another register of the page, or no ITS at all.
  @inlinable public static var notADoorbell: OutcomeClass { OutcomeClass(rawValue: 0x19) }
  /// A write to an MSI-X entry whose guest message has no route (`trapped` and `eventfd`).
  @inlinable public static var noRoute: OutcomeClass { OutcomeClass(rawValue: 0x1A) }

  /// An SMMU fault or configuration error by its event number (F_TRANSLATION = 0x10, …).
  @inlinable public static func smmuFault(_ eventNumber: UInt8) -> OutcomeClass {
    OutcomeClass(rawValue: 0x40 | (eventNumber & 0x3F))
  }
  /// A request that interrupt remapping refused: VT-d's fault reason (0x20…0x26), or 0x30 and more for
  /// AMD, which has no such numbers.
  @inlinable public static func remappingFault(_ reason: UInt8) -> OutcomeClass {
    OutcomeClass(rawValue: 0x80 | (reason & 0x7F))
  }
  @inlinable public var isSMMUFault: Bool { rawValue & 0xC0 == 0x40 }
  @inlinable public var isLost: Bool { rawValue >= 0x10 }
}

extension OutcomeClass: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notRecorded: return "not recorded"
    case .translated: return "translated"
    case .delivered: return "delivered"
    case .coalesced: return "coalesced"
    case .masked: return "masked"
    case .itsDisabled: return "lost: ITS disabled"
    case .deviceIDOutOfRange: return "lost: DeviceID out of range"
    case .unmappedDevice: return "lost: unmapped device"
    case .eventIDOutOfRange: return "lost: EventID out of range"
    case .unmappedEvent: return "lost: unmapped event"
    case .unmappedCollection: return "lost: unmapped collection"
    case .unmappedVPE: return "lost: unmapped vPE"
    case .intidOutOfRange: return "lost: INTID out of range"
    case .lpisDisabled: return "lost: LPIs disabled at the target"
    case .notADoorbell: return "lost: not a doorbell"
    case .noRoute: return "lost: no route"
    default:
      if let name = Self.remappingFaultNames[rawValue] { return "lost: \(name)" }
      let name = Self.smmuEventNames[rawValue & 0x3F]
      return isSMMUFault
        ? "lost: \(name ?? "SMMU event 0x\(String(rawValue & 0x3F, radix: 16))")"
        : "lost: class 0x\(String(rawValue, radix: 16))"
    }
  }

  /// VT-d spec, fault reasons of interrupt remapping; AMD 48882, §2.2.5.
  private static let remappingFaultNames: [UInt8: String] = [
    0xA0: "reserved bit in remapping request", 0xA1: "remapping index out of range",
    0xA2: "remapping entry not present", 0xA3: "remapping entry not readable",
    0xA4: "reserved bit in remapping entry", 0xA5: "compatibility format blocked",
    0xA6: "source not accepted by remapping entry", 0xB0: "remapping target abort",
    0xB1: "index beyond the interrupt remapping table", 0xB2: "remapping entry disabled",
    0xB3: "reserved interrupt type in remapping entry",
  ]

  /// IHI 0070, §7.3: event records.
  private static let smmuEventNames: [UInt8: String] = [
    0x01: "F_UUT", 0x02: "C_BAD_STREAMID", 0x03: "F_STE_FETCH", 0x04: "C_BAD_STE",
    0x05: "F_BAD_ATS_TREQ", 0x06: "F_STREAM_DISABLED", 0x07: "F_TRANSL_FORBIDDEN",
    0x08: "C_BAD_SUBSTREAMID", 0x09: "F_CD_FETCH", 0x0A: "C_BAD_CD", 0x0B: "F_WALK_EABT",
    0x10: "F_TRANSLATION", 0x11: "F_ADDR_SIZE", 0x12: "F_ACCESS", 0x13: "F_PERMISSION",
    0x20: "F_TLB_CONFLICT", 0x21: "F_CFG_CONFLICT", 0x24: "E_PAGE_REQUEST",
  ]
}
