import EventModel

/// One command for the host's ITS, as the 32 bytes of the queue (IHI 0069, §5.3).
package struct HostCommand: Hashable, Sendable, BitwiseCopyable {
  package var dw0: UInt64
  package var dw1: UInt64 = 0
  package var dw2: UInt64 = 0
  package var dw3: UInt64 = 0

  private init(_ opcode: UInt64, _ device: UInt32 = 0, _ event: UInt32 = 0) {
    dw0 = opcode | UInt64(device) << 32
    dw1 = UInt64(event)
  }

  /// - Parameter log2Events: 0 takes the table away.
  static func mapd(_ device: UInt32, log2Events: UInt32, address: UInt64) -> HostCommand {
    var command = HostCommand(0x08, device)
    guard log2Events > 0 else { return command }
    command.dw1 = UInt64(log2Events - 1)
    command.dw2 = address | 1 << 63
    return command
  }

  static func mapti(_ device: UInt32, _ event: UInt32, pINTID: UInt32, icid: UInt16) -> HostCommand
  {
    var command = HostCommand(0x0A, device, event)
    command.dw1 |= UInt64(pINTID) << 32
    command.dw2 = UInt64(icid)
    return command
  }

  static func vmapti(
    _ device: UInt32, _ event: UInt32, vPEID: UInt16, vINTID: UInt32, doorbell: UInt32
  ) -> HostCommand {
    var command = HostCommand(0x2A, device, event)
    command.dw1 |= UInt64(vPEID) << 32
    command.dw2 = UInt64(vINTID) | UInt64(doorbell) << 32
    return command
  }

  /// With D: the doorbell changes, too.
  static func vmovi(_ device: UInt32, _ event: UInt32, vPEID: UInt16, doorbell: UInt32)
    -> HostCommand
  {
    var command = HostCommand(0x21, device, event)
    command.dw1 |= UInt64(vPEID) << 32
    command.dw2 = 1 | UInt64(doorbell) << 32
    return command
  }

  /// `host` says where the vPE's tables are, and whether the command has GICv4.1's fields.
  static func vmapp(_ vPEID: UInt16, _ host: VLPIHost, isValid: Bool) -> HostCommand {
    var command = HostCommand(0x29)
    command.dw1 = UInt64(vPEID) << 32
    if host.isV41 { command.dw0 |= 1 << 8 }
    guard isValid else { return command }
    command.dw2 = host.rdBase << 16 | 1 << 63
    command.dw3 = UInt64(host.vINTIDBits - 1) | host.pendingTable(vPEID)
    if host.isV41 {
      command.dw0 |= 1 << 9 | host.configurationTable(vPEID)
      command.dw1 |= UInt64(host.doorbell(vPEID))
    }
    return command
  }

  static func discard(_ device: UInt32, _ event: UInt32) -> HostCommand {
    HostCommand(0x0F, device, event)
  }
  static func inv(_ device: UInt32, _ event: UInt32) -> HostCommand {
    HostCommand(0x0C, device, event)
  }
  static func int(_ device: UInt32, _ event: UInt32) -> HostCommand {
    HostCommand(0x03, device, event)
  }
  static func sync(rdBase: UInt64) -> HostCommand {
    var command = HostCommand(0x05)
    command.dw2 = rdBase << 16
    return command
  }
  static func vsync(_ vPEID: UInt16) -> HostCommand {
    var command = HostCommand(0x25)
    command.dw1 = UInt64(vPEID) << 32
    return command
  }
  static func vinvall(_ vPEID: UInt16) -> HostCommand {
    var command = HostCommand(0x2D)
    command.dw1 = UInt64(vPEID) << 32
    return command
  }
}

/// Where a host's commands go.
package protocol HostCommandQueue: ~Copyable {
  mutating func post(_ command: HostCommand)
}

extension ITSCore: HostCommandQueue {
  package mutating func post(_ command: HostCommand) {
    execute(command.dw0, command.dw1, command.dw2, command.dw3)
  }
}
