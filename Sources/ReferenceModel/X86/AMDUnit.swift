/// An AMD IOMMU as far as interrupts go: one table per device, guest mode, the GA log.
/// Source: 48882, §2.2.5 and §2.2.6; register numbers as in Linux drivers/iommu/amd.
package struct AMDUnit: Sendable {
  package enum Drop: Hashable, Sendable {
    /// IV = 0 or IntCtl = 0.
    case targetAbort
    /// MSI data beyond the table.
    case indexOutOfRange
    /// RemapEn = 0.
    case entryDisabled
    case reservedInterruptType
  }

  package enum Result: Hashable, Sendable {
    case interrupt(vector: UInt8, destination: UInt32)
    /// Set in the vAPIC's IRR; `coalesced` if it was set already; a doorbell if the vCPU runs, else
    /// a log entry if the entry asks for one.
    case guest(vector: UInt8, tag: UInt32, coalesced: Bool, doorbell: UInt32?, logged: Bool)
    case dropped(Drop)
  }

  /// One 8-byte record: GATag 31:0, DeviceID 47:32, type 63:60 (1: guest not running).
  package struct LogEntry: Hashable, Sendable {
    package var tag: UInt32
    package var deviceID: UInt16
    package var word: UInt64 { UInt64(tag) | UInt64(deviceID) << 32 | 1 << 60 }
  }

  package var control: [UInt16: AMDInterruptControl] = [:]
  private var tables: [UInt16: [UInt32: AMDEntry]] = [:]
  private var cache: [UInt16: [UInt32: AMDEntry]] = [:]
  /// vAPIC IRR by backing page: bit v of word v/64.
  private var requests: [UInt64: [UInt64]] = [:]
  /// Linux allocates 512 entries; one is kept free, as in any ring with two equal pointers.
  package let logCapacity: Int
  package private(set) var log: [LogEntry] = []
  package private(set) var logOverflows: UInt64 = 0
  package private(set) var entryReads: UInt64 = 0
  package private(set) var entryWrites: UInt64 = 0
  package private(set) var invalidations: UInt64 = 0
  package private(set) var drops: [Drop: UInt64] = [:]

  package init(logCapacity: Int = 512) { self.logCapacity = logCapacity }

  package mutating func write(_ entry: AMDEntry, device: UInt16, index: UInt32) {
    entryWrites += 1
    tables[device, default: [:]][index] = entry
  }

  package func entry(device: UInt16, index: UInt32) -> AMDEntry? { tables[device]?[index] }

  /// INVALIDATE_INTERRUPT_TABLE.
  package mutating func invalidate(device: UInt16) {
    invalidations += 1
    cache[device] = nil
  }

  /// The index is bits 10:0 of the message's data.
  package mutating func request(_ message: X86Message, device: UInt16) -> Result {
    guard let control = control[device], control.isValid, control.control != 0 else {
      return drop(.targetAbort)
    }
    guard control.control == 2 else {
      return .interrupt(vector: message.vector, destination: message.destinationID)
    }
    let index = message.data & 0x7FF
    guard index < UInt32(1) << UInt32(control.log2Entries) else { return drop(.indexOutOfRange) }
    guard let entry = fetch(device, index) else { return drop(.entryDisabled) }
    switch entry {
    case .legacy(let e), .remapped(let e):
      guard e.isEnabled else { return drop(.entryDisabled) }
      // IntType 0 fixed, 1 arbitrated; 2 SMI, 3 NMI, 4 INIT, 6 ExtINT; 5 and 7 are reserved.
      guard e.interruptType != 5, e.interruptType != 7 else { return drop(.reservedInterruptType) }
      return .interrupt(vector: e.vector, destination: e.destination)
    case .guest(let e):
      guard e.isEnabled else { return drop(.entryDisabled) }
      return deliver(e, device: device)
    }
  }

  private mutating func deliver(_ e: AMDEntry.Guest, device: UInt16) -> Result {
    var words = requests[e.backingPage] ?? [0, 0, 0, 0]
    let bit = UInt64(1) << UInt64(e.vector % 64)
    let coalesced = words[Int(e.vector / 64)] & bit != 0
    words[Int(e.vector / 64)] |= bit
    requests[e.backingPage] = words
    if e.isRunning {
      return .guest(
        vector: e.vector, tag: e.tag, coalesced: coalesced, doorbell: e.destination, logged: false)
    }
    var logged = false
    if e.logsWhenNotRunning {
      if log.count < logCapacity - 1 {
        log.append(LogEntry(tag: e.tag, deviceID: device))
        logged = true
      } else {
        // The wake-up is lost; the IRR bit is not.
        logOverflows += 1
      }
    }
    return .guest(
      vector: e.vector, tag: e.tag, coalesced: coalesced, doorbell: nil, logged: logged)
  }

  /// The host empties the log.
  package mutating func drainLog() -> [LogEntry] {
    defer { log.removeAll() }
    return log
  }

  /// The guest takes `vector`; false if it was not requested.
  package mutating func acknowledge(backingPage: UInt64, vector: UInt8) -> Bool {
    guard var words = requests[backingPage] else { return false }
    let bit = UInt64(1) << UInt64(vector % 64)
    defer { requests[backingPage] = words }
    let was = words[Int(vector / 64)] & bit != 0
    words[Int(vector / 64)] &= ~bit
    return was
  }

  /// vCPU load or put: every entry of the vCPU is rewritten (Linux: avic_vcpu_load walks ir_list).
  /// Returns the number of entries written, which is what a migration costs.
  package mutating func setRunning(tag: UInt32, on destination: UInt32?) -> Int {
    var written = 0
    for (device, table) in tables {
      for (index, entry) in table {
        guard case .guest(var e) = entry, e.tag == tag else { continue }
        e.isRunning = destination != nil
        if let destination { e.destination = destination }
        tables[device]?[index] = .guest(e)
        cache[device]?[index] = nil
        written += 1
      }
    }
    entryWrites += UInt64(written)
    return written
  }

  private mutating func fetch(_ device: UInt16, _ index: UInt32) -> AMDEntry? {
    if let cached = cache[device]?[index] { return cached }
    entryReads += 1
    let entry = tables[device]?[index]
    // Our choice, since the specification leaves it open: an entry with RemapEn = 0 is not kept.
    if let entry, entry.isEnabled { cache[device, default: [:]][index] = entry }
    return entry
  }

  private mutating func drop(_ reason: Drop) -> Result {
    drops[reason, default: 0] += 1
    return .dropped(reason)
  }
}
