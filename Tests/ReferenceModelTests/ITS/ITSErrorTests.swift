import EventModel
import ReferenceModel
import Testing

/// One test per error condition, with the number that the architecture gives it.
@Suite struct ITSErrorTests {
  private func expect(
    _ command: ITSCommand, _ condition: ITSError.Condition, number: UInt32?,
    on its: ITS = virtualITS(), sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var its = its
    let before = (its.mappings, its.pendingBits, its.devices.map(\.entry), its.vPEs.map(\.entry))
    let error = its.execute(command)
    #expect(error?.condition == condition, sourceLocation: sourceLocation)
    #expect(error?.number == number, sourceLocation: sourceLocation)
    let expected = ITSError(condition, command.opcode)
    #expect(its.errors[expected] == 1, "it is counted", sourceLocation: sourceLocation)
    #expect(its.mappings == before.0, "it changes nothing", sourceLocation: sourceLocation)
    #expect(its.pendingBits == before.1, sourceLocation: sourceLocation)
    #expect(its.devices.map(\.entry) == before.2, sourceLocation: sourceLocation)
    #expect(its.vPEs.map(\.entry) == before.3, sourceLocation: sourceLocation)
  }

  private let far = DeviceID(0x1_0000)
  private let unmapped = DeviceID(9)
  private let event = EventID(0)

  @Test func mapdOfADeviceBeyondTheTable() {
    expect(
      .mapd(far, size: 0, ittAddress: 0, valid: true), .deviceIDOutOfRange, number: 0x01_0801)
  }
  @Test func mapdWithMoreEventBitsThanSupported() {
    expect(
      .mapd(unmapped, size: 16, ittAddress: 0, valid: true), .tableSizeOutOfRange,
      number: 0x01_0802)
  }
  @Test func mapcOfACollectionBeyondTheTable() {
    var configuration = ITS.Configuration(peCount: 2)
    configuration.collectionIDBits = 4
    expect(
      .mapc(icid: 16, rdBase: 0, valid: true), .collectionOutOfRange, number: 0x01_0903,
      on: .provisioned(configuration))
  }
  @Test func mapcToARedistributorThatIsNotThere() {
    expect(.mapc(icid: 0, rdBase: 2, valid: true), .targetOutOfRange, number: 0x01_0902)
  }
  @Test func maptiOfADeviceBeyondTheTable() {
    expect(
      .mapti(far, event, pINTID: INTID(8192), icid: 0), .deviceIDOutOfRange, number: 0x01_0A01)
  }
  @Test func maptiOfAnUnmappedDevice() {
    expect(
      .mapti(unmapped, event, pINTID: INTID(8192), icid: 0), .unmappedDevice, number: 0x01_0A04)
  }
  @Test func maptiOfAnEventBeyondTheITT() {
    expect(
      .mapti(device, EventID(4), pINTID: INTID(8192), icid: 0), .eventIDOutOfRange,
      number: 0x01_0A05)
  }
  @Test(arguments: [0, 1023, 8191, 65536] as [UInt32])
  func maptiToAnINTIDThatIsNoLPI(_ intid: UInt32) {
    expect(
      .mapti(device, event, pINTID: INTID(intid), icid: 0), .intidOutOfRange, number: 0x01_0A06)
  }
  @Test func maptiToACollectionBeyondTheTable() {
    var configuration = ITS.Configuration(peCount: 2)
    configuration.collectionIDBits = 4
    var its = ITS.provisioned(configuration)
    its.execute(.mapd(device, size: 1, ittAddress: 0x4000_0000, valid: true))
    expect(
      .mapti(device, event, pINTID: INTID(8192), icid: 16), .collectionOutOfRange,
      number: 0x01_0A03, on: its)
  }
  @Test func mapiTakesTheEventIDAsINTID() {
    expect(.mapi(device, EventID(3), icid: 0), .intidOutOfRange, number: 0x01_0B06)
  }
  @Test func moviOfAnUnmappedEvent() {
    expect(.movi(device, event, icid: 0), .unmappedInterrupt, number: 0x01_0107)
  }
  @Test func moviToAnUnmappedCollection() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    expect(.movi(device, event, icid: 7), .unmappedCollection, number: 0x01_0109, on: its)
  }
  @Test func moviFromAnUnmappedCollection() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192, icid: 7)
    expect(.movi(device, event, icid: 0), .unmappedCollection, number: 0x01_0109, on: its)
  }
  @Test func moviOfAVirtualInterrupt() {
    var its = virtualITS()
    its.mapVirtual(0, to: 8192)
    expect(.movi(device, event, icid: 0), .wrongInterruptKind, number: nil, on: its)
  }
  @Test func movallBetweenRedistributorsThatAreNotThere() {
    expect(.movall(from: 0, to: 2), .targetOutOfRange, number: 0x01_0E01)
    expect(.movall(from: 2, to: 0), .targetOutOfRange, number: 0x01_0E01)
  }
  @Test func intOfAnUnmappedDevice() {
    expect(.int(unmapped, event), .unmappedDevice, number: 0x01_0304)
  }
  @Test func intOfADeviceBeyondTheTable() {
    expect(.int(far, event), .deviceIDOutOfRange, number: 0x01_0301)
  }
  @Test func intOfAnEventBeyondTheITT() {
    expect(.int(device, EventID(4)), .eventIDOutOfRange, number: 0x01_0305)
  }
  @Test func intOfAnUnmappedEvent() {
    expect(.int(device, event), .unmappedInterrupt, number: 0x01_0307)
  }
  @Test func clearOfAnUnmappedEvent() {
    expect(.clear(device, event), .unmappedInterrupt, number: 0x01_0507)
  }
  @Test func clearOfAnUnmappedDevice() {
    expect(.clear(unmapped, event), .unmappedDevice, number: 0x01_0504)
  }
  @Test func discardOfAnUnmappedEvent() {
    expect(.discard(device, event), .unmappedInterrupt, number: 0x01_0F07)
  }
  @Test func discardWithAnUnmappedCollectionKeepsTheEntry() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192, icid: 7)
    expect(.discard(device, event), .unmappedCollection, number: 0x01_0F09, on: its)
  }
  @Test func invOfAnUnmappedEvent() {
    expect(.inv(device, event), .unmappedInterrupt, number: 0x01_0C07)
  }
  @Test func invallOfAnUnmappedCollection() {
    expect(.invall(icid: 7), .unmappedCollection, number: 0x01_0D09)
  }
  @Test func invallOfACollectionBeyondTheTable() {
    var configuration = ITS.Configuration(peCount: 2)
    configuration.collectionIDBits = 4
    expect(
      .invall(icid: 16), .collectionOutOfRange, number: 0x01_0D03, on: .provisioned(configuration))
  }
  @Test func syncOfARedistributorThatIsNotThere() {
    expect(.sync(rdBase: 2), .targetOutOfRange, number: nil)
  }

  // GICv4.
  @Test func vmappBeyondTheVPETable() {
    var configuration = ITS.Configuration(peCount: 2)
    configuration.vPEIDBits = 4
    expect(
      .vmapp(.init(vPEID: 16, rdBase: 0, vptSize: 15, vptAddress: vpt0)), .vPEIDOutOfRange,
      number: nil, on: .provisioned(configuration))
  }
  @Test func vmappToARedistributorThatIsNotThere() {
    expect(
      .vmapp(.init(vPEID: 5, rdBase: 2, vptSize: 15, vptAddress: vpt0)), .targetOutOfRange,
      number: nil)
  }
  @Test func vmappWithATableTooBig() {
    expect(
      .vmapp(.init(vPEID: 5, rdBase: 0, vptSize: 16, vptAddress: vpt0)), .tableSizeOutOfRange,
      number: nil)
  }
  @Test(arguments: [0, 8191, 65536] as [UInt32])
  func vmaptiToAVINTIDThatIsNoLPI(_ vINTID: UInt32) {
    expect(
      .vmapti(device, event, vPEID: 0, vINTID: INTID(vINTID), doorbell: .spurious),
      .intidOutOfRange, number: nil)
  }
  @Test(arguments: [0, 1022, 8191, 65536] as [UInt32])
  func vmaptiWithADoorbellThatIsNoLPI(_ doorbell: UInt32) {
    expect(
      .vmapti(device, event, vPEID: 0, vINTID: INTID(8192), doorbell: INTID(doorbell)),
      .intidOutOfRange, number: nil)
  }
  @Test func vmaptiOfAnUnmappedDevice() {
    expect(
      .vmapti(unmapped, event, vPEID: 0, vINTID: INTID(8192), doorbell: .spurious),
      .unmappedDevice, number: nil)
  }
  @Test func vmoviOfAPhysicalInterrupt() {
    var its = virtualITS()
    its.mapPhysical(0, to: 8192)
    expect(
      .vmovi(device, event, vPEID: 1, doorbellValid: false, doorbell: .spurious),
      .wrongInterruptKind, number: nil, on: its)
  }
  @Test func vmoviToAnUnmappedVPE() {
    var its = virtualITS()
    its.mapVirtual(0, to: 8192)
    expect(
      .vmovi(device, event, vPEID: 5, doorbellValid: false, doorbell: .spurious), .unmappedVPE,
      number: nil, on: its)
  }
  @Test(arguments: [
    ITSCommand.vmovp(.init(vPEID: 5, rdBase: 0)), .vinvall(vPEID: 5), .vsync(vPEID: 5),
  ])
  func commandsForAnUnmappedVPE(_ command: ITSCommand) {
    expect(command, .unmappedVPE, number: nil)
  }
  @Test(arguments: [
    ITSCommand.invdb(vPEID: 5), .vsgi(.init(vPEID: 5, sgi: 0, enable: true, priority: 0)),
  ])
  func commandsOfGICv41ForAnUnmappedVPE(_ command: ITSCommand) {
    expect(command, .unmappedVPE, number: nil, on: virtualITS(version: .v4_1))
  }

  @Test func commandsOfALaterVersionAreUnknown() {
    expect(.invdb(vPEID: 0), .unknownCommand, number: nil, on: virtualITS(version: .v4_0))
    expect(.vsync(vPEID: 0), .unknownCommand, number: nil, on: mappedITS(version: .v3))
  }

  // Lost MSIs: the class under which they are counted, and that nothing is pending.
  private func lose(
    _ outcome: OutcomeClass, _ its: ITS, _ id: DeviceID = device, _ event: UInt32 = 0,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var its = its
    let result = its.raise(event, device: id)
    #expect(
      result == Outcome(address: 0x0809_0040, outcome: outcome), sourceLocation: sourceLocation)
    #expect(its.outcomes == [outcome: 1], sourceLocation: sourceLocation)
    #expect(its.pendingBits.isEmpty, sourceLocation: sourceLocation)
    #expect(its.counters.interruptsOffered == 1, sourceLocation: sourceLocation)
  }

  @Test func msiWhileTheITSIsDisabled() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    its.write(register: ITS.Register.ctlr, value: 0, sizeBytes: 4)
    lose(.itsDisabled, its)
  }
  @Test func msiOfADeviceBeyondTheTable() { lose(.deviceIDOutOfRange, mappedITS(), far) }
  @Test func msiOfAnUnmappedDevice() { lose(.unmappedDevice, mappedITS(), unmapped) }
  @Test func msiOfAnEventBeyondTheITT() { lose(.eventIDOutOfRange, mappedITS(), device, 4) }
  @Test func msiOfAnUnmappedEvent() { lose(.unmappedEvent, mappedITS(), device, 3) }
  @Test func msiToAnUnmappedCollection() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192, icid: 7)
    lose(.unmappedCollection, its)
  }
  @Test func msiToAnUnmappedVPE() {
    var its = virtualITS()
    its.mapVirtual(0, to: 8192, vPE: 5)
    lose(.unmappedVPE, its)
  }
  @Test func msiToATargetWithLPIsDisabled() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    its.writeRedistributor(1, offset: Redistributor.Register.ctlr, value: 0, sizeBytes: 4)
    lose(.lpisDisabled, its)
  }
  @Test func msiBeyondThePropbaserOfTheTarget() {
    var its = mappedITS()
    its.mapPhysical(0, to: 20000)
    its.writeRedistributor(1, offset: Redistributor.Register.ctlr, value: 0)
    its.writeRedistributor(1, offset: Redistributor.Register.propbaser, value: 0x5000_0000 | 13)
    its.writeRedistributor(1, offset: Redistributor.Register.ctlr, value: 1)
    lose(.intidOutOfRange, its)
  }
  @Test func msiBeyondTheVirtualPendingTable() {
    var its = virtualITS()
    its.execute(.vmapp(.init(vPEID: 0, rdBase: 0, vptSize: 13, vptAddress: vpt0)))
    its.mapVirtual(0, to: 20000)
    lose(.intidOutOfRange, its)
  }
  @Test func msiBeyondTheVpropbaserOfAResidentVPE() {
    var its = virtualITS()
    its.mapVirtual(0, to: 20000)
    its.load(vpt: vpt0, pe: 0, idBits: 14)
    lose(.intidOutOfRange, its)
  }
  @Test func msiWhoseTableCannotBeRead() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    its.memory.inaccessible = [0x4000_0000..<0x4000_1000]
    lose(.unmappedDevice, its)
    its.raise(0)
    #expect(its.errors[ITSError(.memoryAborted, ITSCommand.Opcode.int)] == 1)
  }
  @Test func writesBesideTheTranslaterAreNoMSIs() {
    var its = mappedITS()
    its.mapPhysical(0, to: 8192)
    for (offset, size) in [(UInt64(0x44), UInt32(4)), (0x40, 8), (0x40, 1), (0, 4)] {
      let outcome = its.writeTranslationFrame(
        offset: offset, value: 0, sizeBytes: size, deviceID: device)
      #expect(outcome.outcome == .notADoorbell && outcome.address == 0x0809_0000 + offset)
    }
    let half = its.writeTranslationFrame(
      offset: 0x40, value: 0xFFFF_0000, sizeBytes: 2, deviceID: device)
    #expect(half.outcome == .delivered, "16-bit writes are allowed, the upper half is not there")
    #expect(its.outcomes == [.notADoorbell: 4, .delivered: 1])
  }

  /// The numbers that Linux's arm-gic-v3.h prints.
  @Test(arguments: [
    (ITSCommand.Opcode.movi, ITSError.Condition.unmappedInterrupt, 0x01_0107 as UInt32),
    (.movi, .unmappedCollection, 0x01_0109), (.int, .unmappedInterrupt, 0x01_0307),
    (.clear, .unmappedInterrupt, 0x01_0507), (.mapd, .deviceIDOutOfRange, 0x01_0801),
    (.mapd, .tableSizeOutOfRange, 0x01_0802), (.mapc, .targetOutOfRange, 0x01_0902),
    (.mapc, .collectionOutOfRange, 0x01_0903), (.mapti, .unmappedDevice, 0x01_0A04),
    (.mapti, .eventIDOutOfRange, 0x01_0A05), (.mapti, .intidOutOfRange, 0x01_0A06),
    (.inv, .unmappedInterrupt, 0x01_0C07), (.invall, .unmappedCollection, 0x01_0D09),
    (.movall, .targetOutOfRange, 0x01_0E01), (.discard, .unmappedInterrupt, 0x01_0F07),
    // Arm GIC-600AE TRM, table 4-15.
    (.movi, .deviceIDOutOfRange, 0x01_0101), (.movi, .collectionOutOfRange, 0x01_0103),
    (.movi, .unmappedDevice, 0x01_0104), (.movi, .eventIDOutOfRange, 0x01_0105),
    (.clear, .deviceIDOutOfRange, 0x01_0501), (.clear, .eventIDOutOfRange, 0x01_0505),
    (.inv, .deviceIDOutOfRange, 0x01_0C01), (.inv, .unmappedDevice, 0x01_0C04),
    (.mapi, .deviceIDOutOfRange, 0x01_0B01), (.mapi, .collectionOutOfRange, 0x01_0B03),
  ])
  func numbersAreThePublishedOnes(
    _ opcode: ITSCommand.Opcode, _ condition: ITSError.Condition, _ number: UInt32
  ) {
    #expect(ITSError(condition, opcode).number == number)
  }

  @Test func everyConditionHasASentenceAndANumberIfAny() {
    for condition in ITSError.Condition.allCases {
      let text = ITSError(condition, ITSCommand.Opcode.mapti).description
      #expect(text.hasPrefix("MAPTI: ") && text.count > 12)
    }
    #expect(
      ITSError(.unmappedDevice, ITSCommand.Opcode.mapti).description
        == "MAPTI: device is not mapped (0x10a04)")
    #expect(
      ITSError(.unknownCommand, 0x77).description
        == "command 0x77: no such command in this GIC version")
  }
}
