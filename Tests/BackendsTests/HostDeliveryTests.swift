import Backends
import EventModel
import Testing

/// From messages to interrupts, on sequences short enough to follow by hand.
@Suite struct HostDeliveryTests {
  private static let proxy: UInt32 = 0xFFFF
  private static let vPE = InterruptTarget.vpe(1)

  private func message(_ event: UInt32, to target: InterruptTarget, _ intid: UInt32) -> TraceEvent {
    .msi(
      time: 0, streamID: 0x18, deviceID: 0x18, address: 0x809_0040, data: event,
      flags: [.write, .interruptRecorded], expectedINTID: intid, expectedTarget: target,
      outcome: .delivered)
  }

  private func command(_ opcode: UInt64, _ device: UInt32, _ dword1: UInt64, _ dword2: UInt64 = 0)
    -> TraceEvent
  {
    .itsCommand(time: 0, opcode | UInt64(device) << 32, dword1, dword2)
  }

  /// Event 0 of the proxy is doorbell 8200; event 2 of the device rings it for vPE 1.
  private var mapped: [TraceEvent] {
    [
      command(0x0A, Self.proxy, 8_200 << 32),
      command(0x2A, 0x18, 2 | 1 << 32, 8_194 | 8_200 << 32),
    ]
  }
  private var toggle: TraceEvent { command(0x0C, Self.proxy, 0) }
  private var clear: TraceEvent { command(0x04, Self.proxy, 0) }

  private func deliver(_ events: [TraceEvent]) -> HostDelivery {
    var delivery = HostDelivery(proxyDevice: Self.proxy)
    for event in events { delivery.apply(event) }
    return delivery
  }

  @Test func aSecondMessageBeforeTheAcknowledgeIsCoalesced() {
    let send = message(1, to: .pe(0), 8_193)
    let take = TraceEvent.acknowledge(time: 0, target: .pe(0), intid: 8_193)
    let delivery = deliver([send, send, take, send, message(2, to: .pe(0), 8_194)])
    #expect(delivery.work[.messages] == 4)
    #expect(delivery.work[.handlers] == 3)
    #expect(delivery.coalesced == 1)
    #expect(delivery.work[.virtualMessages] == 0)
  }

  @Test func aDoorbellIsTakenOnlyWhileItIsEnabledAndItsVPEAway() {
    let send = message(2, to: Self.vPE, 8_194)
    let take = TraceEvent.acknowledge(time: 0, target: Self.vPE, intid: 8_194)
    let load = TraceEvent(time: 0, kind: .vcpuLoad, target: Self.vPE)
    // Away with the doorbell disabled.
    #expect(deliver(mapped + [send]).work[.doorbells] == 0)
    // Resident.
    #expect(deliver(mapped + [toggle, load, send]).work[.doorbells] == 0)
    // Blocked: one doorbell, and none for the coalesced message.
    let blocked = deliver(mapped + [toggle, send, send])
    #expect(blocked.work[.doorbells] == 1)
    #expect(blocked.absent == 2)
    #expect(blocked.coalesced == 1)
    // The doorbell is pending until its CLEAR, so the next interrupt does not ring again before.
    #expect(deliver(mapped + [toggle, send, take, send]).work[.doorbells] == 1)
    #expect(deliver(mapped + [toggle, send, take, clear, send]).work[.doorbells] == 2)
  }

  @Test func aLostMessageIsNoInterrupt() {
    var lost = message(1, to: .pe(0), 0)
    lost.outcome = .unmappedEvent
    #expect(deliver([lost]).work == HostWork())
  }
}
