import EventModel
import Replay
import Testing
import TraceImport

@testable import Backends

/// Scaled recordings: still equal to the reference model everywhere, and still like the recording.
@Suite struct ScaledTraceTests {
  static func scale(
    _ name: String, events: UInt64, _ change: (inout SynthesisOptions) -> Void = { _ in }
  ) throws -> (events: [TraceEvent], geometry: TableGeometry, source: TraceProfile) {
    var sample = RecordingSample()
    for event in try RecordingTests.events(name).events { sample.add(event) }
    sample.finish()
    var options = SynthesisOptions()
    options.events = events
    change(&options)
    let generator = try ScaledGenerator(sample, options)
    var made: [TraceEvent] = []
    try generator.run { span in for index in span.indices { made.append(span[index]) } }
    return (made, generator.geometry, sample.profile)
  }

  @Test(arguments: ["boot", "faults", "rebind", "nested-v4"])
  func everyDesignReplaysAScaledRecording(name: String) throws {
    let made = try Self.scale(name, events: 20_000) {
      $0.devices = Amount(thousandths: 2_000)
      $0.vectors = Amount(thousandths: 3_000)
      $0.vcpus = Amount(6)
      $0.rate = Amount(thousandths: 1_500)
    }
    #expect(made.events.count == 20_000)
    #expect(zip(made.events, made.events.dropFirst()).allSatisfy { $0.time <= $1.time })
    SyntheticTraceTests.prove(made.events, made.geometry, "scaled \(name)")
  }

  @Test func distributionsAreThoseOfTheRecording() throws {
    let made = try Self.scale("nvme", events: 160_000)
    var profile = TraceProfile()
    for event in made.events { profile.add(event) }
    let source = made.source
    func near(_ a: UInt64, _ b: UInt64, _ factor: Double) -> Bool {
      let ratio = Double(max(a, b) + 1) / Double(min(a, b) + 1)
      return ratio < factor
    }
    for thousandths in [500, 900, 990] as [UInt64] {
      let pairs = [
        (source.dmaGaps, profile.dmaGaps, "accesses"),
        (source.msiGaps, profile.msiGaps, "interrupts"), (source.reuse, profile.reuse, "reuse"),
      ]
      for (old, new, what) in pairs {
        let (a, b) = (
          old.percentile(thousandths: thousandths), new.percentile(thousandths: thousandths)
        )
        #expect(near(a, b, 1.5), "\(what) \(thousandths): \(a) and \(b)")
      }
    }
    let share = { (profile: TraceProfile, kind: EventKind) in
      Double(profile.count(kind)) / Double(profile.count(.dma))
    }
    for kind in [EventKind.msi, .acknowledge, .map, .unmap, .smmuCommand] {
      let (a, b) = (share(source, kind), share(profile, kind))
      #expect(abs(a / b - 1) < 0.25, "\(kind): \(a) and \(b) for each access")
    }
  }

  @Test func moreDevicesVectorsAndCPUsAreThere() throws {
    let made = try Self.scale("nvme", events: 60_000) {
      $0.devices = Amount(thousandths: 3_000)
      $0.vectors = Amount(thousandths: 2_000)
      $0.vcpus = Amount(9)
    }
    var profile = TraceProfile()
    for event in made.events { profile.add(event) }
    #expect(profile.devices.count { $0.vectors.count >= 6 } == 3, "the NVMe device has five")
    #expect(Set(made.events.filter { $0.kind == .msi }.map(\.target)).count == 9)
  }

  @Test func aRateIsOfAllInterrupts() throws {
    let made = try Self.scale("nvme", events: 60_000) { $0.rate = Amount(10_000) }
    let times = made.events.filter { $0.kind == .msi }.map(\.time)
    let rate = Double(times.count) / Double(times.last! - times.first!) * 1e9
    #expect(abs(rate / 10_000 - 1) < 0.15, "\(rate)")
  }

  @Test func aSeedRepeatsAndARecordingWithoutAccessesIsRefused() throws {
    let one = try Self.scale("rebind", events: 12_000) { $0.seed = 5 }
    #expect(try Self.scale("rebind", events: 12_000) { $0.seed = 5 }.events == one.events)
    #expect(try Self.scale("rebind", events: 12_000) { $0.seed = 6 }.events != one.events)
    var sample = RecordingSample()
    sample.finish()
    #expect(throws: SynthesisError.nothingToScale(missing: "accesses or interrupts")) {
      _ = try ScaledGenerator(sample, SynthesisOptions())
    }
  }
}
