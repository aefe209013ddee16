import EventModel
import ReferenceModel
import Testing

/// A device behind SMMU and ITS, told by events: stream 8, doorbell page mapped at 0xFFFF_F000, one
/// page of memory at 0x1000, event 0 mapped to LPI 8192 on PE 1.
@Suite struct ReferenceMachineTests {
  private func setUp() -> [TraceEvent] {
    var stream = StreamConfiguration()
    stream.asid = 3
    stream.ttb0 = 0x4CF7_F000
    func map(_ iova: UInt64, _ output: UInt64) -> TraceEvent {
      .map(
        time: 0, streamID: 8, asid: 3, iova: iova, outputAddress: output, log2SizeBytes: 12,
        level: 3, granule: .kib4, descriptor: 0x0060_0000_0000_0E4B)
    }
    let commands: [ITSCommand] = [
      .mapc(icid: 0, rdBase: 1, valid: true),
      .mapd(DeviceID(8), size: 0, ittAddress: 0x42E0_C000, valid: true),
      .mapti(DeviceID(8), EventID(0), pINTID: INTID(8192), icid: 0),
    ]
    return [stream.event(time: 0, streamID: 8), map(0xFFFF_F000, 0x0809_0000), map(0x1000, 0x5000)]
      + commands.map(\.packet).map { .itsCommand(time: 0, $0.dw0, $0.dw1, $0.dw2, $0.dw3) }
  }

  private func machine() -> ReferenceMachine {
    var geometry = TableGeometry()
    geometry.peCount = 2
    var machine = ReferenceMachine(geometry)
    for event in setUp() { #expect(apply(event, &machine) == nil) }
    #expect(machine.checks == .init())
    return machine
  }

  private func apply(_ event: TraceEvent, _ machine: inout ReferenceMachine) -> Outcome? {
    machine.apply(event)
  }

  private func msi(_ address: UInt64 = 0xFFFF_F040, data: UInt32 = 0, vector: UInt16 = 0xFFFF)
    -> TraceEvent
  {
    .msi(time: 1, streamID: 8, deviceID: 8, address: address, data: data, vector: vector)
  }

  @Test func anMSIGoesThroughBothTranslations() {
    var machine = machine()
    let expected = Outcome(
      address: 0x0809_0040, intid: 8192, target: .pe(1), outcome: .delivered)
    #expect(apply(msi(), &machine) == expected)
    #expect(apply(msi(), &machine)?.outcome == .coalesced)
    #expect(apply(.acknowledge(time: 2, target: .pe(1), intid: 8192), &machine) == nil)
    #expect(apply(msi(), &machine) == expected)
  }

  @Test func aDMAAccessGivesItsPhysicalAddress() {
    var machine = machine()
    let outcome = apply(.dma(time: 1, streamID: 8, iova: 0x1234, flags: .write), &machine)
    #expect(outcome == Outcome(address: 0x5234, outcome: .translated))
    let unmapped = apply(.dma(time: 1, streamID: 8, iova: 0x9000, flags: .write), &machine)
    #expect(unmapped == Outcome(outcome: .smmuFault(0x10)), "F_TRANSLATION")
  }

  @Test func anMSIMayBeLostAtEveryStep() {
    var machine = machine()
    #expect(apply(msi(0x9040), &machine)?.outcome == .smmuFault(0x10))
    #expect(
      apply(msi(0xFFFF_F044), &machine)
        == Outcome(address: 0x0809_0044, outcome: .notADoorbell))
    #expect(apply(msi(0x1000), &machine) == Outcome(address: 0x5000, outcome: .notADoorbell))
    #expect(apply(msi(data: 1), &machine)?.outcome == .unmappedEvent)
    #expect(apply(msi(data: 2), &machine)?.outcome == .eventIDOutOfRange)
    #expect(machine.its.pendingBits.isEmpty)
  }

  @Test func theMSIXTableIsFollowedBesideTheMessages() {
    var machine = machine()
    func write(_ offset: UInt32, _ value: UInt64) -> TraceEvent {
      .msixTableWrite(
        time: 0, streamID: 8, deviceID: 8, gpa: 0x1040_0000 + UInt64(offset), offset: offset,
        value: value)
    }
    _ = apply(msi(vector: 0), &machine)
    #expect(machine.checks.messages == 0, "no table is known yet")
    for event in [write(0, 0xFFFF_F040), write(4, 0), write(8, 0), write(12, 0)] {
      #expect(apply(event, &machine) == nil)
    }
    _ = apply(msi(vector: 0), &machine)
    #expect(machine.checks.messages == 1 && machine.checks.maskedMessages == 1, "not enabled")
    _ = apply(
      .msixControl(time: 0, streamID: 8, deviceID: 8, enabled: true, masked: false), &machine)
    _ = apply(msi(vector: 0), &machine)
    #expect(machine.checks.messages == 2 && machine.checks.maskedMessages == 1)
    _ = apply(msi(data: 1, vector: 0), &machine)
    #expect(machine.checks.messages == 3 && machine.checks.otherMessages == 1)
    _ = apply(msi(vector: 2048), &machine)
    #expect(machine.checks.messages == 3)
  }

  @Test func whatTheSMMURefusesIsCountedAndNothingElse() {
    var machine = machine()
    let before = machine.its.mappings
    let bad: [TraceEvent] = [
      .smmuCommand(time: 0, 0xFF, 0),
      .map(
        time: 0, streamID: 99, asid: 77, iova: 0, outputAddress: 0, log2SizeBytes: 12, level: 3,
        granule: .kib4, descriptor: 3),
    ]
    for event in bad { #expect(apply(event, &machine) == nil) }
    #expect(machine.checks.refusedConfigurations == 2 && machine.its.mappings == before)
  }

  @Test func notesChangeNothing() {
    var machine = machine()
    for kind in [EventKind.mark, .loss, .vcpuMigrate, .irteWrite] {
      #expect(apply(TraceEvent(time: 0, kind: kind), &machine) == nil)
    }
    #expect(machine.its.mappings.count == 1 && machine.checks == .init())
  }
}
