import EventModel
import ReferenceModel
import TestSupport

@testable import TranslationCore

/// The same small interrupt machine twice, the core and the slow reference, fed with the same
/// commands, register writes and events, and compared at every step: outcomes, errors, what registers
/// read. In the end, every table and pending bit.
struct ITSPair: ~Copyable {
  var core: ITSCore
  var reference: ITS
  let rules: ITSRules
  private(set) var outcomes: [OutcomeClass: Int] = [:]
  /// What differed, in words; the tests want it empty.
  private(set) var differences: [String] = []
  private(set) var steps = 0

  static var geometry: TableGeometry {
    var geometry = TableGeometry()
    geometry.deviceIDBits = 4
    geometry.eventIDBits = 5
    geometry.collectionIDBits = 3
    geometry.vPEIDBits = 3
    geometry.intidBits = 14
    geometry.peCount = 3
    return geometry
  }

  init(_ rules: ITSRules = ITSRules(version: .v4), _ geometry: TableGeometry = Self.geometry) {
    self.rules = rules
    core = ITSCore(geometry: geometry, rules: rules)
    reference = ITS.provisioned(
      ITS.Configuration(geometry, version: ITS.Version(rawValue: rules.version.rawValue)!),
      policy: ITS.Policy(rules))
  }

  mutating func note(_ text: @autoclosure () -> String) {
    if differences.count < 10 { differences.append("step \(steps): \(text())") }
  }

  mutating func expect<Value: Equatable>(
    _ expected: Value, _ found: Value, _ what: @autoclosure () -> String
  ) {
    if expected != found { note("\(what()): expected \(expected), found \(found)") }
  }

  // MARK: Steps

  mutating func execute(_ command: ITSCommand) { execute(command.packet) }

  mutating func execute(_ packet: ITSCommandPacket) {
    steps += 1
    let expected = reference.execute(packet)
    let found = core.execute(packet.dw0, packet.dw1, packet.dw2, packet.dw3)
    expect(expected, found, "\(packet)")
    if packet.dw0 & 0xFF == ITSCommandOpcode.vmapp.rawValue { compareArmed() }
  }

  @discardableResult
  mutating func translate(_ deviceID: UInt32, _ eventID: UInt32) -> Outcome {
    steps += 1
    var expected = reference.translate(deviceID: DeviceID(deviceID), eventID: EventID(eventID))
    // The core leaves the doorbell's address to whoever matched it.
    expected.address = 0
    let found = core.translate(deviceID: deviceID, eventID: eventID)
    outcomes[found.outcome, default: 0] += 1
    expect(expected, found, "device \(deviceID) event \(eventID)")
    return found
  }

  mutating func acknowledge(_ target: InterruptTarget, _ intid: UInt32) {
    steps += 1
    let expected = reference.acknowledge(target: target, intid: INTID(intid))
    let found = core.acknowledge(target, intid)
    expect(expected, found, "acknowledge \(target) \(intid)")
  }

  mutating func store(_ target: InterruptTarget, _ intid: UInt32, configuration byte: UInt8) {
    steps += 1
    reference.storeConfiguration(target, INTID(intid), byte)
    core.storeConfiguration(target, intid, byte)
  }

  mutating func enableITS(_ isEnabled: Bool) {
    steps += 1
    reference.write(register: ITS.Register.ctlr, value: isEnabled ? 1 : 0, sizeBytes: 4)
    core.isEnabled = isEnabled
  }

  mutating func write(_ register: ITSCore.RedistributorRegister, _ value: UInt64, pe: UInt16) {
    steps += 1
    reference.writeRedistributor(pe, offset: register.rawValue, value: value)
    core.write(register, value, pe: pe)
    if register == .vpendbaser { compareArmed() }
  }

  /// The vPEs, mapped or not, whose default doorbell is asked for.
  private mutating func compareArmed() {
    let armed = Set((0..<UInt16(8)).filter { core.vPERecord($0).isArmed })
    expect(reference.armedDoorbells.filter { $0 < 8 }, armed, "armed")
  }

  mutating func read(_ register: ITSCore.RedistributorRegister, pe: UInt16) {
    steps += 1
    let expected = reference.readRedistributor(pe, offset: register.rawValue)
    let found = core.read(register, pe: pe)
    expect(expected, found, "\(register) of PE \(pe)")
  }

  mutating func raiseSGI(_ sgi: UInt8, vPE: UInt16) {
    steps += 1
    reference.write(
      register: ITS.Register.sgir, value: UInt64(vPE) << 32 | UInt64(sgi))
    core.raiseSGI(sgi, vPE: vPE)
  }

  // MARK: In the end

  /// Tables, pending bits, residency, errors and counters, in both directions.
  mutating func compareTables() {
    compareMappings()
    for icid in 0..<UInt16(8) {
      let expected = reference.collections.first { $0.icid == icid }?.processor
      expect(expected, core.collection(icid), "collection \(icid)")
    }
    for pe in 0..<reference.configuration.peCount {
      expect(
        reference.pendingTable(ofPE: pe), core.pendingTable(ofPE: pe), "pending table of PE \(pe)")
      for register in [ITSCore.RedistributorRegister.ctlr, .vpropbaser, .vpendbaser, .vsgipendr] {
        read(register, pe: pe)
      }
    }
    for vPE in 0..<UInt16(8) { compare(vPE: vPE) }
    let errors = core.errors
    for (error, count) in reference.errors where error.opcode != ITSCommandOpcode.int.rawValue {
      expect(count, errors[error] ?? 0, "\(error)")
    }
    for (error, count) in errors where error.opcode != ITSCommandOpcode.int.rawValue {
      expect(reference.errors[error] ?? 0, count, "\(error)")
    }
    compareCounters()
  }

  /// The pending bits of a few LPIs everywhere, and that there are no others.
  mutating func comparePending(_ intids: [UInt32]) {
    var found: [ITS.PendingBit] = []
    for pe in 0..<reference.configuration.peCount {
      for intid in intids where core.isPending(.pe(pe), intid) {
        found.append(ITS.PendingBit(target: .pe(pe), intid: INTID(intid)))
      }
    }
    for (vPE, _) in reference.vPEs {
      for intid in intids where core.isPending(.vpe(vPE), intid) {
        found.append(ITS.PendingBit(target: .vpe(vPE), intid: INTID(intid)))
      }
    }
    expect(reference.pendingBits, found, "pending bits")
  }

  private mutating func compareMappings() {
    var mappings: [ITS.Mapping] = []
    for device in 0..<UInt32(16) {
      for event in 0..<UInt32(32) {
        guard let entry = core.mapping(device, event) else { continue }
        mappings.append(
          ITS.Mapping(
            deviceID: DeviceID(device), eventID: EventID(event), intid: INTID(entry.intid),
            destination: entry.isVirtual
              ? .vPE(entry.place, doorbell: INTID(core.doorbell(device, event)!))
              : .collection(entry.place)))
      }
    }
    expect(reference.mappings, mappings, "mappings")
  }

  private mutating func compare(vPE: UInt16) {
    let expected = reference.vPEs.first { $0.vPEID == vPE }?.entry
    guard let found = core.vPE(vPE), let expected else {
      return expect(expected == nil, core.vPE(vPE) == nil, "vPE \(vPE) is unmapped")
    }
    expect(
      [
        UInt64(expected.processor), expected.vptAddress, UInt64(expected.vptSize) + 1,
        UInt64(expected.defaultDoorbell),
      ],
      [
        UInt64(found.processor), found.vptAddress, UInt64(found.log2INTIDs),
        UInt64(found.defaultDoorbell),
      ], "vPE \(vPE)")
    expect(reference.isResident(vPE, expected), found.isResident, "vPE \(vPE) resident")
    expect(reference.armedDoorbells.contains(vPE), found.isArmed, "vPE \(vPE) armed")
    expect(
      reference.pendingTable(ofVPE: vPE), core.pendingTable(ofVPE: vPE), "VPT of vPE \(vPE)")
  }

  private mutating func compareCounters() {
    var counters = WorkCounters()
    core.addCounters(to: &counters)
    for (name, path) in WorkCounters.fields {
      expect(reference.counters[keyPath: path], counters[keyPath: path], name)
    }
  }
}

extension ITS.Policy {
  init(_ rules: ITSRules) {
    self = .specification
    liveMapping = rules.keepsLiveMappings ? .ignore : .overwrite
    invallScope =
      rules.invallReachesEveryRedistributor ? .everyRedistributor : .redistributorOfCollection
    doorbell = rules.ringsForEveryEvent ? .everyEvent : .pendingBitRises
    lpisEnabledByDefault = rules.lpisEnabledByDefault
    dirtyReads = Int(rules.dirtyReads)
  }
}

extension ITSRules {
  /// Every version by the letter, and the departures together.
  static let all: [ITSRules] = [.v3, .v4, .v41].flatMap { (version: Version) -> [ITSRules] in
    var other = ITSRules(version: version)
    other.keepsLiveMappings = true
    other.invallReachesEveryRedistributor = true
    other.ringsForEveryEvent = true
    other.lpisEnabledByDefault = false
    other.dirtyReads = 1
    return [ITSRules(version: version), other]
  }
}
