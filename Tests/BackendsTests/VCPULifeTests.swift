import EventModel
import Replay
import Testing
import TranslationCore

@testable import Backends

/// What a vCPU's load, put, block and migration cost each kind of interrupt hardware, as counts.
@Suite struct VCPULifeTests {
  private static let device: UInt32 = 8
  private static let geometry: TableGeometry = {
    var geometry = TableGeometry()
    geometry.peCount = 4
    return geometry
  }()
  private static let kinds: [EventKind] = [.vcpuPut, .vcpuBlock, .vcpuLoad, .vcpuMigrate]

  /// One device with `vectors` events for each of `vcpus` PEs, all mapped, programmed and fired once.
  private static func events(vcpus: UInt32, vectors: UInt32) -> [TraceEvent] {
    var events = [
      TraceEvent.itsCommand(time: 0, 0x08 | UInt64(device) << 32, 9, 1 << 63)
    ]
    for vcpu in 0..<vcpus {
      events.append(
        .itsCommand(time: 0, 0x09, 0, 1 << 63 | UInt64(vcpu) << 16 | UInt64(vcpu)))
    }
    for event in 0..<vcpus * vectors {
      events.append(
        .itsCommand(
          time: 0, 0x0A | UInt64(device) << 32, UInt64(8192 + event) << 32 | UInt64(event),
          UInt64(event % vcpus)))
      events.append(message(event))
    }
    return events
  }

  private static func message(_ event: UInt32) -> TraceEvent {
    TraceEvent(
      time: 0, kind: .msi, word0: TableGeometry().doorbell, word2: pack(device, device),
      word3: UInt64(event), vector: TraceEvent.unknownVector)
  }

  private static func bypass() -> TraceEvent {
    var configuration = StreamConfiguration()
    configuration.config = 4
    return configuration.event(time: 0, streamID: device)
  }

  /// The work of one life event of vCPU 0.
  private func work<Backend: TranslationBackend & ~Copyable>(
    of kind: EventKind, _ backend: inout Backend, vcpus: UInt32, vectors: UInt32
  ) -> WorkCounters {
    backend.configure(Self.bypass())
    for event in Self.events(vcpus: vcpus, vectors: vectors) {
      if event.kind == .msi {
        let outcome = backend.translate(event).outcome
        #expect(outcome == .delivered)
      } else {
        backend.configure(event)
      }
    }
    let before = backend.counters
    backend.configure(TraceEvent(time: 0, kind: kind, word3: pack(0, 3), target: .pe(0)))
    return backend.counters - before
  }

  @Test(arguments: kinds, [(1, 1), (1, 100), (4, 1), (4, 50)])
  func anIntelVCPUCostsOneDescriptorWhateverItsVectors(kind: EventKind, size: (UInt32, UInt32)) {
    var backend = X86Backend<TrappedVLPI, IntelRemapper>(geometry: Self.geometry, smmu: .init())
    let work = work(of: kind, &backend, vcpus: size.0, vectors: size.1)
    var expected = WorkCounters()
    expected.descriptorUpdates = 1
    #expect(work == expected)
  }

  @Test(arguments: kinds, [(1, 1), (1, 100), (4, 1), (4, 50)])
  func anAMDVCPUCostsOneEntryPerVector(kind: EventKind, size: (UInt32, UInt32)) {
    var backend = X86Backend<OwnedVLPI, AMDRemapper>(geometry: Self.geometry, smmu: .init())
    let work = work(of: kind, &backend, vcpus: size.0, vectors: size.1)
    var expected = WorkCounters()
    expected.irteWrites = UInt64(size.1)
    expected.listSteps = UInt64(size.1)
    #expect(work == expected)
  }

  @Test(arguments: kinds, [(1, 1), (4, 50)])
  func anAMDVCPUWithoutGuestEntriesCostsNothing(kind: EventKind, size: (UInt32, UInt32)) {
    var backend = X86Backend<TrappedIRQFD, AMDRemapper>(geometry: Self.geometry, smmu: .init())
    let work = work(of: kind, &backend, vcpus: size.0, vectors: size.1)
    #expect(work == WorkCounters())
  }

  @Test(arguments: kinds, [(1, 1), (1, 100), (4, 1), (4, 50)])
  func aGICv4VPECostsOneCommandAndItsSyncOrOneRegister(
    kind: EventKind, size: (UInt32, UInt32)
  ) {
    var backend = ArmBackend<TrappedVLPI, ITSCore>(geometry: Self.geometry, smmu: .init())
    let work = work(of: kind, &backend, vcpus: size.0, vectors: size.1)
    var expected = WorkCounters()
    if kind == .vcpuMigrate {
      expected.itsCommands = 2 * UInt64(HostLayout.itsCount)
    } else {
      expected.residencyWrites = 1
    }
    #expect(work == expected)
  }

  @Test(arguments: kinds, [(1, 1), (4, 50)])
  func aGICv5VPECostsNoStoreAndNoInvalidation(kind: EventKind, size: (UInt32, UInt32)) {
    var backend = ArmBackend<TrappedVLPI, GICv5Host>(geometry: Self.geometry, smmu: .init())
    let work = work(of: kind, &backend, vcpus: size.0, vectors: size.1)
    var expected = WorkCounters()
    if kind != .vcpuMigrate { expected.residencyWrites = 1 }
    #expect(work == expected)
  }

  @Test func aBlockedVCPUIsWokenAndAPreemptedOneIsNot() {
    for (kind, wakeUps) in [(EventKind.vcpuBlock, UInt64(1)), (.vcpuPut, 0)] {
      var backend = X86Backend<TrappedVLPI, IntelRemapper>(geometry: Self.geometry, smmu: .init())
      _ = work(of: kind, &backend, vcpus: 1, vectors: 2)
      let acknowledge = TraceEvent(time: 0, kind: .acknowledge, word3: pack(0, 8192))
      backend.acknowledge(acknowledge)
      let outcome = backend.translate(Self.message(0))
      #expect(outcome.outcome == .delivered && outcome.intid == 8192)
      #expect(backend.counters.doorbellsRaised == wakeUps)
    }
  }

  @Test func anAMDVCPUThatDoesNotRunIsLoggedOncePerInterrupt() {
    var backend = X86Backend<TrappedVLPI, AMDRemapper>(geometry: Self.geometry, smmu: .init())
    _ = work(of: .vcpuBlock, &backend, vcpus: 1, vectors: 3)
    for _ in 0..<600 { _ = backend.translate(Self.message(1)) }
    #expect(backend.counters.gaLogAppends == 600 && backend.counters.doorbellsRaised == 600)
    #expect(backend.counters.gaLogOverflows == 0)
  }
}
