import EventModel
import ReferenceModel
import TestSupport

@testable import TranslationCore

/// The same small interrupt machine twice, the core and the slow reference, fed with the same
/// commands and events and compared at every step.
///
/// The core keeps one pending bit per LPI, the reference one per LPI and redistributor. They agree as
/// long as no LPI is left pending at a redistributor that its event no longer leads to; software that
/// keeps to the architecture sees to that, and here `acknowledgeAll` does before such a change.
struct ITSPair: ~Copyable {
  var core: ITSCore
  var reference: ITS
  private(set) var outcomes: [OutcomeClass: Int] = [:]
  private(set) var failures: Set<ITSError.Condition> = []
  /// What differed, in words; the tests want it empty.
  private(set) var differences: [String] = []
  private var steps = 0
  private var hasDisabledPE = false
  private var mayBePending = false

  static var geometry: TableGeometry {
    var geometry = TableGeometry()
    geometry.deviceIDBits = 4
    geometry.eventIDBits = 5
    geometry.collectionIDBits = 3
    geometry.intidBits = 14
    geometry.peCount = 3
    return geometry
  }

  init(_ geometry: TableGeometry = Self.geometry) {
    core = ITSCore(geometry: geometry)
    reference = ITS.provisioned(
      ITS.Configuration(geometry), policy: ITS.Policy.specification.forRecordings())
  }

  private mutating func note(_ text: String) {
    if differences.count < 10 { differences.append("step \(steps): \(text)") }
  }

  mutating func execute(_ command: ITSCommand) { execute(command.packet) }

  mutating func execute(_ packet: ITSCommandPacket) {
    steps += 1
    switch UInt8(truncatingIfNeeded: packet.dw0) {
    case 0x01 where hasDisabledPE: acknowledgeAll()
    case 0x09, 0x0A, 0x0B, 0x0E, 0x2A, 0x2B: acknowledgeAll()
    default: break
    }
    if packet.dw0 & 0xFF == 0x03 { mayBePending = true }
    let before = core.failedCommands
    let failure = reference.execute(packet)
    if let failure { failures.insert(failure.condition) }
    core.execute(packet.dw0, packet.dw1, packet.dw2, packet.dw3)
    if (core.failedCommands != before) != (failure != nil) {
      note("\(packet): reference \(failure as Any), core \(core.commandErrors)")
    }
  }

  @discardableResult
  mutating func translate(_ deviceID: UInt32, _ eventID: UInt32) -> Outcome {
    steps += 1
    let expected = reference.translate(deviceID: DeviceID(deviceID), eventID: EventID(eventID))
    let found = core.translate(deviceID: deviceID, eventID: eventID)
    outcomes[found.outcome, default: 0] += 1
    if !found.outcome.isLost { mayBePending = true }
    if expected.outcome != found.outcome || expected.intid != found.intid
      || expected.target != found.target
    {
      note("device \(deviceID) event \(eventID): expected \(expected), found \(found)")
    }
    return found
  }

  mutating func acknowledge(_ target: InterruptTarget, _ intid: UInt32) {
    steps += 1
    guard reference.acknowledge(target: target, intid: INTID(intid)) else { return }
    core.pending.acknowledge(intid, target)
  }

  mutating func acknowledgeAll() {
    guard mayBePending else { return }
    for bit in reference.pendingBits { acknowledge(bit.target, bit.intid.rawValue) }
    mayBePending = false
  }

  /// Software stores a configuration byte of a physical LPI and tells every redistributor.
  mutating func configure(_ intid: UInt32, enabled: Bool) {
    steps += 1
    let byte: UInt8 = enabled ? 0xA3 : 0xA2
    reference.storeConfiguration(.pe(0), INTID(intid), byte)
    for pe in 0..<reference.configuration.peCount {
      reference.writeRedistributor(pe, offset: 0xA0, value: UInt64(intid))
    }
    core.pending.store(configuration: byte, intid, .pe(0))
    core.pending.refresh(intid, .pe(0))
  }

  mutating func enableITS(_ isEnabled: Bool) {
    steps += 1
    reference.write(register: 0, value: isEnabled ? 1 : 0, sizeBytes: 4)
    core.isEnabled = isEnabled
  }

  mutating func enableLPIs(_ isEnabled: Bool, _ pe: UInt16) {
    steps += 1
    acknowledgeAll()
    reference.writeRedistributor(pe, offset: 0, value: isEnabled ? 1 : 0)
    core.setLPIs(enabled: isEnabled, pe: pe)
    hasDisabledPE = reference.redistributors.contains { !$0.lpisEnabled }
  }

  /// Final tables, pending bits and reads, in both directions.
  mutating func compareTables() {
    var mappings: [ITS.Mapping] = []
    for device in 0..<UInt32(16) {
      for event in 0..<UInt32(32) {
        guard let entry = core.mapping(device, event) else { continue }
        mappings.append(
          ITS.Mapping(
            deviceID: DeviceID(device), eventID: EventID(event), intid: INTID(entry.intid),
            destination: entry.isVirtual
              ? .vPE(entry.place, doorbell: .spurious) : .collection(entry.place)))
      }
    }
    if mappings != reference.mappings { note("mappings differ") }
    for isVPE in [false, true] {
      var bytes = [UInt8](repeating: 0, count: Int(core.pending.count / 8))
      for bit in reference.pendingBits where bit.target.isVPE == isVPE {
        bytes[Int(bit.intid.rawValue / 8)] |= 1 << (bit.intid.rawValue % 8)
      }
      if bytes != core.pending.exportBits(ofVPEs: isVPE) { note("pending bits differ") }
    }
    var counters = WorkCounters()
    core.addCounters(to: &counters)
    for (name, path) in WorkCounters.fields
    where [
      "interrupts-offered", "device-table-reads", "itt-reads", "collection-table-reads",
      "vpe-table-reads", "its-commands",
    ].contains(name) {
      let expected = reference.counters[keyPath: path]
      if counters[keyPath: path] != expected {
        note("\(name): expected \(expected), found \(counters[keyPath: path])")
      }
    }
  }
}

extension ITSCore {
  var failedCommands: UInt64 { commandErrors.values.reduce(0, +) }
}
