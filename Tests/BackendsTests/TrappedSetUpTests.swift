import EventModel
import Replay
import Testing

@testable import Backends
@testable import TranslationCore

/// What the host makes of a guest's MSI-X table, looked at from inside.
@Suite struct TrappedSetUpTests {
  private typealias Trapped = ArmBackend<TrappedVLPI, ITSCore>

  private static func backend(_ script: GuestScript) -> Trapped {
    var backend = Trapped(geometry: GuestScript.geometry, smmu: SMMUOptions())
    for event in script.events {
      switch event.kind {
      case .dma, .msi: _ = backend.translate(event)
      case .acknowledge: backend.acknowledge(event)
      case .map, .unmap, .smmuCommand: backend.maintain(event)
      default: backend.configure(event)
      }
    }
    return backend
  }

  private static var mapped: GuestScript {
    var s = GuestScript()
    s.attach(8)
    for pe in 0..<2 as Range<UInt64> { s.mapc(pe, pe) }
    s.mapd(8, bits: 2)
    for event in 0..<4 as Range<UInt32> { s.mapti(8, event, 8192 + event, UInt64(event & 1)) }
    return s
  }

  /// Of the first vector that was programmed.
  private static func isForwarded(_ script: GuestScript) -> Bool? {
    let backend = backend(script)
    return backend.its.mapping(8, HostLayout.firstEvent)?.isVirtual
  }

  @Test func theHostNumbersEventsItsOwnWay() throws {
    var script = Self.mapped
    for vector in [3, 1, 0, 2] as [UInt16] { script.program(8, vector, data: UInt32(vector)) }
    let backend = Self.backend(script)
    var hostEvents: [UInt32] = []
    for vector in 0..<4 as Range<UInt32> {
      let event = backend.vectors.hostEvent(8, vector)
      hostEvents.append(event)
      #expect(event != vector)
      let found = backend.its.mapping(8, event)
      let entry = try #require(found)
      #expect(entry.isVirtual && entry.intid == 8192 + vector && entry.place == UInt16(vector & 1))
      // Nothing stands where the guest thinks that it does.
      let other = backend.its.mapping(8, vector)
      #expect(other == nil)
    }
    let first = HostLayout.firstEvent
    #expect(hostEvents == [first + 2, first + 1, first + 3, first])
  }

  /// Programmed before it is mapped: the host's own interrupt, until the first MSI finds the guest's
  /// mapping; and again after the guest discards it.
  @Test func anEntryIsForwardedWhileTheGuestHasAMapping() throws {
    var script = GuestScript()
    script.attach(8)
    script.mapc(0, 0)
    script.program(8, 0, data: 0)
    #expect(Self.isForwarded(script) == false)
    script.mapd(8, bits: 1)
    script.mapti(8, 0, 8200, 0)
    script.msi(8, 0, data: 0)
    #expect(Self.isForwarded(script) == true)
    script.discard(8, 0)
    #expect(Self.isForwarded(script) == false)
  }

  /// Programming another vector must not touch what is pending: the host's LPIs have the same
  /// numbers as the guest's.
  @Test func programmingAVectorKeepsPendingInterrupts() {
    var script = Self.mapped
    script.program(8, 0, data: 0)
    script.msi(8, 0, data: 0)
    for vector in 1..<4 as Range<UInt16> { script.program(8, vector, data: UInt32(vector)) }
    script.program(8, 0, data: 0)
    let backend = Self.backend(script)
    let isPending = backend.its.pending.isPending(8192, .pe(0))
    #expect(isPending)
  }

  /// A device's MSI goes to the host's page by the host's IOVA, with or without a stage 1.
  @Test func theHostsMessageReachesTheDoorbellThroughTheReservedRegion() {
    var backend = Self.backend(Self.mapped)
    let found = backend.smmu.translate(
      streamID: 8, address: HostLayout.windowDoorbell, write: true, read: false)
    #expect(found.fault == 0 && found.address == HostLayout.doorbell)
    let guest = backend.smmu.translate(
      streamID: 8, address: GuestScript.doorbellIOVA, write: true, read: false)
    #expect(guest.fault == 0 && guest.address == HostLayout.doorbell)
  }

  /// A bound and unbound device, ten thousand times: the host must not run out of LPIs.
  @Test(arguments: [Design.eventfd, Design(.owned, .irqfd)])
  func bindingForEverKeepsDelivering(design: Design) {
    var script = GuestScript()
    script.attach(8)
    script.mapc(0, 0)
    for round in 0..<10_000 as Range<UInt32> {
      script.mapd(8, bits: 3)
      for event in 0..<8 as Range<UInt32> { script.mapti(8, event, 8192 + event, 0) }
      if round % 1_000 == 999 {
        script.program(8, 0, data: 7)
        script.msi(8, 0, data: 7)
        script.acknowledge(.pe(0), 8199)
      }
    }
    let run = DesignRun.through(design, script)
    #expect(run.outcomes.count == 10)
    #expect(run.outcomes.allSatisfy { $0.outcome == .delivered && $0.intid == 8199 })
  }
}
