import EventModel
import Testing

@Suite struct TraceEventTests {
  @Test func recordIs48BytesWithoutPadding() {
    #expect(MemoryLayout<TraceEvent>.size == 48)
    #expect(MemoryLayout<TraceEvent>.stride == 48)
    #expect(MemoryLayout<TraceEvent>.alignment == 8)
    #expect(MemoryLayout<Outcome>.size == 16)
  }

  @Test func fieldOffsetsAreThoseOfTheFormat() {
    #expect(MemoryLayout<TraceEvent>.offset(of: \.time) == 0)
    #expect(MemoryLayout<TraceEvent>.offset(of: \.word0) == 8)
    #expect(MemoryLayout<TraceEvent>.offset(of: \.word3) == 32)
    #expect(MemoryLayout<TraceEvent>.offset(of: \.target) == 40)
    #expect(MemoryLayout<TraceEvent>.offset(of: \.vector) == 42)
    #expect(MemoryLayout<TraceEvent>.offset(of: \.kind) == 44)
    #expect(MemoryLayout<TraceEvent>.offset(of: \.flags) == 45)
    #expect(MemoryLayout<TraceEvent>.offset(of: \.outcome) == 46)
    #expect(MemoryLayout<TraceEvent>.offset(of: \.origin) == 47)
  }

  @Test func msiAccessorsGiveBackWhatWasPut() {
    let event = TraceEvent.msi(
      time: 7, streamID: 0x100, deviceID: 0x101, address: 0xFFFF_F040, data: 3, vector: 2,
      expectedAddress: 0x809_0040, expectedINTID: 0x2004, expectedTarget: .vpe(1),
      outcome: .delivered)
    #expect(event.streamID == 0x100 && event.deviceID == 0x101)
    #expect(event.iova == 0xFFFF_F040 && event.data == 3 && event.intid == 0x2004)
    #expect(event.target == .vpe(1) && event.target.isVPE && event.target.number == 1)
  }

  /// The descriptor is one that an NVMe guest's walk really met.
  @Test func mapKeepsTheWholeLeafDescriptor() {
    let descriptor: UInt64 = 0x0060_0000_0809_0E4B
    let event = TraceEvent.map(
      time: 0, streamID: 8, asid: 1, vmid: 2, iova: 0xFFFF_F000, outputAddress: 0x809_0000,
      log2SizeBytes: 12, level: 3, granule: .kib4, descriptor: descriptor)
    #expect(event.leafDescriptor == descriptor)
    #expect(event.level == 3 && event.log2SizeBytes == 12 && event.granuleCode == 1)
    #expect(event.asid == 1 && event.vmid == 2 && event.stage == 1)
  }

  @Test func streamConfigurationSurvivesTheRecord() {
    var configuration = StreamConfiguration()
    configuration.config = 7
    configuration.asid = 3
    configuration.vmid = 9
    configuration.ttb0 = 0x4D6F_5000
    configuration.s2ttb = 0x8_0000_0000
    configuration.granule = .kib16
    configuration.t0sz = 25
    configuration.s2t0sz = 24
    configuration.s2sl0 = 1
    configuration.s2granule = .kib64
    configuration.s2ps = 5
    let event = configuration.event(time: 1, streamID: 5)
    #expect(StreamConfiguration(event) == configuration)
    #expect(event.streamID == 5)
  }

  @Test func everyKindHasItsOwnCodeAndName() {
    #expect(Set(EventKind.all.map(\.rawValue)).count == EventKind.all.count)
    #expect(Set(EventKind.all.map(\.description)).count == EventKind.all.count)
    #expect(!EventKind.all.contains { $0.description.hasPrefix("kind-") })
  }

  @Test func everyWorkCounterIsReported() {
    let stored = MemoryLayout<WorkCounters>.size / MemoryLayout<UInt64>.size
    #expect(WorkCounters.fields.count == stored)
    #expect(Set(WorkCounters.fields.map(\.name)).count == stored)
  }
}
