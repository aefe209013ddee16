import EventModel

/// The fields of an ITS command that a snapshot needs (IHI 0069, §5.3), and the commands that it
/// writes.
struct ITSCommandWords {
  let event: TraceEvent
  init(_ event: TraceEvent) { self.event = event }

  var opcode: UInt8 { UInt8(truncatingIfNeeded: event.word0) }
  var device: UInt32 { UInt32(event.word0 >> 32) }
  var eventID: UInt32 { UInt32(truncatingIfNeeded: event.word1) }
  /// MAPTI: the INTID.
  var upper1: UInt32 { UInt32(event.word1 >> 32) }
  var vPE: UInt16 { UInt16(truncatingIfNeeded: event.word1 >> 32) }
  var collection: UInt16 { UInt16(truncatingIfNeeded: event.word2) }
  var lower2: UInt32 { UInt32(truncatingIfNeeded: event.word2) }
  /// VMAPTI, VMAPI, VMOVI: the doorbell.
  var upper2: UInt32 { UInt32(event.word2 >> 32) }
  var isValid: Bool { event.word2 >> 63 == 1 }
  var target: UInt64 { Self.target(event.word2) }
  /// MOVALL: where to.
  var secondTarget: UInt64 { Self.target(event.word3) }
  /// MAPD, VMAPP: bits of an EventID or of a vINTID, less 1.
  var deviceSize: UInt64 { event.word1 & 0x1F }
  var pendingTableSize: UInt64 { event.word3 & 0x1F }
  var pendingTable: UInt64 { event.word3 & 0x000F_FFFF_FFFF_0000 }
  var translationTable: UInt64 { event.word2 & 0x000F_FFFF_FFFF_FF00 }

  private static func target(_ word: UInt64) -> UInt64 { word >> 16 & 0xF_FFFF_FFFF }

  static func mapDevice(_ device: UInt32, size: UInt64, table: UInt64, valid: Bool) -> TraceEvent {
    .itsCommand(time: 0, 0x08 | UInt64(device) << 32, size, table | (valid ? 1 << 63 : 0))
  }

  static func mapCollection(_ collection: UInt16, pe: UInt16, valid: Bool) -> TraceEvent {
    .itsCommand(
      time: 0, 0x09, 0, UInt64(collection) | UInt64(pe) << 16 | (valid ? 1 << 63 : 0))
  }

  /// MAPTI or VMAPTI.
  static func map(
    _ device: UInt32, _ event: UInt32, _ mapping: InterruptTables.Mapping
  ) -> TraceEvent {
    let place = UInt64(mapping.place)
    guard mapping.isVirtual else {
      return .itsCommand(
        time: 0, 0x0A | UInt64(device) << 32, UInt64(event) | UInt64(mapping.intid) << 32, place)
    }
    return .itsCommand(
      time: 0, 0x2A | UInt64(device) << 32, UInt64(event) | place << 32,
      UInt64(mapping.intid) | UInt64(mapping.doorbell) << 32)
  }

  static func interrupt(_ device: UInt32, _ event: UInt32) -> TraceEvent {
    .itsCommand(time: 0, 0x03 | UInt64(device) << 32, UInt64(event))
  }
}
