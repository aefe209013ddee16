import EventModel
import Testing

@testable import TraceImport

/// What the table reads behind a write to the ITS say of it.
@Suite struct OutcomeTests {
  private static let write =
    "5@1.000000:gicv3_its_translation_write GICv3 ITS TRANSLATER write: offset 0x40 data 0x3 "
    + "size 4 requester_id 0x8"
  private static func device(valid: Int, size: Int) -> String {
    "5@1.000001:gicv3_its_dte_read GICv3 ITS: Device Table read for DeviceID 0x8: valid \(valid) "
      + "size 0x\(size) ITTaddr 0x4db20a00"
  }
  private static func interrupt(valid: Int, type: Int) -> String {
    "5@1.000002:gicv3_its_ite_read GICv3 ITS: Interrupt Table read for ITTaddr 0x4db20a00 "
      + "EventID 0x3: valid \(valid) inttype \(type) intid 0x2004 ICID 0x1 vPEID 0x6 doorbell 0x3ff"
  }
  private static func collection(valid: Int) -> String {
    "5@1.000003:gicv3_its_cte_read GICv3 ITS: Collection Table read for ICID 0x1: valid \(valid) "
      + "RDBase 0x3"
  }
  private static func vPE(valid: Int) -> String {
    "5@1.000003:gicv3_its_vte_read GICv3 ITS: vPE Table read for vPEID 0x6: valid \(valid) "
      + "VPTsize 0xf VPTaddr 0x4a2e RDbase 0x0"
  }

  private func message(_ lines: [String]) throws -> TraceEvent {
    let imported = try Imported([Self.write] + lines)
    try #require(imported.events.count == 1)
    return imported.events[0]
  }

  @Test func eachInvalidEntryIsALossOfItsClass() throws {
    let ok = Self.device(valid: 1, size: 2)
    let physical = Self.interrupt(valid: 1, type: 1)
    let virtual = Self.interrupt(valid: 1, type: 0)
    let cases: [([String], OutcomeClass)] = [
      ([], .notRecorded), ([ok], .notRecorded), ([ok, physical], .notRecorded),
      ([Self.device(valid: 0, size: 0)], .unmappedDevice),
      ([Self.device(valid: 1, size: 0)], .eventIDOutOfRange),
      ([Self.device(valid: 1, size: 1)], .notRecorded),
      ([ok, Self.interrupt(valid: 0, type: 0)], .unmappedEvent),
      ([ok, physical, Self.collection(valid: 0)], .unmappedCollection),
      ([ok, virtual, Self.vPE(valid: 0)], .unmappedVPE),
    ]
    for (lines, outcome) in cases {
      let event = try message(lines)
      #expect(event.outcome == outcome, "\(lines)")
      #expect(!event.flags.contains(.interruptRecorded), "\(lines)")
      #expect(event.data == 3)
    }
  }

  @Test func aPhysicalInterruptGoesToThePEOfItsCollection() throws {
    let event = try message([
      Self.device(valid: 1, size: 2), Self.interrupt(valid: 1, type: 1),
      Self.collection(valid: 1),
    ])
    #expect(event.outcome == .delivered)
    #expect(event.intid == 0x2004)
    #expect(event.target == .pe(3))
    #expect(event.flags.contains(.interruptRecorded))
  }

  @Test func aVirtualInterruptGoesToItsVPE() throws {
    let event = try message([
      Self.device(valid: 1, size: 2), Self.interrupt(valid: 1, type: 0), Self.vPE(valid: 1),
    ])
    #expect(event.outcome == .delivered)
    #expect(event.intid == 0x2004)
    #expect(event.target == .vpe(6))
  }

  @Test func readsOfACommandDoNotTouchTheMessageBeforeIt() throws {
    let imported = try Imported([
      Self.write,
      "5@1.000001:gicv3_its_process_command GICv3 ITS: processing command at offset 0x0: 0xc",
      "5@1.000001:gicv3_its_cmd_inv GICv3 ITS: command INV DeviceID 0x8 EventID 0x3",
      Self.device(valid: 1, size: 2), Self.interrupt(valid: 1, type: 1),
      Self.collection(valid: 1),
    ])
    #expect(imported.events.map(\.kind) == [.msi, .itsCommand])
    #expect(imported.events[0].outcome == .notRecorded)
    #expect(imported.tally("gicv3_its_dte_read")?.ignored == 1)
  }

  @Test func aDisabledITSLosesTheMessage() throws {
    let imported = try Imported([
      "5@1.000000:gicv3_its_write GICv3 ITS write: offset 0x0 data 0x0 size 4", Self.write,
    ])
    #expect(imported.events(.msi).map(\.outcome) == [.itsDisabled])
  }

  @Test func residencyTellsWhichVPEAcknowledges() throws {
    func line(_ time: Int, _ text: String) -> String { "5@1.\(100_000 + time):\(text)" }
    let write = "gicv3_redist_write GICv3 redistributor 0x1 write: offset 0x20078"
    let imported = try Imported([
      line(0, "gicv3_icv_iar_read GICv3 ICV_IAR1 read cpu 0x1 value 0x2000"),
      line(
        1,
        "gicv3_its_cmd_vmapp GICv3 ITS: command VMAPP vPEID 0x7 RDbase 0x1 V 1 VPT_addr 0x4a2e"
          + " VPT_size 0xf"),
      line(2, "\(write) data 0xe00000004a2e0780 size 8 secure 0"),
      line(3, "gicv3_icv_iar_read GICv3 ICV_IAR1 read cpu 0x1 value 0x2000"),
      line(4, "gicv3_icv_eoir_write GICv3 ICV_EOIR1 write cpu 0x1 value 0x2000"),
      line(5, "gicv3_icv_iar_read GICv3 ICV_IAR1 read cpu 0x1 value 0x1b"),
      line(6, "\(write) data 0x600000004a2e0780 size 8 secure 0"),
      line(7, "gicv3_icv_eoir_write GICv3 ICV_EOIR1 write cpu 0x1 value 0x2000"),
    ])
    #expect(
      imported.events.map(\.kind) == [
        .mark, .itsCommand, .redistributorWrite, .vcpuLoad, .acknowledge, .endOfInterrupt,
        .redistributorWrite, .vcpuPut, .mark,
      ])
    #expect(imported.events[3].target == .vpe(7))
    #expect(imported.events[3].word0 == 0x4A2E_0000)
    #expect(imported.events[3].word3 == 1 | 1 << 32)
    #expect(imported.events[4].target == .vpe(7))
    #expect(imported.events[7].target == .vpe(7))
    #expect(imported.events[0].word0 == ImportMark.guestAcknowledge)
    #expect(imported.events[0].intid == 0x2000)
    #expect(imported.events[8].word0 == ImportMark.guestEndOfInterrupt)
  }
}
