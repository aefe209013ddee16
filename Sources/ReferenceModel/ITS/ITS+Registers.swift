package import EventModel

extension ITS {
  /// The programmers' view of the ITS (IHI 0069, §12.19). Offsets are from the control frame.
  package struct Registers: Hashable, Sendable {
    /// GITS_CTLR.Enabled.
    package internal(set) var enabled = false
    package internal(set) var cbaser: UInt64 = 0
    /// GITS_CWRITER.Offset and GITS_CREADR.Offset, in bytes from the start of the queue.
    package internal(set) var writeOffset: UInt64 = 0
    package internal(set) var readOffset: UInt64 = 0
    /// GITS_CREADR.Stalled.
    package internal(set) var stalled = false
    /// GITS_BASER0, 1 and 2; the other five are RES0.
    package internal(set) var deviceTable: TableBase
    package internal(set) var collectionTable: TableBase
    package internal(set) var vPETable: TableBase

    init(_ configuration: Configuration) {
      deviceTable = TableBase(kind: .device, entrySizeBytes: DeviceTableEntry.sizeBytes)
      collectionTable = TableBase(kind: .collection, entrySizeBytes: CollectionTableEntry.sizeBytes)
      vPETable = TableBase(kind: .vPE, entrySizeBytes: configuration.vPEEntrySizeBytes)
    }

    package var queueIsValid: Bool { cbaser.bit(63) }
    package var queueAddress: UInt64 { cbaser & .field(~0 as UInt64, 51, 12) }
    package var queueSizeBytes: UInt64 { (cbaser.bits(7, 0) + 1) * 4096 }
    package var queueIsEmpty: Bool { readOffset == writeOffset }
    /// One slot always stays free, else full and empty would look alike.
    package var queueIsFull: Bool {
      (writeOffset + ITSCommandPacket.sizeBytes) % queueSizeBytes == readOffset
    }
  }

  package enum Register {
    package static let ctlr: UInt64 = 0x0000
    package static let typer: UInt64 = 0x0008
    package static let cbaser: UInt64 = 0x0080
    package static let cwriter: UInt64 = 0x0088
    package static let creadr: UInt64 = 0x0090
    package static let baser: UInt64 = 0x0100
    package static let translater: UInt64 = 0x1_0040
    package static let sgir: UInt64 = 0x2_0020
  }

  /// Reads a register. Write-only and reserved offsets read as 0.
  package func read(register offset: UInt64, sizeBytes: UInt32 = 8) -> UInt64 {
    let whole = wholeRegister(offset & ~7)
    return sizeBytes == 4 ? (offset & 4 == 0 ? whole & 0xFFFF_FFFF : whole >> 32) : whole
  }

  private func wholeRegister(_ offset: UInt64) -> UInt64 {
    switch offset {
    // GITS_CTLR and, in the upper half, GITS_IIDR, which is 0 here. Quiescent (bit 31) is 1 when
    // disabled: the model finishes everything at once.
    case Register.ctlr: .field(registers.enabled, 0) | .field(!registers.enabled, 31)
    case Register.typer: configuration.typer
    case Register.cbaser: registers.cbaser
    case Register.cwriter: registers.writeOffset
    case Register.creadr: registers.readOffset | .field(registers.stalled, 0)
    case Register.baser: registers.deviceTable.value
    case Register.baser + 8: registers.collectionTable.value
    case Register.baser + 16 where configuration.version >= .v4: registers.vPETable.value
    default: 0
    }
  }

  /// A write by software, 4 or 8 bytes. GITS_TRANSLATER is not here: a device writes it, and its
  /// DeviceID comes along on a side-band (`writeTranslationFrame`).
  ///
  /// Writes that the architecture calls UNPREDICTABLE are ignored: GITS_CBASER and GITS_BASERn while
  /// enabled, a GITS_CWRITER beyond the queue.
  package mutating func write(register offset: UInt64, value: UInt64, sizeBytes: UInt32 = 8) {
    let register = offset & ~7
    var new = value
    if sizeBytes == 4 {
      let old = wholeRegister(register)
      new =
        offset & 4 == 0
        ? (old & ~0xFFFF_FFFF) | (value & 0xFFFF_FFFF) : (old & 0xFFFF_FFFF) | value << 32
    }
    switch register {
    case Register.ctlr where offset & 4 == 0: writeControl(new)
    case Register.cbaser where !registers.enabled:
      registers.cbaser = new
      registers.readOffset = 0
      registers.writeOffset = 0
      registers.stalled = false
    case Register.cwriter where offset & 4 == 0: writeQueueTail(new)
    case Register.baser where !registers.enabled: registers.deviceTable.write(new)
    case Register.baser + 8 where !registers.enabled: registers.collectionTable.write(new)
    case Register.baser + 16 where !registers.enabled && configuration.version >= .v4:
      registers.vPETable.write(new)
    case Register.sgir where configuration.version == .v41:
      raiseSGI(vPEID: UInt16(new.bits(47, 32)), sgi: UInt8(new.bits(3, 0)))
    default: break
    }
  }

  private mutating func writeControl(_ value: UInt64) {
    let wasEnabled = registers.enabled
    registers.enabled = value.bit(0)
    if wasEnabled && !registers.enabled {
      cache.itsDisabled()
      caches.itsDisabled()
    }
    processQueue()
  }

  /// A device's write into the translation frame, `offset` from its start. Only a 16- or 32-bit
  /// write of GITS_TRANSLATER (0x40) is an MSI (IHI 0069, §12.19.15).
  package mutating func writeTranslationFrame(
    offset: UInt64, value: UInt32, sizeBytes: UInt32, deviceID: DeviceID
  ) -> Outcome {
    guard offset == Register.translater & 0xFFFF, sizeBytes == 4 || sizeBytes == 2 else {
      counters.interruptsOffered += 1
      outcomes[.notADoorbell, default: 0] += 1
      return Outcome(address: configuration.frame + 0x1_0000 + offset, outcome: .notADoorbell)
    }
    return translate(
      deviceID: deviceID, eventID: EventID(sizeBytes == 2 ? value & 0xFFFF : value))
  }
}
