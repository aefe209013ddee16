import EventModel
import Testing

@testable import TraceImport

/// Lines of older and newer QEMU versions than that of the recordings: other names, other radixes,
/// further fields (VMID, stage), and lines that only they have.
@Suite struct VersionTests {
  @Test func linesOfOtherVersionsAreUsedOrCountedByName() throws {
    let imported = try Imported(Golden.bytes("versions.log"))
    let configuration = try #require(imported.events(.streamConfiguration).first)
    #expect(configuration.streamID == 0x100)
    #expect(StreamConfiguration(configuration).t0sz == 25)
    #expect(StreamConfiguration(configuration).ips == 5)
    #expect(imported.events(.map).map(\.iova) == [0x1000, 0x2000])
    #expect(imported.events(.map).map(\.vmid) == [0, 2])
    #expect(imported.events(.unmap).map(\.iova) == [0x2000])
    let commands: [UInt64] = [0x7_0002_0000_0012, 0x2_0000_0010, 0x2_0000_002A]
    #expect(imported.events(.smmuCommand).map(\.word0) == commands)
    #expect(imported.tally("some_future_event")?.notUnderstood == 2)
    #expect(imported.tally("some_future_event")?.firstNotUnderstoodLine == 26)
    #expect(imported.tally("smmuv3_translate_success")?.notUnderstood == 1)
    #expect(imported.tally("smmuv3_translate_success")?.used == 2)
  }

  @Test func theSummaryNamesWhatWasNotUnderstoodWithItsLine() throws {
    let summary = try Imported(Golden.bytes("versions.log")).report.summary
    #expect(summary.contains("not understood: some_future_event 2, first in line 26"))
    #expect(summary.contains("ignored: smmu_ptw_level 1, first line 10: a step of a walk"))
    #expect(summary.contains("used: smmuv3_translate_success 2, first line 7"))
  }

  @Test func bypassedAndAbortedAccessesConfigureTheirStream() throws {
    let imported = try Imported(Golden.bytes("versions.log"))
    let stream = imported.events.filter { $0.streamID == 0x10 && ($0.kind == .dma || $0.isSetUp) }
    #expect(stream.map(\.kind) == [.streamConfiguration, .dma, .dma, .streamConfiguration, .dma])
    #expect(StreamConfiguration(stream[0]).config == 4)
    #expect(stream[1].outcome == .translated)
    #expect(stream[1].expectedAddress == 0x9000)
    #expect(stream[1].flags == [.write, .addressRecorded])
    #expect(stream[2].flags == [.read, .addressRecorded])
    #expect(StreamConfiguration(stream[3]).config == 0)
    #expect(stream[4].outcome == .smmuFault(0))
  }

  @Test func anMSIWithoutATranslationHasTheDoorbellAsItsAddress() throws {
    let imported = try Imported(Golden.bytes("versions.log"))
    let message = try #require(imported.events(.msi).first)
    #expect(message.deviceID == 0x20)
    #expect(message.streamID == 0x20)
    #expect(message.iova == 0x809_0040)
    #expect(message.data == 5)
    #expect(message.outcome == .unmappedDevice)
    #expect(message.vector == TraceEvent.unknownVector)
  }
}

extension TraceEvent {
  fileprivate var isSetUp: Bool { kind == .streamConfiguration }
}
