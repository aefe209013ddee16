import EventModel
import ReferenceModel
import Testing

/// What a request costs and gives when nothing is in its way, and what refuses it.
@Suite struct VLPIRequestTests {
  @Test func aRequestIsOneMappingWithTheGuestsOwnEventAndMessage() throws {
    var world = try VLPIWorld()
    let first = try world.request(2)
    #expect(first.delivery == .vLPI(vPEID: 0) && first.deviceID == DeviceID(8))
    #expect(first.message == .init(address: VLPIWorld.message, data: 2))
    #expect(world.posted() == [.vmapp, .vsync, .vinvall, .vsync, .vmapti, .vsync])
    _ = try world.request(1)
    #expect(
      world.host.takeCommands() == [
        .vmapti(
          DeviceID(8), EventID(1), vPEID: 0, vINTID: INTID(8993), doorbell: INTID.spurious),
        .vsync(vPEID: 0),
      ])
    #expect(world.event(2) == .vLPI(vPEID: 0, vINTID: INTID(8994)))
    #expect(world.host.cases[.grantedVLPI] == 2 && world.host.cases.refused == 0)
  }

  @Test func theHostsTableHasTheSizeOfTheGuestsMAPD() throws {
    var world = try VLPIWorld()
    try world.plug(9, log2: 11)
    #expect(
      world.host.takeCommands() == [
        .mapd(
          DeviceID(9), size: 10, ittAddress: world.host.host.tableAddress(9), valid: true)
      ])
    _ = try world.request(2047, function: 9)
    #expect(throws: refusal(.eventOutOfRange)) { try world.request(2048, function: 9) }
  }

  @Test func aTableLargerThanTheHostsITSIsCapped() throws {
    var world = try VLPIWorld { $0.eventIDBits = 6 }
    try world.plug(9, log2: 11)
    #expect(world.host.cases[.cappedTable] == 1)
    _ = try world.request(63, function: 9)
    #expect(throws: refusal(.eventOutOfRange)) { try world.request(64, function: 9) }
  }

  /// GICv4.0 wants the vPE's doorbell with each event, GICv4.1 has it once per vPE.
  @Test func doorbellsStandWithTheEventOrWithTheVPE() throws {
    var old = try VLPIWorld { $0.isV41 = false }
    _ = try old.request(0)
    let commands = old.host.takeCommands()
    guard case .vmapti(_, _, _, _, let doorbell)? = commands.dropLast().last,
      case .vmapp(let vPE)? = commands.first
    else {
      Issue.record("\(commands)")
      return
    }
    #expect(doorbell == INTID(8192) && vPE.defaultDoorbell == INTID(0))

    var new = try VLPIWorld()
    _ = try new.request(0)
    guard case .vmapp(let vPE)? = new.host.takeCommands().first else { return }
    #expect(vPE.defaultDoorbell == INTID(8192) && vPE.pendingTableZero && vPE.allocate)
  }

  @Test func theSameRequestAgainCostsNothing() throws {
    var world = try VLPIWorld()
    let first = try world.request(2)
    _ = world.host.takeCommands()
    let second = try world.request(2)
    #expect(first == second && world.posted() == [] && world.host.cases[.duplicate] == 1)
  }

  @Test func anotherVPEIsOneVMOVI() throws {
    var world = try VLPIWorld()
    let first = try world.request(2)
    _ = try world.request(1, vPE: 2)
    _ = world.host.takeCommands()
    let moved = try world.request(2, vPE: 2)
    #expect(world.posted() == [.vmovi, .vsync])
    #expect(moved.delivery == .vLPI(vPEID: 1) && moved.serial == first.serial)
    #expect(world.host.cases[.retargeted] == 1)
  }

  @Test func sparseEventsAndEventsBeyondTheVectorsAreGrantedAndCounted() throws {
    var world = try VLPIWorld()
    _ = try world.request(0)
    _ = try world.request(1)
    #expect(world.host.cases[.sparseEvent] == 0)
    _ = try world.request(31)
    #expect(world.host.cases[.sparseEvent] == 1 && world.host.cases[.eventBeyondVectors] == 1)
    #expect(world.event(31) == .vLPI(vPEID: 0, vINTID: INTID(9023)))
  }

  @Test func aReleasedEventIsFreeForAnother() throws {
    var world = try VLPIWorld()
    let grant = try world.request(2)
    _ = world.host.takeCommands()
    try world.host.release(grant)
    #expect(world.posted() == [.discard, .sync])
    #expect(world.event(2) == .lost)
    #expect(throws: refusal(.staleGrant)) { try world.host.release(grant) }
    _ = try world.request(1, vINTID: 8994)
    #expect(world.event(1) == .vLPI(vPEID: 0, vINTID: INTID(8994)))
  }

  @Test func eachWrongRequestIsRefusedForItsReasonAndPostsNothing() throws {
    var world = try VLPIWorld()
    try world.plug(9, vm: 1)
    let good = try world.request(2)
    _ = world.host.takeCommands()
    func request(
      _ change: (inout VLPIRequest) -> Void
    ) -> VLPIRequest {
      var request = VLPIRequest(
        vm: 0, function: 8, eventID: EventID(1), vINTID: INTID(8200), vPE: 1,
        message: .init(address: VLPIWorld.message, data: 1))
      change(&request)
      return request
    }
    let wrong: [(VLPIRequestCase, VLPIRequest)] = [
      (.requestBeforePlug, request { $0.function = 7 }),
      (.requestBeforePlug, request { $0.function = .max }),
      (.foreignFunction, request { $0.function = 9 }),
      (.foreignFunction, request { $0.vm = 1 }),
      (.foreignVPE, request { $0.vPE = 3 }),
      (.foreignVPE, request { $0.vPE = 99 }),
      (.eventOutOfRange, request { $0.eventID = EventID(32) }),
      (.eventOutOfRange, request { $0.eventID = EventID(.max) }),
      (.wrongMessage, request { $0.message.data = 2 }),
      (.wrongMessage, request { $0.message.address += 4 }),
      (.intidOutOfRange, request { $0.vINTID = INTID(8191) }),
      (.intidOutOfRange, request { $0.vINTID = INTID(65_536) }),
      (.intidTaken, request { $0.vINTID = INTID(8994) }),
      (
        .eventTaken,
        request {
          $0.eventID = EventID(2)
          $0.message.data = 2
        }
      ),
    ]
    for (reason, request) in wrong {
      #expect(throws: refusal(reason)) { try world.host.request(request) }
    }
    #expect(world.posted() == [] && world.host.cases.refused == UInt64(wrong.count))
    let delivery = try world.host.delivery(of: good)
    #expect(delivery == .vLPI(vPEID: 0))
  }

  /// vINTIDs are a guest's own: another guest may use the same.
  @Test func twoGuestsHaveTheSameInterruptNumber() throws {
    var world = try VLPIWorld()
    try world.plug(9, vm: 1)
    _ = try world.request(0, vINTID: 8192)
    let other = try world.request(0, function: 9, vm: 1, vINTID: 8192, vPE: 3)
    #expect(other.delivery == .vLPI(vPEID: 1))
  }

  @Test func everyCaseHasItsOwnNameAndSentence() {
    let names = Set(VLPIRequestCase.allCases.map(\.name))
    #expect(names.count == VLPIRequestCase.allCases.count)
    #expect(names.isSuperset(of: ["granted-vlpi", "physical-lpis-exhausted", "foreign-vpe"]))
    #expect(Set(VLPIRequestCase.allCases.map(\.sentence)).count == names.count)
    var cases = VLPIRequestCases()
    cases.count(.poolExhausted, 3)
    cases.count(.staleGrant)
    #expect(cases.description == "pool-exhausted 3\nstale-grant 1" && cases.refused == 1)
  }
}
