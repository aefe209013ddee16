import CDoorbellBackend
import EventModel
import Testing

@testable import Backends

/// The two sides of the C interface agree on every byte and number.
@Suite struct PluginInterfaceTests {
  @Test func anEventHasTheHeadersLayout() {
    let event = TraceEvent(
      time: 0x0101, kind: .msi, word0: 0x0202, word1: 0x0303, word2: 0x0404, word3: 0x0505,
      target: .vpe(6), vector: 7, flags: [.write, .inferred], outcome: .coalesced, origin: .host)
    let c = unsafe unsafeBitCast(event, to: doorbell_event.self)
    #expect(c.time == 0x0101)
    #expect([c.word0, c.word1, c.word2, c.word3] == [0x0202, 0x0303, 0x0404, 0x0505])
    #expect(c.target == 0x8006)
    #expect(c.vector == 7)
    #expect(c.kind == UInt8(DOORBELL_MSI.rawValue))
    #expect(c.flags == UInt8(DOORBELL_WRITE.rawValue | DOORBELL_INFERRED.rawValue))
    #expect(c.outcome == UInt8(DOORBELL_COALESCED.rawValue))
    #expect(c.origin == 3)
  }

  @Test func anOutcomeHasTheHeadersLayout() {
    let c = doorbell_outcome(
      address: 1, intid: 2, target: 0x8003, outcome: UInt8(DOORBELL_MASKED.rawValue), flags: 1)
    let outcome = unsafe unsafeBitCast(c, to: Outcome.self)
    #expect(
      outcome
        == Outcome(
          address: 1, intid: 2, target: .vpe(3), outcome: .masked, flags: Outcome.doorbellRaised))
  }

  @Test func kindsAndClassesHaveTheHeadersNumbers() {
    let kinds: [(EventKind, doorbell_kind)] = [
      (.dma, DOORBELL_DMA), (.msi, DOORBELL_MSI), (.acknowledge, DOORBELL_ACKNOWLEDGE),
      (.endOfInterrupt, DOORBELL_END_OF_INTERRUPT), (.map, DOORBELL_MAP), (.unmap, DOORBELL_UNMAP),
      (.smmuCommand, DOORBELL_SMMU_COMMAND),
      (.streamConfiguration, DOORBELL_STREAM_CONFIGURATION), (.itsCommand, DOORBELL_ITS_COMMAND),
      (.msixTableWrite, DOORBELL_MSIX_TABLE_WRITE), (.msixControl, DOORBELL_MSIX_CONTROL),
      (.lpiConfiguration, DOORBELL_LPI_CONFIGURATION), (.irteWrite, DOORBELL_IRTE_WRITE),
      (.itsRegisterWrite, DOORBELL_ITS_REGISTER_WRITE),
      (.redistributorWrite, DOORBELL_REDISTRIBUTOR_WRITE), (.vcpuLoad, DOORBELL_VCPU_LOAD),
      (.vcpuPut, DOORBELL_VCPU_PUT), (.vcpuBlock, DOORBELL_VCPU_BLOCK),
      (.vcpuMigrate, DOORBELL_VCPU_MIGRATE),
    ]
    for (kind, c) in kinds { #expect(UInt32(kind.rawValue) == c.rawValue, "\(kind)") }
    #expect(kinds.count == EventKind.all.count - 2, "all but the notes, which no design is given")
    let classes: [(OutcomeClass, doorbell_class)] = [
      (.translated, DOORBELL_TRANSLATED), (.delivered, DOORBELL_DELIVERED),
      (.coalesced, DOORBELL_COALESCED), (.masked, DOORBELL_MASKED),
      (.itsDisabled, DOORBELL_ITS_DISABLED), (.deviceIDOutOfRange, DOORBELL_DEVICE_OUT_OF_RANGE),
      (.unmappedDevice, DOORBELL_UNMAPPED_DEVICE),
      (.eventIDOutOfRange, DOORBELL_EVENT_OUT_OF_RANGE), (.unmappedEvent, DOORBELL_UNMAPPED_EVENT),
      (.unmappedCollection, DOORBELL_UNMAPPED_COLLECTION), (.unmappedVPE, DOORBELL_UNMAPPED_VPE),
      (.intidOutOfRange, DOORBELL_INTID_OUT_OF_RANGE), (.lpisDisabled, DOORBELL_LPIS_DISABLED),
      (.notADoorbell, DOORBELL_NOT_A_DOORBELL), (.noRoute, DOORBELL_NO_ROUTE),
      (.smmuFault(0), DOORBELL_SMMU_FAULT),
    ]
    for (outcome, c) in classes { #expect(UInt32(outcome.rawValue) == c.rawValue, "\(outcome)") }
  }

  @Test func aWatcherReadsWhereAPluginIs() throws {
    var page = [UInt8](repeating: 0, count: PluginStatus.byteCount)
    #expect(PluginPosition(page: Array(page.dropLast())) == nil)
    page[0] = UInt8(PluginStatus.Call.translate.rawValue)
    page[8] = 9
    page[17] = 1
    page[24] = 3
    page[32] = UInt8(PluginStatus.Ending.nonconforming.rawValue)
    for (index, byte) in "no".utf8.enumerated() { page[64 + index] = byte }
    let position = try #require(PluginPosition(page: page))
    #expect(position.calls == 9)
    #expect(position.ending == .nonconforming)
    #expect(position.text == "no")
    #expect(position.description == "in translate, events 256…258 of the instance")
  }
}
