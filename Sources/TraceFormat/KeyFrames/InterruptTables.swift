import EventModel

/// The tables of an ITS as commands built them, and the interrupts that are pending.
///
/// Rules as in the reference model: a command that names nothing that is mapped has no effect;
/// MAPTI and VMAPTI overwrite a mapping; MAPD drops the device's mappings and leaves pending bits
/// alone; the pending bits of a vPE lie in its table in memory and outlive its mapping.
struct InterruptTables: Sendable {
  struct Device: Sendable {
    /// Bits of an EventID, less 1.
    var size: UInt64
    var table: UInt64
    var mappings: [UInt32: Mapping] = [:]
    func has(_ event: UInt32) -> Bool { UInt64(event) >> (size + 1) == 0 }
  }

  struct Mapping: Sendable {
    var intid: UInt32
    /// ICID or vPEID.
    var place: UInt16
    var isVirtual: Bool
    var doorbell = INTID.spurious.rawValue
  }

  /// A mapped vPE: its VMAPP, with what a VMOVP changed.
  struct VirtualPE: Sendable {
    var command: TraceEvent
    var words: ITSCommandWords { ITSCommandWords(command) }
    var vptAddress: UInt64 { words.pendingTable }
    var pe: UInt16 { UInt16(truncatingIfNeeded: words.target) }
    func has(_ intid: UInt32) -> Bool { UInt64(intid) >> (words.pendingTableSize + 1) == 0 }
  }

  /// A pending bit: in the table of a PE, or in a vPE's table by address.
  struct Pending: Hashable, Sendable {
    var isVirtual: Bool
    var place: UInt64
    var intid: UInt32

    static func pe(_ pe: UInt16, _ intid: UInt32) -> Pending {
      Pending(isVirtual: false, place: UInt64(pe), intid: intid)
    }
    static func virtual(_ vPE: VirtualPE, _ intid: UInt32) -> Pending {
      Pending(isVirtual: true, place: vPE.vptAddress, intid: intid)
    }
  }

  private let geometry: TableGeometry
  let intidBits: UInt64
  let peCount: UInt16
  private(set) var devices: [UInt32: Device] = [:]
  private(set) var collections: [UInt16: UInt16] = [:]
  private(set) var vPEs: [UInt16: VirtualPE] = [:]
  private(set) var pending: Set<Pending> = []
  /// The VMAPP that last named a pending table, for tables whose vPE is gone.
  private(set) var pendingTables: [UInt64: TraceEvent] = [:]
  /// VSGI by vPEID and SGI.
  private(set) var virtualSGIs = LastStores()
  private(set) var disabledPEs: Set<UInt16> = []
  var isEnabled = true

  init(_ geometry: TableGeometry) {
    self.geometry = geometry
    intidBits = UInt64(min(max(geometry.intidBits, 14), 24))
    peCount = max(geometry.peCount, 1)
  }

  func isLPI(_ intid: UInt32) -> Bool {
    intid >= INTID.firstLPI.rawValue && UInt64(intid) >> intidBits == 0
  }

  private func isDoorbell(_ intid: UInt32) -> Bool {
    intid == INTID.spurious.rawValue || isLPI(intid)
  }

  private static func fits(_ id: UInt32, _ bits: UInt8) -> Bool {
    UInt64(id) >> UInt64(bits) == 0
  }

  /// - Parameter vcpus: where vPEs are, for doorbells.
  mutating func execute(_ command: ITSCommandWords, _ vcpus: VCPUResidency) {
    let (device, event) = (command.device, command.eventID)
    switch command.opcode {
    case 0x01: moveEvent(device, event, to: command.collection)
    case 0x03: trigger(device, event, vcpus)
    case 0x04: _ = clear(device, event)
    case 0x08: mapDevice(command)
    case 0x09: mapCollection(command)
    case 0x0A:
      map(
        device, event, .init(intid: command.upper1, place: command.collection, isVirtual: false))
    case 0x0B:
      map(device, event, .init(intid: event, place: command.collection, isVirtual: false))
    case 0x0E: moveAll(command.target, to: command.secondTarget)
    case 0x0F: if clear(device, event) { devices[device]?.mappings[event] = nil }
    case 0x21: moveVirtual(command, vcpus)
    case 0x22:
      guard command.target < peCount, let vPE = vPEs[command.vPE] else { break }
      vPEs[command.vPE]?.command.word2 =
        vPE.command.word2 & ~(0xF_FFFF_FFFF << 16) | command.target << 16
    // Clear = 1 clears a pending bit and configures nothing.
    case 0x23 where command.event.word0 >> 9 & 1 == 0 && vPEs[command.vPE] != nil:
      let sgi = command.event.word0 >> 32 & 0xF
      virtualSGIs.store(command.event, at: .init(UInt64(command.vPE), sgi, 0, 0))
    case 0x29: mapVPE(command)
    case 0x2A: mapVirtual(command, intid: command.lower2)
    case 0x2B: mapVirtual(command, intid: event)
    default: break
    }
  }

  // MARK: Mapping

  private mutating func mapDevice(_ command: ITSCommandWords) {
    guard Self.fits(command.device, geometry.deviceIDBits) else { return }
    guard command.isValid else {
      devices[command.device] = nil
      return
    }
    guard command.deviceSize < UInt64(geometry.eventIDBits) else { return }
    devices[command.device] = Device(size: command.deviceSize, table: command.translationTable)
  }

  private mutating func mapCollection(_ command: ITSCommandWords) {
    guard Self.fits(UInt32(command.collection), geometry.collectionIDBits) else { return }
    guard command.isValid else {
      collections[command.collection] = nil
      return
    }
    guard command.target < peCount else { return }
    collections[command.collection] = UInt16(command.target)
  }

  private mutating func map(_ device: UInt32, _ event: UInt32, _ mapping: Mapping) {
    guard isLPI(mapping.intid), devices[device]?.has(event) == true,
      mapping.isVirtual || Self.fits(UInt32(mapping.place), geometry.collectionIDBits)
    else { return }
    devices[device]?.mappings[event] = mapping
  }

  private mutating func mapVirtual(_ command: ITSCommandWords, intid: UInt32) {
    guard Self.fits(UInt32(command.vPE), geometry.vPEIDBits), isDoorbell(command.upper2) else {
      return
    }
    map(
      command.device, command.eventID,
      .init(intid: intid, place: command.vPE, isVirtual: true, doorbell: command.upper2))
  }

  private mutating func mapVPE(_ command: ITSCommandWords) {
    guard Self.fits(UInt32(command.vPE), geometry.vPEIDBits) else { return }
    guard command.isValid else {
      vPEs[command.vPE] = nil
      return
    }
    guard command.target < peCount, command.pendingTableSize < intidBits else { return }
    var event = command.event
    event.time = 0
    vPEs[command.vPE] = VirtualPE(command: event)
    pendingTables[command.pendingTable] = event
  }

  // MARK: Moving

  private mutating func moveEvent(_ device: UInt32, _ event: UInt32, to collection: UInt16) {
    guard let mapping = devices[device]?.mappings[event], !mapping.isVirtual,
      let from = collections[mapping.place], let to = collections[collection]
    else { return }
    devices[device]?.mappings[event]?.place = collection
    if from != to { movePending(mapping.intid, from: from, to: to) }
  }

  private mutating func movePending(_ intid: UInt32, from: UInt16, to: UInt16) {
    guard !disabledPEs.contains(from), pending.remove(.pe(from, intid)) != nil else { return }
    if !disabledPEs.contains(to) { pending.insert(.pe(to, intid)) }
  }

  private mutating func moveAll(_ from: UInt64, to: UInt64) {
    guard from < peCount, to < peCount, from != to else { return }
    for bit in pending where !bit.isVirtual && bit.place == from {
      movePending(bit.intid, from: UInt16(from), to: UInt16(to))
    }
  }

  private mutating func moveVirtual(_ command: ITSCommandWords, _ vcpus: VCPUResidency) {
    guard let mapping = devices[command.device]?.mappings[command.eventID], mapping.isVirtual
    else { return }
    let doorbell = command.event.word2 & 1 == 1 ? command.upper2 : mapping.doorbell
    guard isDoorbell(doorbell), let old = vPEs[mapping.place], let new = vPEs[command.vPE],
      old.has(mapping.intid), new.has(mapping.intid)
    else { return }
    let moved = Mapping(
      intid: mapping.intid, place: command.vPE, isVirtual: true, doorbell: doorbell)
    devices[command.device]?.mappings[command.eventID] = moved
    guard mapping.place != command.vPE, pending.remove(.virtual(old, mapping.intid)) != nil else {
      return
    }
    makePending(moved, new, vcpus)
  }

  // MARK: Pending bits

  /// An MSI that reached the doorbell, or INT.
  mutating func trigger(_ device: UInt32, _ event: UInt32, _ vcpus: VCPUResidency) {
    guard isEnabled, let mapping = devices[device]?.mappings[event] else { return }
    if mapping.isVirtual {
      guard let vPE = vPEs[mapping.place], vPE.has(mapping.intid) else { return }
      makePending(mapping, vPE, vcpus)
    } else if let pe = collections[mapping.place] {
      setPending(mapping.intid, pe: pe)
    }
  }

  /// A doorbell of GICv4.0 rings where the bit rises and the vPE is away.
  private mutating func makePending(
    _ mapping: Mapping, _ vPE: VirtualPE, _ vcpus: VCPUResidency
  ) {
    guard pending.insert(.virtual(vPE, mapping.intid)).inserted,
      mapping.doorbell != INTID.spurious.rawValue, !vcpus.isResident(vPE.vptAddress, vPE.pe)
    else { return }
    setPending(mapping.doorbell, pe: vPE.pe)
  }

  mutating func setPending(_ intid: UInt32, pe: UInt16) {
    guard isLPI(intid), !disabledPEs.contains(pe) else { return }
    pending.insert(.pe(pe, intid))
  }

  mutating func clearPending(_ intid: UInt32, pe: UInt16) { pending.remove(.pe(pe, intid)) }

  mutating func acknowledge(_ intid: UInt32, _ target: InterruptTarget) {
    guard target.isVPE else { return clearPending(intid, pe: target.number) }
    guard let vPE = vPEs[target.number] else { return }
    pending.remove(.virtual(vPE, intid))
  }

  /// CLEAR, and the first half of DISCARD. False where the command fails.
  private mutating func clear(_ device: UInt32, _ event: UInt32) -> Bool {
    guard let mapping = devices[device]?.mappings[event] else { return false }
    if mapping.isVirtual {
      guard let vPE = vPEs[mapping.place], vPE.has(mapping.intid) else { return false }
      pending.remove(.virtual(vPE, mapping.intid))
    } else {
      guard let pe = collections[mapping.place] else { return false }
      pending.remove(.pe(pe, mapping.intid))
    }
    return true
  }

  /// GICR_CTLR.EnableLPIs. Enabling promises an empty pending table (GICR_PENDBASER.PTZ).
  mutating func setLPIs(enabled: Bool, pe: UInt16) {
    guard enabled else {
      disabledPEs.insert(pe)
      return
    }
    guard disabledPEs.remove(pe) != nil else { return }
    pending = pending.filter { $0.isVirtual || $0.place != UInt64(pe) }
  }

  /// Pending tables that no vPE has and no bit is set in are forgotten.
  mutating func forgetEmptyTables() {
    guard pendingTables.count > vPEs.count else { return }
    var used = Set(vPEs.values.map(\.vptAddress))
    for bit in pending where bit.isVirtual { used.insert(bit.place) }
    pendingTables = pendingTables.filter { used.contains($0.key) }
  }
}
