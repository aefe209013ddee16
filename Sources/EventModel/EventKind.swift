/// What a trace record is. The raw values are part of the trace format and never change meaning.
///
/// They are grouped so that one comparison tells the class: traffic below 0x10, SMMU maintenance
/// 0x10…0x1F, interrupt set-up 0x20…0x2F, vCPU life 0x30…0x3F, notes from 0x40.
@frozen
public struct EventKind: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  // Traffic: what devices and CPUs do, over and over.
  @inlinable public static var dma: EventKind { EventKind(rawValue: 0x01) }
  @inlinable public static var msi: EventKind { EventKind(rawValue: 0x02) }
  @inlinable public static var acknowledge: EventKind { EventKind(rawValue: 0x03) }
  @inlinable public static var endOfInterrupt: EventKind { EventKind(rawValue: 0x04) }

  // SMMU maintenance: page-table stores and the commands that follow them.
  @inlinable public static var map: EventKind { EventKind(rawValue: 0x10) }
  @inlinable public static var unmap: EventKind { EventKind(rawValue: 0x11) }
  @inlinable public static var smmuCommand: EventKind { EventKind(rawValue: 0x12) }

  // Interrupt set-up.
  @inlinable public static var streamConfiguration: EventKind { EventKind(rawValue: 0x20) }
  @inlinable public static var itsCommand: EventKind { EventKind(rawValue: 0x21) }
  @inlinable public static var msixTableWrite: EventKind { EventKind(rawValue: 0x22) }
  @inlinable public static var msixControl: EventKind { EventKind(rawValue: 0x23) }
  @inlinable public static var lpiConfiguration: EventKind { EventKind(rawValue: 0x24) }
  @inlinable public static var irteWrite: EventKind { EventKind(rawValue: 0x25) }
  @inlinable public static var itsRegisterWrite: EventKind { EventKind(rawValue: 0x26) }
  @inlinable public static var redistributorWrite: EventKind { EventKind(rawValue: 0x27) }

  // vCPU life.
  @inlinable public static var vcpuLoad: EventKind { EventKind(rawValue: 0x30) }
  @inlinable public static var vcpuPut: EventKind { EventKind(rawValue: 0x31) }
  @inlinable public static var vcpuBlock: EventKind { EventKind(rawValue: 0x32) }
  @inlinable public static var vcpuMigrate: EventKind { EventKind(rawValue: 0x33) }

  // Notes.
  @inlinable public static var mark: EventKind { EventKind(rawValue: 0x40) }
  @inlinable public static var loss: EventKind { EventKind(rawValue: 0x41) }

  /// Every kind that this version knows, in the order of their raw values.
  public static var all: [EventKind] {
    [
      .dma, .msi, .acknowledge, .endOfInterrupt, .map, .unmap, .smmuCommand,
      .streamConfiguration, .itsCommand, .msixTableWrite, .msixControl, .lpiConfiguration,
      .irteWrite, .itsRegisterWrite, .redistributorWrite, .vcpuLoad, .vcpuPut, .vcpuBlock,
      .vcpuMigrate, .mark, .loss,
    ]
  }

  /// A DMA access or an MSI: what a translation core answers.
  @inlinable public var isAccess: Bool { rawValue == 0x01 || rawValue == 0x02 }
  @inlinable public var isTraffic: Bool { rawValue < 0x10 }
  @inlinable public var isMaintenance: Bool { rawValue & 0xF0 == 0x10 }
  @inlinable public var isSetUp: Bool { rawValue & 0xF0 == 0x20 }
  @inlinable public var isVCPU: Bool { rawValue & 0xF0 == 0x30 }
}

extension EventKind: CustomStringConvertible {
  public var description: String {
    switch self {
    case .dma: "dma"
    case .msi: "msi"
    case .acknowledge: "acknowledge"
    case .endOfInterrupt: "end-of-interrupt"
    case .map: "map"
    case .unmap: "unmap"
    case .smmuCommand: "smmu-command"
    case .streamConfiguration: "stream-configuration"
    case .itsCommand: "its-command"
    case .msixTableWrite: "msix-table-write"
    case .msixControl: "msix-control"
    case .lpiConfiguration: "lpi-configuration"
    case .irteWrite: "irte-write"
    case .itsRegisterWrite: "its-register-write"
    case .redistributorWrite: "redistributor-write"
    case .vcpuLoad: "vcpu-load"
    case .vcpuPut: "vcpu-put"
    case .vcpuBlock: "vcpu-block"
    case .vcpuMigrate: "vcpu-migrate"
    case .mark: "mark"
    case .loss: "loss"
    default: "kind-\(rawValue)"
    }
  }
}
