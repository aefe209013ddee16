/// Why a command or an MSI had no effect (IHI 0069, §5.5 "ITS command error encodings").
///
/// The architecture numbers its errors 0x01_CC_EE: CC is the opcode, EE the condition. Neither QEMU
/// nor KVM shows the number to the guest, and both swallow the error; this model counts each.
package struct ITSError: Error, Hashable, Sendable {
  package enum Condition: UInt8, Error, CaseIterable, Sendable {
    case deviceIDOutOfRange
    /// MAPD's Size, or VMAPP's VPT_size, is more than the ITS supports.
    case tableSizeOutOfRange
    /// An RDbase that names no redistributor.
    case targetOutOfRange
    case collectionOutOfRange
    case unmappedDevice
    case eventIDOutOfRange
    case intidOutOfRange
    case unmappedInterrupt
    case unmappedCollection
    case vPEIDOutOfRange
    case unmappedVPE
    /// MOVI of a virtual interrupt, VMOVI of a physical one.
    case wrongInterruptKind
    /// GITS_CTLR.Enabled = 0.
    case itsDisabled
    /// GICR_CTLR.EnableLPIs = 0 at the target.
    case lpisDisabled
    /// No such opcode, or one of a later GIC version.
    case unknownCommand
    /// The command, or a table entry, could not be read from memory.
    case memoryAborted
  }

  package var condition: Condition
  /// DW0[7:0] of the command. An MSI counts as INT, whose algorithm it shares.
  package var opcode: UInt8

  package init(_ condition: Condition, _ opcode: UInt8) {
    self.condition = condition
    self.opcode = opcode
  }

  package init(_ condition: Condition, _ opcode: ITSCommandOpcode) {
    self.init(condition, opcode.rawValue)
  }

  /// The architecture's number; nil for a condition that has none, and for GICv4 commands, whose
  /// numbers are not in the sources named below.
  ///
  /// Checked against include/linux/irqchip/arm-gic-v3.h (E_ITS_*) and the Arm GIC-600AE TRM, 101206,
  /// table 4-15 (rows with IERR = 0). The few not printed there follow the rule. Two exceptions:
  /// CLEAR, opcode 0x04, has CC = 0x05; a bad target is 0x01 in MOVALL, 0x02 in MAPC.
  package var number: UInt32? {
    guard let code = ITSCommandOpcode(rawValue: opcode), !code.isOfGICv4 else { return nil }
    let condition: UInt32
    switch self.condition {
    case .deviceIDOutOfRange: condition = 0x01
    case .tableSizeOutOfRange: condition = 0x02
    case .targetOutOfRange:
      switch code {
      case .mapc: condition = 0x02
      case .movall: condition = 0x01
      default: return nil
      }
    case .collectionOutOfRange: condition = 0x03
    case .unmappedDevice: condition = 0x04
    case .eventIDOutOfRange: condition = 0x05
    case .intidOutOfRange: condition = 0x06
    case .unmappedInterrupt: condition = 0x07
    case .unmappedCollection: condition = 0x09
    case .vPEIDOutOfRange, .unmappedVPE, .wrongInterruptKind, .itsDisabled, .lpisDisabled,
      .unknownCommand, .memoryAborted:
      return nil
    }
    let command: UInt32 = code == .clear ? 0x05 : UInt32(opcode)
    return 0x01_0000 | command << 8 | condition
  }

  /// The class under which a lost MSI is counted.
  package var outcome: OutcomeClass {
    switch condition {
    case .itsDisabled: .itsDisabled
    case .deviceIDOutOfRange: .deviceIDOutOfRange
    case .unmappedDevice, .memoryAborted: .unmappedDevice
    case .eventIDOutOfRange: .eventIDOutOfRange
    case .unmappedInterrupt, .wrongInterruptKind, .unknownCommand, .tableSizeOutOfRange:
      .unmappedEvent
    case .unmappedCollection, .collectionOutOfRange, .targetOutOfRange: .unmappedCollection
    case .unmappedVPE, .vPEIDOutOfRange: .unmappedVPE
    case .intidOutOfRange: .intidOutOfRange
    case .lpisDisabled: .lpisDisabled
    }
  }
}

extension ITSError: CustomStringConvertible {
  package var description: String {
    let name = ITSCommandOpcode(rawValue: opcode).map { "\($0)".uppercased() }
    let command = name ?? "command 0x\(String(opcode, radix: 16))"
    let code = number.map { " (0x\(String($0, radix: 16)))" } ?? ""
    return "\(command): \(Self.sentences[condition]!)\(code)"
  }

  private static let sentences: [Condition: String] = [
    .deviceIDOutOfRange: "DeviceID is beyond the device table",
    .tableSizeOutOfRange: "table size is more than the ITS supports",
    .targetOutOfRange: "RDbase names no redistributor",
    .collectionOutOfRange: "ICID is beyond the collection table",
    .unmappedDevice: "device is not mapped",
    .eventIDOutOfRange: "EventID is beyond the size given by MAPD",
    .intidOutOfRange: "INTID is not an LPI that the target supports",
    .unmappedInterrupt: "event is not mapped",
    .unmappedCollection: "collection is not mapped",
    .vPEIDOutOfRange: "vPEID is beyond the vPE table",
    .unmappedVPE: "vPE is not mapped",
    .wrongInterruptKind: "entry is of the other kind, physical or virtual",
    .itsDisabled: "ITS is disabled",
    .lpisDisabled: "target redistributor has LPIs disabled",
    .unknownCommand: "no such command in this GIC version",
    .memoryAborted: "memory access failed",
  ]
}
