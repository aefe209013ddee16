import EventModel

// Redistributors and CPU interfaces: table registers, vPE residency, acknowledge and end of
// interrupt.

/// A redistributor's GICR_VPENDBASER and the vPE that is resident by it.
struct Residency {
  /// VPT address, bits 51:16 of VPENDBASER and of VMAPP's DW3 (IHI 0069, §12.11.44 and §5.3.18).
  static var addressMask: UInt64 { 0x000F_FFFF_FFFF_0000 }
  var register: UInt64 = 0
  var vPEID: UInt16?
}

/// Numbers of `mark` events.
package enum ImportMark {
  /// A guest acknowledged an LPI (`intid`) on the physical CPU `target`; which vCPU ran there the
  /// log does not tell, because its interrupts are injected by software.
  package static var guestAcknowledge: UInt64 { 1 }
  /// The end of that interrupt.
  package static var guestEndOfInterrupt: UInt64 { 2 }
}

extension LogInterpreter {
  mutating func readRedistributorWrite(_ time: UInt64, _ text: LineText) -> Disposition {
    var text = text
    guard let number = text.number("redistributor"), number <= 0x7FFF,
      let offset = text.number("offset")
    else { return .notUnderstood }
    // GICR_CTLR, PROPBASER, PENDBASER, VPROPBASER, VPENDBASER; the last four also by halves.
    switch offset {
    case 0, 0x70...0x7F, 0x2_0070...0x2_007F: break
    default: return .ignored
    }
    guard let value = text.number("data"), let size = text.number32("size")
    else { return .notUnderstood }
    highestPE = max(highestPE, UInt32(number))
    if offset == 0x70 {
      // GICR_PROPBASER.IDbits − 1 is 4:0 (IHI 0069, §12.11.28).
      geometry.intidBits = UInt8(value & 0x1F) + 1
    }
    queue.append(
      TraceEvent(
        time: time, kind: .redistributorWrite, word0: offset, word1: value, word3: UInt64(size),
        target: .pe(UInt16(number)), vector: UInt16(number), origin: .emulator))
    if offset >= 0x2_0078 { changeResidency(Int(number), offset, value, size, time) }
    return .used
  }

  /// A write to GICR_VPENDBASER: when Valid (bit 63) changes, a vPE was loaded or put.
  private mutating func changeResidency(
    _ number: Int, _ offset: UInt64, _ value: UInt64, _ size: UInt32, _ time: UInt64
  ) {
    while residency.count <= number { residency.append(Residency()) }
    let before = residency[number].register
    let after =
      if size == 8 {
        value
      } else if offset & 4 != 0 {
        before & 0xFFFF_FFFF | value << 32
      } else {
        before & ~0xFFFF_FFFF | value & 0xFFFF_FFFF
      }
    residency[number].register = after
    guard before >> 63 != after >> 63 else { return }
    let isLoad = after >> 63 == 1
    let address = (isLoad ? after : before) & Residency.addressMask
    let vPEID = isLoad ? pendingTables[address] : residency[number].vPEID
    residency[number].vPEID = isLoad ? vPEID : nil
    // A table that no VMAPP named: the log starts in the middle. The register write itself stands.
    guard let vPEID else { return }
    let pe = UInt64(number)
    queue.append(
      TraceEvent(
        time: time, kind: isLoad ? .vcpuLoad : .vcpuPut, word0: address, word3: pe | pe << 32,
        target: .vpe(vPEID), vector: UInt16(number), origin: .emulator))
  }

  /// "ICC_IAR1 read cpu 0x0 value 0x2000".
  mutating func readCPUInterface(
    _ action: LineAction, _ time: UInt64, _ text: LineText
  ) -> Disposition {
    var text = text
    guard let cpu = text.number("cpu"), cpu <= 0x7FFF, let intid = text.number32("value")
    else { return .notUnderstood }
    highestPE = max(highestPE, UInt32(cpu))
    guard intid >= INTID.firstLPI.rawValue else { return .ignored }
    let target = InterruptTarget.pe(UInt16(cpu))
    queue.append(
      action == .acknowledge
        ? .acknowledge(time: time, target: target, intid: intid, origin: .emulator)
        : .endOfInterrupt(time: time, target: target, intid: intid, origin: .emulator))
    return .used
  }

  /// The same by a guest of the recorded machine: the vPE is the one resident on that CPU.
  mutating func readGuestInterface(
    _ action: LineAction, _ time: UInt64, _ text: LineText
  ) -> Disposition {
    var text = text
    guard let cpu = text.number("cpu"), cpu <= 0x7FFF, let intid = text.number32("value")
    else { return .notUnderstood }
    highestPE = max(highestPE, UInt32(cpu))
    guard intid >= INTID.firstLPI.rawValue else { return .ignored }
    let isAcknowledge = action == .guestAcknowledge
    var event: TraceEvent
    if Int(cpu) < residency.count, let vPEID = residency[Int(cpu)].vPEID {
      event =
        isAcknowledge
        ? .acknowledge(time: time, target: .vpe(vPEID), intid: intid, origin: .emulator)
        : .endOfInterrupt(time: time, target: .vpe(vPEID), intid: intid, origin: .emulator)
    } else {
      event = TraceEvent(
        time: time, kind: .mark,
        word0: isAcknowledge ? ImportMark.guestAcknowledge : ImportMark.guestEndOfInterrupt,
        word3: UInt64(intid) << 32, target: .pe(UInt16(cpu)), origin: .emulator)
    }
    event.vector = UInt16(cpu)
    queue.append(event)
    return .used
  }
}
