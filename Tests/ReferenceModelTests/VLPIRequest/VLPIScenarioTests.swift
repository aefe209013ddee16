import EventModel
import ReferenceModel
import Testing

/// The open problems of the proposal, one by one.
@Suite struct VLPIScenarioTests {
  // MARK: Early events

  @Test func anEarlyEventIsLostWhereNothingIsMapped() throws {
    var world = try VLPIWorld()
    #expect(world.event(2) == .lost)
    _ = try world.request(2)
    #expect(world.posted().suffix(2) == [.vmapti, .vsync], "nothing is handed over")
    #expect(world.host.cases[.earlyEventDropped] == 1)
  }

  @Test func anEarlyEventIsKeptAsTheHostsLPIAndHandedOver() throws {
    var world = try VLPIWorld { $0.earlyEvents = .pend }
    let plugged = world.host.commandCount
    #expect(plugged == 1 + 3 * 4, "MAPD, then MAPTI and INV for each vector")
    #expect(world.event(2) == .pended && world.event(2) == .pended)
    _ = try world.request(2)
    #expect(
      world.posted().suffix(6) == [.discard, .sync, .vmapti, .vsync, .int, .vsync])
    #expect(world.host.cases[.earlyEventPended] == 2)
    #expect(world.host.cases[.earlyEventHandedOver] == 1, "two events, one pending bit")
    // Without one, the request is what its_vlpi_map does.
    _ = try world.request(1)
    #expect(world.posted() == [.discard, .sync, .vmapti, .vsync])
  }

  /// Only vectors are reserved: the guest may still use an EventID that no vector has.
  @Test func anEarlyEventBeyondTheVectorsIsLostEvenSo() throws {
    var world = try VLPIWorld { $0.earlyEvents = .pend }
    #expect(world.event(17) == .lost)
    #expect(world.event(32) == .lost)
    #expect(world.host.cases[.earlyEventDropped] == 1 && world.host.cases[.eventOutOfTable] == 1)
  }

  @Test func vectorsForWhichTheHostHasNoLPIAreNotReserved() throws {
    var world = try VLPIWorld {
      $0.earlyEvents = .pend
      $0.physicalLPICount = 2
    }
    #expect(world.host.cases[.unreservedVectors] == 1 && world.host.cases.refused == 0)
    #expect(world.event(1) == .pended && world.event(2) == .lost)
  }

  @Test func aReleasedEventIsTheHostsAgain() throws {
    var world = try VLPIWorld { $0.earlyEvents = .pend }
    let grant = try world.request(2)
    _ = world.host.takeCommands()
    try world.host.release(grant)
    #expect(
      world.posted() == [.discard, .sync, .mapti, .sync, .inv, .sync], "as its_vlpi_unmap")
    #expect(world.event(2) == .pended)
  }

  @Test func aKeptEventGoesWithItsFunction() throws {
    var world = try VLPIWorld { $0.earlyEvents = .pend }
    _ = world.event(2)
    try world.host.beginUnplug(function: 8)
    #expect(world.host.cases[.earlyEventDiscarded] == 1)
    #expect(world.posted().filter { $0 == .discard }.count == 3)
  }

  // MARK: Aliases

  @Test func aliasesShareATableAndItsEvents() throws {
    var world = try VLPIWorld()
    try world.plug(9, as: 8)
    #expect(world.posted() == [], "the table is there")
    _ = try world.request(0)
    _ = try world.request(1, function: 9)
    #expect(world.host.cases[.sharedTable] == 2)
    #expect(throws: refusal(.aliasCollision)) {
      try world.request(0, function: 9, vINTID: 8192)
    }
    // The ITS cannot tell them apart.
    #expect(world.event(0, function: 9) == .vLPI(vPEID: 0, vINTID: INTID(8992)))
    #expect(world.host.cases[.eventOfAlias] == 1)
  }

  @Test func aliasesOfTwoGuestsAreRefused() throws {
    var world = try VLPIWorld()
    #expect(throws: refusal(.aliasOwnedElsewhere)) { try world.plug(9, as: 8, vm: 1) }
  }

  @Test func anAliasStaysWhenTheOtherIsUnplugged() throws {
    var world = try VLPIWorld()
    try world.plug(9, as: 8)
    let leaving = try world.request(0)
    let staying = try world.request(1, function: 9)
    _ = world.host.takeCommands()
    try world.host.beginUnplug(function: 8)
    try world.host.finishUnplug(function: 8)
    #expect(world.posted() == [.discard, .sync], "no MAPD: the table is in use")
    #expect(throws: refusal(.staleGrant)) { try world.host.delivery(of: leaving) }
    let delivery = try world.host.delivery(of: staying)
    #expect(delivery == .vLPI(vPEID: 0))
    // A write still under way from the one that left arrives as the other's.
    #expect(world.event(1) == .vLPI(vPEID: 0, vINTID: INTID(9093)))
    #expect(world.host.cases[.eventOfAlias] == 1)
  }

  // MARK: Hot-unplug

  @Test func aRequestRacesWithUnplugBeforeWhileAndAfter() throws {
    var world = try VLPIWorld()
    let before = try world.request(0)
    _ = world.host.takeCommands()
    try world.host.beginUnplug(function: 8)
    #expect(world.posted() == [.discard, .sync])
    #expect(throws: refusal(.requestWhileUnplugging)) { try world.request(1) }
    #expect(world.event(0) == .lost)
    try world.host.finishUnplug(function: 8)
    #expect(world.posted() == [.mapd])
    #expect(throws: refusal(.requestAfterUnplug)) { try world.request(1) }
    #expect(world.event(0) == .lost)
    #expect(throws: refusal(.staleGrant)) { try world.host.release(before) }
    let cases = world.host.cases
    #expect(cases[.grantRevoked] == 1 && cases[.staleGrant] == 1)
    #expect(cases[.eventWhileUnplugging] == 1 && cases[.eventAfterUnplug] == 1)
  }

  @Test func aGrantOfAnEarlierLifeIsNoGrantOfThisOne() throws {
    var world = try VLPIWorld()
    let old = try world.request(0)
    try world.host.beginUnplug(function: 8)
    try world.host.finishUnplug(function: 8)
    try world.plug(8)
    let new = try world.request(0)
    #expect(throws: refusal(.staleGrant)) { try world.host.release(old) }
    try world.host.release(new)
  }

  @Test func unplugHasAnOrder() throws {
    var world = try VLPIWorld()
    #expect(throws: refusal(.notPlugged)) { try world.host.finishUnplug(function: 8) }
    #expect(throws: refusal(.notPlugged)) { try world.host.beginUnplug(function: 7) }
    #expect(throws: refusal(.alreadyPlugged)) { try world.plug(8) }
    try world.host.beginUnplug(function: 8)
    #expect(throws: refusal(.notPlugged)) { try world.host.beginUnplug(function: 8) }
    #expect(throws: refusal(.alreadyPlugged)) { try world.plug(8) }
  }

  // MARK: The vPE pool

  @Test func anEmptyPoolFallsBackToAnEventfd() throws {
    var world = try VLPIWorld { $0.vPEIDCount = 1 }
    _ = try world.request(0)
    _ = world.host.takeCommands()
    let grant = try world.request(1, vPE: 2)
    #expect(grant.delivery == .eventfd(pINTID: INTID(8193)), "after the one doorbell")
    #expect(world.posted() == [.mapti, .sync, .inv, .sync])
    #expect(world.event(1) == .eventfd(vPE: 2, vINTID: INTID(8993)))
    let cases = world.host.cases
    #expect(cases[.poolExhausted] == 1 && cases[.grantedEventfd] == 1)
    #expect(cases[.eventThroughEventfd] == 1)
  }

  @Test func eventsReturnToVLPIsWhenThePoolFrees() throws {
    var world = try VLPIWorld { $0.vPEIDCount = 1 }
    _ = try world.request(0)
    let first = try world.request(1, vPE: 2)
    _ = try world.request(2, vPE: 2)
    _ = world.host.takeCommands()
    try world.host.removeVPE(1)
    #expect(
      world.posted() == [
        .discard, .sync, .vmapp,
        .vmapp, .vsync, .vinvall, .vsync,
        .discard, .sync, .vmapti, .vsync, .discard, .sync, .vmapti, .vsync,
      ])
    let now = try world.host.delivery(of: first)
    #expect(now == .vLPI(vPEID: 0), "the grant holds, the way has changed")
    #expect(world.host.cases[.returnedToVLPI] == 2 && world.host.cases[.stayedOnEventfd] == 0)
  }

  @Test func eventsStayOnEventfdsWhereTheHostDoesNotTakeThemBack() throws {
    var world = try VLPIWorld {
      $0.vPEIDCount = 1
      $0.freedVPEID = .stayOnEventfd
    }
    _ = try world.request(0)
    let grant = try world.request(1, vPE: 2)
    try world.host.removeVPE(1)
    let still = try world.host.delivery(of: grant)
    #expect(still == .eventfd(pINTID: INTID(8193)))
    #expect(world.host.cases[.stayedOnEventfd] == 1)
    // Until the guest maps the event again.
    let again = try world.request(1, vPE: 2)
    #expect(again.delivery == .vLPI(vPEID: 0) && again.serial == grant.serial)
    #expect(world.host.cases[.returnedToVLPI] == 1)
  }

  @Test func whoWaitsLongestIsServedFirst() throws {
    var world = try VLPIWorld { $0.vPEIDCount = 1 }
    try world.plug(9, vm: 1)
    _ = try world.request(0)
    let other = try world.request(0, function: 9, vm: 1, vPE: 3)
    let second = try world.request(1, vPE: 2)
    try world.host.removeVPE(1)
    let first = try world.host.delivery(of: other)
    let last = try world.host.delivery(of: second)
    #expect(first == .vLPI(vPEID: 0))
    #expect(last != .vLPI(vPEID: 0))
  }

  @Test func whoHasNothingToGainDoesNotWait() throws {
    var world = try VLPIWorld { $0.vPEIDCount = 1 }
    _ = try world.request(0)
    let grant = try world.request(1, vPE: 2)
    try world.host.release(grant)
    _ = world.host.takeCommands()
    try world.host.removeVPE(1)
    #expect(world.posted() == [.discard, .sync, .vmapp], "the vPEID stays free")
  }

  @Test func anEventThatMovesToAVPEWithoutVPEIDFallsBack() throws {
    var world = try VLPIWorld { $0.vPEIDCount = 1 }
    _ = try world.request(0)
    _ = world.host.takeCommands()
    let away = try world.request(0, vPE: 2)
    #expect(world.posted() == [.discard, .sync, .mapti, .sync, .inv, .sync])
    #expect(away.delivery == .eventfd(pINTID: INTID(8193)))
    let back = try world.request(0, vPE: 1)
    #expect(world.posted() == [.discard, .sync, .vmapti, .vsync])
    #expect(back.delivery == .vLPI(vPEID: 0))
  }

  @Test func withoutVPEIDsAndLPIsARequestIsRefused() throws {
    var world = try VLPIWorld {
      $0.vPEIDCount = 1
      $0.physicalLPICount = 1
    }
    _ = try world.request(0)
    _ = try world.request(1, vPE: 2)
    #expect(throws: refusal(.physicalLPIsExhausted)) { try world.request(2, vPE: 2) }
    #expect(throws: refusal(.physicalLPIsExhausted)) { try world.request(0, vPE: 2) }
    #expect(world.event(0) == .vLPI(vPEID: 0, vINTID: INTID(8992)), "as it was")
  }

  @Test func aReservedVectorNeedsNoCommandToSignalAnEventfd() throws {
    var world = try VLPIWorld {
      $0.vPEIDCount = 1
      $0.earlyEvents = .pend
    }
    _ = try world.request(0)
    _ = world.event(1)
    _ = world.host.takeCommands()
    _ = try world.request(1, vPE: 2)
    #expect(world.posted() == [])
    #expect(world.host.cases[.earlyEventHandedOver] == 1)
  }
}
