import EventModel
import Testing

@testable import TranslationCore

/// Every command as the 32 bytes that stand in the queue (IHI 0069, §5.3), and what the core makes of
/// it, worked out by hand.
@Suite struct ITSGoldenTests {
  private typealias Words = (UInt64, UInt64, UInt64, UInt64)

  /// Device 8 with 4 events; event 0 is LPI 8192 of collection 0 on PE 1, collection 1 is on PE 0;
  /// event 1 is vLPI 8193 of vPE 0 on PE 0, doorbell 8300; vPE 1 is on PE 1.
  private static let setUp: [Words] = [
    (0x09, 0, 0x8000_0000_0001_0000, 0),
    (0x09, 0, 0x8000_0000_0000_0001, 0),
    (0x0000_0008_0000_0008, 1, 0x8000_0000_4000_0000, 0),
    (0x0000_0008_0000_000A, 0x0000_2000_0000_0000, 0, 0),
    (0x0000_0001_0000_0129, 0x0000_0000_0000_206C, 0x8000_0000_0000_0000, 0x4A2E_000F),
    (0x0000_0001_0000_0129, 0x0000_0001_0000_206D, 0x8000_0000_0001_0000, 0x4A30_000F),
    (0x0000_0008_0000_002A, 0x0000_0000_0000_0001, 0x0000_206C_0000_2001, 0),
  ]

  private static func core(_ version: ITSRules.Version = .v41) -> ITSCore {
    var geometry = TableGeometry()
    geometry.peCount = 2
    var core = ITSCore(geometry: geometry, rules: ITSRules(version: version))
    for words in setUp {
      let error = core.execute(words.0, words.1, words.2, words.3)
      #expect(error == nil)
    }
    return core
  }

  private func raise(_ event: UInt32, _ core: inout ITSCore) -> Outcome {
    core.translate(deviceID: 8, eventID: event)
  }

  private func run(
    _ dw0: UInt64, _ dw1: UInt64 = 0, _ dw2: UInt64 = 0, _ dw3: UInt64 = 0, on core: inout ITSCore,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = core.execute(dw0, dw1, dw2, dw3)
    #expect(error == nil, sourceLocation: sourceLocation)
  }

  private func isPending(_ intid: Int, _ table: [UInt8]?) -> Bool? {
    table.map { $0[intid / 8] >> UInt8(intid % 8) & 1 == 1 }
  }

  // MARK: Physical interrupts

  @Test func theSetUpLeadsToAPEAndToAVPE() {
    var core = Self.core()
    let (physical, virtual) = (raise(0, &core), raise(1, &core))
    #expect(physical == Outcome(intid: 8192, target: .pe(1), outcome: .delivered))
    #expect(virtual == Outcome(intid: 8193, target: .vpe(0), outcome: .delivered))
    #expect(isPending(8192, core.pendingTable(ofPE: 1)) == true)
    #expect(isPending(8192, core.pendingTable(ofPE: 0)) == false)
    #expect(isPending(8193, core.pendingTable(ofVPE: 0)) == true)
  }

  @Test func mapiGivesTheEventItsOwnNumber() {
    var core = Self.core()
    // 16 bits of EventID, so that one can be an LPI: device 9, event 0x2100.
    run(0x0000_0009_0000_0008, 15, 0x8000_0000_5000_0000, on: &core)
    run(0x0000_0009_0000_000B, 0x2100, 1, on: &core)
    let outcome = core.translate(deviceID: 9, eventID: 0x2100)
    #expect(outcome == Outcome(intid: 0x2100, target: .pe(0), outcome: .delivered))
  }

  @Test func moviMovesThePendingBit() {
    var core = Self.core()
    _ = raise(0, &core)
    run(0x0000_0008_0000_0001, 0, 1, on: &core)
    #expect(isPending(8192, core.pendingTable(ofPE: 1)) == false)
    #expect(isPending(8192, core.pendingTable(ofPE: 0)) == true)
    #expect(raise(0, &core) == Outcome(intid: 8192, target: .pe(0), outcome: .coalesced))
  }

  /// MAPC moves nothing: the LPI is pending at both, until MOVALL brings the two together.
  @Test func movallMovesEveryPendingBit() {
    var core = Self.core()
    _ = raise(0, &core)
    run(0x09, 0, 0x8000_0000_0000_0000, on: &core)
    #expect(raise(0, &core).outcome == .delivered)
    let both = (core.pendingTable(ofPE: 0), core.pendingTable(ofPE: 1))
    #expect(isPending(8192, both.0) == true && isPending(8192, both.1) == true)
    run(0x0E, 0, 0x0001_0000, 0, on: &core)
    #expect(isPending(8192, core.pendingTable(ofPE: 0)) == true)
    #expect(isPending(8192, core.pendingTable(ofPE: 1)) == false)
    let acknowledged = core.acknowledge(.pe(0), 8192)
    #expect(acknowledged && core.pendingTable(ofPE: 0).allSatisfy { $0 == 0 })
  }

  @Test func intClearAndDiscardActOnThePendingBit() {
    var core = Self.core()
    run(0x0000_0008_0000_0003, 0, on: &core)
    #expect(raise(0, &core).outcome == .coalesced)
    run(0x0000_0008_0000_0004, 0, on: &core)
    #expect(raise(0, &core).outcome == .delivered)
    run(0x0000_0008_0000_000F, 0, on: &core)
    #expect(isPending(8192, core.pendingTable(ofPE: 1)) == false)
    #expect(raise(0, &core).outcome == .unmappedEvent)
  }

  @Test func invAndInvallMakeTheByteBeReadAgain() {
    let commands: [Words] = [(0x0000_0008_0000_000C, 0, 0, 0), (0x0D, 0, 0, 0)]
    for command in commands {
      var core = Self.core()
      _ = raise(0, &core)
      core.acknowledge(.pe(1), 8192)
      core.storeConfiguration(.pe(1), 8192, 0xA2)
      #expect(raise(0, &core).outcome == .delivered, "the old byte is known")
      core.acknowledge(.pe(1), 8192)
      run(command.0, command.1, command.2, command.3, on: &core)
      #expect(raise(0, &core).outcome == .masked)
    }
  }

  @Test func mapdUnmapsAndKeepsThePendingBits() {
    var core = Self.core()
    _ = raise(0, &core)
    run(0x0000_0008_0000_0008, 0, 0, on: &core)
    #expect(raise(0, &core).outcome == .unmappedDevice)
    #expect(isPending(8192, core.pendingTable(ofPE: 1)) == true)
  }

  @Test func syncsOnlyNameWhatIsThere() {
    var core = Self.core()
    run(0x05, 0, 0x0001_0000, on: &core)
    run(0x25, 0x0000_0001_0000_0000, on: &core)
  }

  // MARK: Virtual interrupts

  @Test func vmapiGivesTheEventItsOwnNumber() {
    var core = Self.core()
    run(0x0000_0009_0000_0008, 15, 0x8000_0000_5000_0000, on: &core)
    run(0x0000_0009_0000_002B, 0x0000_0001_0000_2100, 0x0000_03FF_0000_0000, on: &core)
    let outcome = core.translate(deviceID: 9, eventID: 0x2100)
    #expect(outcome == Outcome(intid: 0x2100, target: .vpe(1), outcome: .delivered))
  }

  @Test func vmoviMovesThePendingBitAndTheDoorbell() {
    var core = Self.core()
    _ = raise(1, &core)
    run(0x0000_0008_0000_0021, 0x0000_0001_0000_0001, 0x0000_206D_0000_0001, on: &core)
    #expect(isPending(8193, core.pendingTable(ofVPE: 0)) == false)
    #expect(isPending(8193, core.pendingTable(ofVPE: 1)) == true)
    #expect(core.doorbell(8, 1) == 8301)
    run(0x0000_0008_0000_0021, 0x0000_0000_0000_0001, 0, on: &core)
    #expect(core.doorbell(8, 1) == 8301, "without D the doorbell stays")
  }

  @Test func vmovpMovesTheVPEAndItsDefaultDoorbell() {
    var core = Self.core()
    _ = raise(1, &core)
    run(0x22, 0, 0x8000_0000_0001_0000, 0x2070, on: &core)
    let vPE = core.vPE(0)!
    #expect(vPE.processor == 1 && vPE.defaultDoorbell == 8304)
    #expect(isPending(8193, core.pendingTable(ofVPE: 0)) == true)
    run(0x22, 0, 0, 0x2071, on: &core)
    #expect(core.vPE(0)!.processor == 0 && core.vPE(0)!.defaultDoorbell == 8304, "without DB")
  }

  /// GICv4.0: each event has its doorbell. It becomes pending like any LPI, at the vPE's PE.
  @Test func anIndividualDoorbellBecomesPending() {
    var core = Self.core(.v4)
    let outcome = raise(1, &core)
    #expect(outcome.flags == Outcome.doorbellRaised)
    #expect(isPending(8300, core.pendingTable(ofPE: 0)) == true)
    #expect(raise(1, &core).flags == 0, "the bit does not rise again")
    // Resident: GICR_VPROPBASER with 16 ID bits, GICR_VPENDBASER with the VPT.
    core.write(.vpropbaser, 0x4B00_000F, pe: 0)
    core.write(.vpendbaser, 0x8000_0000_4A2E_0000, pe: 0)
    core.acknowledge(.vpe(0), 8193)
    #expect(raise(1, &core).flags == 0)
    core.write(.vpendbaser, 0, pe: 0)
    #expect(core.read(.vpendbaser, pe: 0) == 0x2000_0000_4A2E_0000, "PendingLast")
  }

  /// GICv4.0: GICR_VPROPBASER of the redistributor on which the vPE is resident names its
  /// configuration table, for an interrupt that arrives and for PendingLast.
  @Test func aGICv40VPEIsConfiguredByItsRedistributor() {
    var core = Self.core(.v4)
    core.write(.vpropbaser, 0x4B00_000F, pe: 0)
    core.write(.vpendbaser, 0x8000_0000_4A2E_0000, pe: 0)
    core.storeConfiguration(.vpe(0), 8193, 0xA2)
    #expect(raise(1, &core).outcome == .masked)
    core.write(.vpropbaser, 0x4C00_000F, pe: 0)
    run(0x0000_0008_0000_000C, 1, on: &core)
    core.acknowledge(.vpe(0), 8193)
    #expect(raise(1, &core).outcome == .delivered)
    core.write(.vpendbaser, 0, pe: 0)
    #expect(core.read(.vpendbaser, pe: 0) >> 61 == 1, "enabled and pending")
    // The first table again: disabled, and so PendingLast is 0.
    core.write(.vpropbaser, 0x4B00_000F, pe: 0)
    core.write(.vpendbaser, 0x8000_0000_4A2E_0000, pe: 0)
    run(0x0000_0008_0000_000C, 1, on: &core)
    core.write(.vpendbaser, 0, pe: 0)
    #expect(core.read(.vpendbaser, pe: 0) >> 61 == 0)
    // A redistributor to which the vPE is not mapped parses the same VPT with its own table.
    core.write(.vpropbaser, 0x4C00_000F, pe: 1)
    core.write(.vpendbaser, 0x8000_0000_4A2E_0000, pe: 1)
    run(0x0000_0008_0000_000C, 1, on: &core)
    core.write(.vpendbaser, 0, pe: 1)
    #expect(core.read(.vpendbaser, pe: 1) >> 61 == 1)
  }

  /// GICv4.1: the vPE has one, which rings once after a departure with DB = 1.
  @Test func theDefaultDoorbellRingsOnceWhenAskedFor() {
    var core = Self.core()
    #expect(raise(1, &core).flags == 0)
    core.acknowledge(.vpe(0), 8193)
    core.write(.vpendbaser, 0x8400_0000_0000_0000, pe: 0)
    core.write(.vpendbaser, 0x4000_0000_0000_0000, pe: 0)
    #expect(core.read(.vpendbaser, pe: 0) == 0x0400_0000_0000_0000, "nothing is pending")
    #expect(raise(1, &core).flags == Outcome.doorbellRaised)
    #expect(isPending(8300, core.pendingTable(ofPE: 0)) == true)
    core.acknowledge(.vpe(0), 8193)
    #expect(raise(1, &core).flags == 0)
  }

  @Test func invdbMakesTheDoorbellsByteBeReadAgain() {
    var core = Self.core()
    core.storeConfiguration(.pe(0), 8300, 0xA2)
    core.write(.setlpir, 8300, pe: 0)
    core.storeConfiguration(.pe(0), 8300, 0xA3)
    run(0x0000_0008_0000_000A, 0x0000_206C_0000_0002, 1, on: &core)
    core.acknowledge(.pe(0), 8300)
    #expect(raise(2, &core).outcome == .masked)
    run(0x2E, on: &core)
    core.acknowledge(.pe(0), 8300)
    #expect(raise(2, &core).outcome == .delivered)
  }

  @Test func vinvallMakesTheVPEsBytesBeReadAgain() {
    var core = Self.core()
    _ = raise(1, &core)
    core.storeConfiguration(.vpe(0), 8193, 0xA2)
    core.acknowledge(.vpe(0), 8193)
    #expect(raise(1, &core).outcome == .delivered)
    run(0x2D, on: &core)
    core.acknowledge(.vpe(0), 8193)
    #expect(raise(1, &core).outcome == .masked)
  }

  /// SGI 3: priority 0xA0, group 1, enabled; then Clear. In the VPT: pending bits in bytes 0…1,
  /// configuration in byte 16 + 3.
  @Test func vsgiConfiguresAndClearsAnSGI() {
    var core = Self.core()
    run(0x0000_0003_00A0_0523, on: &core)
    core.raiseSGI(3, vPE: 0)
    var table = core.pendingTable(ofVPE: 0)!
    #expect(table[0] == 0x08 && table[19] == 0xA3)
    core.write(.vsgir, 0, pe: 1)
    #expect(core.read(.vsgipendr, pe: 1) == 8)
    run(0x0000_0003_0000_0223, on: &core)
    table = core.pendingTable(ofVPE: 0)!
    #expect(table[0] == 0 && table[19] == 0xA3)
  }

  @Test func vmappWithPTZZeroesTheTableAndUnmappingKeepsIt() {
    var core = Self.core()
    _ = raise(1, &core)
    run(0x29, on: &core)
    #expect(core.vPE(0) == nil && raise(1, &core).outcome == .unmappedVPE)
    run(0x0000_0001_0000_0029, 0x206C, 0x8000_0000_0000_0000, 0x4A2E_000F, on: &core)
    #expect(isPending(8193, core.pendingTable(ofVPE: 0)) == true)
    run(0x0000_0001_0000_0329, 0x206C, 0x8000_0000_0000_0000, 0x4A2E_000F, on: &core)
    #expect(isPending(8193, core.pendingTable(ofVPE: 0)) == false)
  }

  // MARK: Errors

  /// Numbers of include/linux/irqchip/arm-gic-v3.h and the GIC-600AE TRM (101206, table 4-15); nil
  /// for what has none.
  private static let wrong: [(Words, ITSError.Condition, number: UInt32?)] = [
    ((0x0001_0000_0000_0008, 0, 1 << 63, 0), .deviceIDOutOfRange, 0x01_0801),
    ((0x0000_0009_0000_0008, 16, 1 << 63, 0), .tableSizeOutOfRange, 0x01_0802),
    ((0x09, 0, 0x8000_0000_0002_0000, 0), .targetOutOfRange, 0x01_0902),
    ((0x0001_0000_0000_000A, 0x2000 << 32, 0, 0), .deviceIDOutOfRange, 0x01_0A01),
    ((0x0000_0009_0000_000A, 0x2000 << 32, 0, 0), .unmappedDevice, 0x01_0A04),
    ((0x0000_0008_0000_000A, 0x2000 << 32 | 4, 0, 0), .eventIDOutOfRange, 0x01_0A05),
    ((0x0000_0008_0000_000A, 0x1FFF << 32, 0, 0), .intidOutOfRange, 0x01_0A06),
    ((0x0000_0008_0000_0001, 3, 0, 0), .unmappedInterrupt, 0x01_0107),
    ((0x0000_0008_0000_0001, 0, 7, 0), .unmappedCollection, 0x01_0109),
    ((0x0000_0008_0000_0001, 1, 1, 0), .wrongInterruptKind, nil),
    ((0x0E, 0, 0x0002_0000, 0), .targetOutOfRange, 0x01_0E01),
    ((0x0000_0008_0000_0003, 3, 0, 0), .unmappedInterrupt, 0x01_0307),
    ((0x0000_0008_0000_0004, 3, 0, 0), .unmappedInterrupt, 0x01_0507),
    ((0x0000_0008_0000_000F, 3, 0, 0), .unmappedInterrupt, 0x01_0F07),
    ((0x0000_0008_0000_000C, 3, 0, 0), .unmappedInterrupt, 0x01_0C07),
    ((0x0D, 0, 7, 0), .unmappedCollection, 0x01_0D09),
    ((0x05, 0, 0x0002_0000, 0), .targetOutOfRange, nil),
    ((0x25, 0x0000_0007_0000_0000, 0, 0), .unmappedVPE, nil),
    ((0x2D, 0x0000_0007_0000_0000, 0, 0), .unmappedVPE, nil),
    ((0x29, 0x0000_0007_0000_03FF, 0x8000_0000_0000_0000, 16), .tableSizeOutOfRange, nil),
    ((0x29, 0x0000_0007_0000_0400, 0x8000_0000_0000_0000, 15), .intidOutOfRange, nil),
    ((0x0000_0008_0000_0021, 0, 0, 0), .wrongInterruptKind, nil),
    ((0x30, 0, 0, 0), .unknownCommand, nil),
  ]

  @Test(arguments: wrong.indices)
  func aWrongCommandHasItsNumberAndNoEffect(index: Int) {
    let (words, condition, number) = Self.wrong[index]
    var core = Self.core()
    let error = core.execute(words.0, words.1, words.2, words.3)
    #expect(error == ITSError(condition, UInt8(words.0 & 0xFF)) && error?.number == number)
    #expect(core.errors == [ITSError(condition, UInt8(words.0 & 0xFF)): 1])
    #expect(raise(0, &core).outcome == .delivered && raise(1, &core).outcome == .delivered)
  }

  @Test func olderVersionsDoNotKnowNewerCommands() {
    for (version, code, isKnown) in [
      (ITSRules.Version.v4, UInt64(0x23), false), (.v4, 0x2E, false), (.v4, 0x25, true),
      (.v41, 0x2E, true),
    ] {
      var core = Self.core(version)
      let error = core.execute(code, 0, 0, 0)
      #expect((error == nil) == isKnown)
    }
    var core = ITSCore(geometry: TableGeometry(), rules: ITSRules(version: .v3))
    let error = core.execute(0x29, 0, 0, 0)
    #expect(error == ITSError(.unknownCommand, 0x29))
  }
}
