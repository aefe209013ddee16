package import EventModel

extension ITS {
  /// Takes one event of a recording: set-up, vCPU life, acknowledge. Others are not the ITS's and
  /// change nothing. MSIs go through `translate`, for their outcome.
  package mutating func apply(_ event: TraceEvent) {
    switch event.kind {
    case .itsCommand:
      execute(ITSCommandPacket(event.word0, event.word1, event.word2, event.word3))
    case .itsRegisterWrite:
      // A record of GITS_TRANSLATER would lack the DeviceID; MSIs have a kind of their own.
      guard event.registerOffset & ~7 != Register.translater else { return }
      write(register: event.registerOffset, value: event.value, sizeBytes: event.registerSizeBytes)
    case .redistributorWrite:
      writeRedistributor(
        event.target.number, offset: event.registerOffset, value: event.value,
        sizeBytes: event.registerSizeBytes)
    case .lpiConfiguration:
      storeConfiguration(
        event.target, INTID(event.intid), UInt8(truncatingIfNeeded: event.value))
    case .acknowledge: acknowledge(target: event.target, intid: INTID(event.intid))
    case .vcpuLoad, .vcpuPut, .vcpuBlock: applyResidency(event)
    // The VMOVP that moves the vPE is a command of its own in the trace.
    default: break
    }
  }

  /// Software stores a configuration byte. The redistributor goes on using the old one until an
  /// invalidation (`INV`). A vPE whose table is not known gets none.
  package mutating func storeConfiguration(_ target: InterruptTarget, _ intid: INTID, _ byte: UInt8)
  {
    guard intid.rawValue >= INTID.firstLPI.rawValue else { return }
    let index = UInt64(intid.rawValue - INTID.firstLPI.rawValue)
    if target.isVPE {
      guard let entry = try? vPE(target.number),
        let table = virtualConfigurationTable(target.number, entry)
      else { return }
      memory.storeByte(byte, at: table + index)
    } else if target.number < configuration.peCount {
      let redistributor = redistributors[Int(target.number)]
      guard redistributor.supports(intid.rawValue) else { return }
      memory.storeByte(byte, at: redistributor.configurationTable + index)
    }
  }

  /// vcpuLoad, vcpuPut, vcpuBlock as the register writes that they stand for. The vPE is the event's
  /// target, or the one whose VPT the event names.
  private mutating func applyResidency(_ event: TraceEvent) {
    guard configuration.version >= .v4_0 else { return }
    let isLoad = event.kind == .vcpuLoad
    let processor = UInt16(
      truncatingIfNeeded: isLoad ? event.word3 >> 32 : event.word3 & 0xFFFF_FFFF)
    guard processor < configuration.peCount else { return }
    let offset = Redistributor.Register.vpendbaser
    guard isLoad else {
      var request = redistributors[Int(processor)].vpendbaser.value & ~.field(true, 63)
      request &= ~(VirtualPendingBase.pendingLastBit | VirtualPendingBase.bit62)
      if configuration.version == .v4_1 {
        request |=
          event.kind == .vcpuBlock ? VirtualPendingBase.bit62 : VirtualPendingBase.pendingLastBit
      }
      writeRedistributor(processor, offset: offset, value: request)
      return
    }
    let base: VirtualPendingBase
    if configuration.version == .v4_1 {
      guard event.target.isVPE else { return }
      base = .resident(vPEID: event.target.number)
    } else if event.word0 != 0 {
      base = .residentVPT(event.word0)
    } else {
      guard event.target.isVPE, let entry = try? vPE(event.target.number) else { return }
      base = .residentVPT(entry.vptAddress)
    }
    // A load that finds another vPE there: the put was not recorded.
    if redistributors[Int(processor)].vpendbaser.isValid {
      writeRedistributor(processor, offset: offset, value: 0)
    }
    // The recording may lack GICR_VPROPBASER; its IDbits bound the vINTIDs.
    if redistributors[Int(processor)].vpropbaser == 0 {
      redistributors[Int(processor)].vpropbaser = UInt64(configuration.intidBits - 1)
    }
    writeRedistributor(processor, offset: offset, value: base.value)
  }
}

extension TraceEvent {
  /// itsRegisterWrite, redistributorWrite: 8 if the recording does not say.
  fileprivate var registerSizeBytes: UInt32 {
    let size = UInt32(truncatingIfNeeded: word3)
    return size == 0 ? 8 : size
  }
}
