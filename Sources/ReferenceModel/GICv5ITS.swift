// The ITS of GICv5: in-memory tables and invalidation registers, no command queue.
//
// Source: Linux include/linux/irqchip/arm-gic-v5.h and drivers/irqchip/irq-gic-v5-its.c (bit
// positions and the order of register writes). Arm AES 0070 was not read; what follows from
// inference only is marked so and no gate may rest on it:
//   · a virtual entry names a VM, not a vPE (from the header: field VM_ID); that the target vPE is
//     therefore a property of the interrupt's state in the VM's IST, so that moving a vLPI between
//     vPEs touches no ITS table, is inferred;
//   · that an access to an invalid entry is dropped without a trace is inferred.
//
//   L2 device table entry   Valid 0 · ITT_L2SZ 2:1 · ITT address 55:3 · DSWE 57 · structure 58 ·
//                           EventID bits 63:59
//   L2 ITT entry            LPI_ID 23:0 · DAC 29:28 · Virtual 30 · Valid 31 · VM_ID 47:32

/// Software edits the tables, then invalidates what it edited, then polls for completion.
package struct GICv5ITS: Sendable {
  /// An L2 device table entry.
  package struct DeviceTableEntry: Hashable, Sendable {
    package var isValid = false
    package var ittL2Size: UInt8 = 0
    package var ittAddress: UInt64 = 0
    package var speculativeWriteEnable = false
    package var isTwoLevel = false
    package var eventIDBits: UInt8 = 0
    package init() {}

    package var word: UInt64 {
      (isValid ? 1 : 0) | UInt64(ittL2Size & 3) << 1 | ittAddress & 0x00FF_FFFF_FFFF_FFF8
        | (speculativeWriteEnable ? 1 << 57 : 0) | (isTwoLevel ? 1 << 58 : 0)
        | UInt64(eventIDBits & 0x1F) << 59
    }
    package init(word: UInt64) {
      isValid = word & 1 == 1
      ittL2Size = UInt8(word >> 1 & 3)
      ittAddress = word & 0x00FF_FFFF_FFFF_FFF8
      speculativeWriteEnable = word >> 57 & 1 == 1
      isTwoLevel = word >> 58 & 1 == 1
      eventIDBits = UInt8(word >> 59)
    }
  }

  /// An L2 interrupt translation table entry.
  package struct TranslationEntry: Hashable, Sendable {
    package var lpi: UInt32 = 0
    package var domainAccessControl: UInt8 = 0
    package var isVirtual = false
    package var isValid = false
    package var vm: UInt16 = 0
    package init() {}

    package var word: UInt64 {
      UInt64(lpi & 0xFF_FFFF) | UInt64(domainAccessControl & 3) << 28 | (isVirtual ? 1 << 30 : 0)
        | (isValid ? 1 << 31 : 0) | UInt64(vm) << 32
    }
    package init(word: UInt64) {
      lpi = UInt32(word & 0xFF_FFFF)
      domainAccessControl = UInt8(word >> 28 & 3)
      isVirtual = word >> 30 & 1 == 1
      isValid = word >> 31 & 1 == 1
      vm = UInt16(truncatingIfNeeded: word >> 32)
    }
  }

  package enum Result: Hashable, Sendable {
    case physical(lpi: UInt32)
    case virtual(vm: UInt16, lpi: UInt32)
    case unmappedDevice
    case eventIDOutOfRange
    case unmappedEvent
  }

  private struct Key: Hashable {
    var device: UInt32
    var event: UInt32
  }
  private var devices: [UInt32: UInt64] = [:]
  private var entries: [Key: UInt64] = [:]
  private var cachedDevices: [UInt32: UInt64] = [:]
  private var cachedEntries: [Key: UInt64] = [:]

  package private(set) var tableStores: UInt64 = 0
  package private(set) var invalidations: UInt64 = 0
  /// Reads of STATUSR.IDLE: at least one after each invalidation or sync.
  package private(set) var polls: UInt64 = 0
  package private(set) var tableReads: UInt64 = 0

  package init() {}

  // What software does. A store is not seen before its invalidation if the old entry was cached.

  package mutating func storeDevice(_ device: UInt32, _ entry: DeviceTableEntry) {
    devices[device] = entry.word
    tableStores += 1
  }

  package mutating func storeEvent(_ event: UInt32, of device: UInt32, _ entry: TranslationEntry) {
    entries[Key(device: device, event: event)] = entry.word
    tableStores += 1
  }

  /// DIDR, EIDR, then INV_EVENTR; poll STATUSR.
  package mutating func invalidateEvent(device: UInt32, event: UInt32) {
    cachedEntries[Key(device: device, event: event & 0xFFFF)] = nil
    invalidations += 1
    polls += 1
  }

  /// DIDR, then INV_DEVICER: the device's entry and all its events; poll STATUSR.
  package mutating func invalidateDevice(_ device: UInt32) {
    cachedDevices[device] = nil
    cachedEntries = cachedEntries.filter { $0.key.device != device }
    invalidations += 1
    polls += 1
  }

  /// SYNCR: earlier events have reached the IRS.
  package mutating func synchronise() { polls += 1 }

  /// What the hardware does with one event.
  package mutating func translate(device: UInt32, event: UInt32) -> Result {
    let deviceEntry = DeviceTableEntry(word: read(device))
    guard deviceEntry.isValid else { return .unmappedDevice }
    guard event >> UInt32(deviceEntry.eventIDBits) == 0 else { return .eventIDOutOfRange }
    let entry = TranslationEntry(word: read(Key(device: device, event: event)))
    guard entry.isValid else { return .unmappedEvent }
    return entry.isVirtual ? .virtual(vm: entry.vm, lpi: entry.lpi) : .physical(lpi: entry.lpi)
  }

  private mutating func read(_ device: UInt32) -> UInt64 {
    if let word = cachedDevices[device] { return word }
    tableReads += 1
    let word = devices[device] ?? 0
    if word & 1 == 1 { cachedDevices[device] = word }
    return word
  }

  private mutating func read(_ key: Key) -> UInt64 {
    if let word = cachedEntries[key] { return word }
    tableReads += 1
    let word = entries[key] ?? 0
    if word >> 31 & 1 == 1 { cachedEntries[key] = word }
    return word
  }
}
