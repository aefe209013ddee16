import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

/// The fast host against the readable one: random lives in a small crowded world, every answer, every
/// command and in the end every count the same. And the commands, executed on an ITS, do what was
/// answered.
@Suite struct VLPIAllocatorDifferentialTests {
  struct Case: CustomTestStringConvertible {
    var early: VLPIHost.EarlyEvents
    var freed: VLPIHost.FreedVPEID
    var isV41: Bool
    var testDescription: String { "\(early), \(freed), GICv4.\(isV41 ? 1 : 0)" }
  }

  static let cases = [VLPIHost.EarlyEvents.drop, .pend].flatMap { early in
    [VLPIHost.FreedVPEID.returnToVLPI, .stayOnEventfd].flatMap { freed in
      [true, false].map { Case(early: early, freed: freed, isV41: $0) }
    }
  }

  @Test(arguments: cases)
  func randomLivesGiveTheSameAnswersCommandsAndCounts(_ parameters: Case) {
    for seed in 0..<UInt64(SoakSize.events(perCase: 12_000) / 2_000) {
      var pair = VLPIPair(parameters, seed: seed)
      for step in 0..<2_000 {
        if let difference = pair.step() {
          Issue.record("seed \(seed), step \(step): \(difference)")
          return
        }
      }
      #expect(pair.core.cases == pair.reference.cases)
      #expect(pair.core.commandCount == pair.reference.commandCount)
      #expect(pair.strayErrors == [])
    }
  }

  /// The lives must reach what they are there for.
  @Test func theLivesReachEveryCase() {
    var met: Set<VLPIRequestCase> = []
    for (index, parameters) in Self.cases.enumerated() {
      for seed in 0..<2 as Range<UInt64> {
        var pair = VLPIPair(parameters, seed: UInt64(index) * 100 + seed)
        for _ in 0..<2_000 { _ = pair.step() }
        met.formUnion(VLPIRequestCase.allCases.filter { pair.reference.cases[$0] > 0 })
      }
    }
    #expect(met == Set(VLPIRequestCase.allCases))
  }
}

/// A queue that keeps the commands, to be compared.
struct CommandRecorder: HostCommandQueue {
  var commands: [HostCommand] = []
  mutating func post(_ command: HostCommand) { commands.append(command) }
}

struct VLPIPair: ~Copyable {
  var reference: VLPIAllocator
  var core: VLPIAllocatorCore
  var its: ITS
  var random: SeededGenerator
  var grants: [VLPIGrant] = []
  /// The requests that gave them.
  var granted: [VLPIRequest] = []

  init(_ parameters: VLPIAllocatorDifferentialTests.Case, seed: UInt64) {
    var host = VLPIHost()
    host.earlyEvents = parameters.early
    host.freedVPEID = parameters.freed
    host.isV41 = parameters.isV41
    host.vPEIDCount = 2
    host.physicalLPICount = 8
    host.deviceIDBits = 3
    host.eventIDBits = 3
    host.vINTIDBits = 14
    host.tableEntryLimit = 20
    host.functionCount = 6
    host.vPECount = 6
    host.vmCount = 2
    reference = VLPIAllocator(host)
    core = VLPIAllocatorCore(host)
    random = SeededGenerator(seed: seed)
    its = ITS.provisioned(
      .init(version: parameters.isV41 ? .v41 : .v4, deviceIDBits: 3, eventIDBits: 3))
    its.execute(.mapc(icid: 0, rdBase: 0, valid: true))
  }

  private mutating func below(_ limit: UInt32) -> UInt32 {
    UInt32(truncatingIfNeeded: random.next() % UInt64(limit))
  }

  /// A number that is now and then just out of range.
  private mutating func number(_ limit: UInt32) -> UInt32 {
    below(50) == 0 ? limit + below(2) * (.max - limit) : below(limit)
  }

  /// One call; a description of the first difference, if there is one.
  mutating func step() -> String? {
    switch below(100) {
    case 0..<45: return request()
    case 45..<65: return event()
    case 65..<73: return release()
    case 73..<81: return plug()
    case 81..<85: return unplug(finish: false)
    case 85..<90: return unplug(finish: true)
    case 90..<96: return addVPE()
    default: return removeVPE()
    }
  }

  private mutating func request() -> String? {
    let function = number(6)
    let event = number(8)
    var request = VLPIRequest(
      vm: UInt16(function & 1 == 0 || below(30) == 0 ? 0 : 1), function: function,
      eventID: EventID(event),
      vINTID: INTID(below(40) == 0 ? below(2) * 0x4000 : 8192 + below(12)),
      vPE: UInt16(truncatingIfNeeded: number(6)),
      message: .init(address: 0xFFFF_F040, data: below(40) == 0 ? event ^ 1 : event))
    // One in three has been granted before: the same again, or for another vPE.
    if !granted.isEmpty, below(3) == 0 {
      let vPE = request.vPE
      request = granted[Int(below(UInt32(granted.count)))]
      if below(3) > 0 { request.vPE = vPE }
    }
    let expected = Result { () throws(VLPIRefusal) in try reference.request(request) }
    var queue = CommandRecorder()
    let found = Result { () throws(VLPIRefusal) in
      try core.request(request, commands: &queue)
    }
    if case .success(let grant) = expected {
      grants.append(grant)
      granted.append(request)
    }
    if grants.count > 40 {
      grants.removeFirst()
      granted.removeFirst()
    }
    return expected == found ? commands(queue, "\(request)") : "\(request): \(expected), \(found)"
  }

  private mutating func release() -> String? {
    guard !grants.isEmpty else { return nil }
    let grant = grants[Int(below(UInt32(grants.count)))]
    let expectedWay = Result { () throws(VLPIRefusal) in try reference.delivery(of: grant) }
    let foundWay = Result { () throws(VLPIRefusal) in try core.delivery(of: grant) }
    guard expectedWay == foundWay else { return "\(grant): \(expectedWay), \(foundWay)" }
    guard below(2) == 0 else { return nil }
    var queue = CommandRecorder()
    let expected = Result { () throws(VLPIRefusal) in try reference.release(grant) }
    let found = Result { () throws(VLPIRefusal) in try core.release(grant, commands: &queue) }
    return same(expected, found, queue, "release \(grant)")
  }

  private mutating func plug() -> String? {
    let function = number(6)
    // Two functions to a DeviceID; of one guest, but for a few.
    let device = below(30) == 0 ? below(12) : function % 4
    let vm = UInt16(below(30) == 0 ? below(4) : function & 1)
    let (log2, vectors) = (1 + below(4), below(5))
    var queue = CommandRecorder()
    let expected = Result { () throws(VLPIRefusal) in
      try reference.plug(
        function: function, deviceID: DeviceID(device), vm: vm, log2Events: log2,
        vectorCount: vectors)
    }
    let found = Result { () throws(VLPIRefusal) in
      try core.plug(
        function: function, deviceID: DeviceID(device), vm: vm, log2Events: log2,
        vectorCount: vectors, commands: &queue)
    }
    return same(expected, found, queue, "plug \(function) as \(device)")
  }

  private mutating func unplug(finish: Bool) -> String? {
    let function = number(6)
    var queue = CommandRecorder()
    let expected = Result { () throws(VLPIRefusal) in
      finish
        ? try reference.finishUnplug(function: function)
        : try reference.beginUnplug(function: function)
    }
    let found = Result { () throws(VLPIRefusal) in
      finish
        ? try core.finishUnplug(function: function, commands: &queue)
        : try core.beginUnplug(function: function, commands: &queue)
    }
    return same(expected, found, queue, "unplug \(function), finish \(finish)")
  }

  private mutating func addVPE() -> String? {
    let (vPE, vm) = (UInt16(truncatingIfNeeded: number(6)), UInt16(number(2) & 3))
    let expected = Result { () throws(VLPIRefusal) in try reference.addVPE(vPE, vm: vm) }
    let found = Result { () throws(VLPIRefusal) in try core.addVPE(vPE, vm: vm) }
    return same(expected, found, CommandRecorder(), "add vPE \(vPE)")
  }

  private mutating func removeVPE() -> String? {
    let vPE = UInt16(truncatingIfNeeded: number(6))
    var queue = CommandRecorder()
    let expected = Result { () throws(VLPIRefusal) in try reference.removeVPE(vPE) }
    let found = Result { () throws(VLPIRefusal) in try core.removeVPE(vPE, commands: &queue) }
    return same(expected, found, queue, "remove vPE \(vPE)")
  }

  private mutating func same(
    _ expected: Result<Void, VLPIRefusal>, _ found: Result<Void, VLPIRefusal>,
    _ queue: CommandRecorder, _ call: String
  ) -> String? {
    switch (expected, found) {
    case (.success, .success): return commands(queue, call)
    case (.failure(let a), .failure(let b)) where a == b: return commands(queue, call)
    default: return "\(call): \(expected), \(found)"
    }
  }

  /// The same commands, which then go to the ITS.
  private mutating func commands(_ queue: CommandRecorder, _ call: String) -> String? {
    let posted = reference.takeCommands()
    for command in posted { its.execute(command) }
    let expected = posted.map(\.packet.words)
    let found = queue.commands.map { [$0.dw0, $0.dw1, $0.dw2, $0.dw3] }
    return expected == found ? nil : "\(call): \(posted), \(queue.commands)"
  }

  private mutating func event() -> String? {
    let (function, event) = (number(6), EventID(number(8)))
    let device = reference.deviceID(ofFunction: function)
    let expected = reference.event(function: function, event)
    let found = core.event(function: function, event)
    guard expected == found else { return "event \(function) \(event): \(expected), \(found)" }
    guard let device else { return nil }
    let told = its.translate(deviceID: device, eventID: event)
    switch expected {
    case .vLPI(let vPEID, let vINTID):
      if told.target == .vpe(vPEID), told.intid == vINTID.rawValue, !told.outcome.isLost {
        return nil
      }
    case .eventfd, .pended:
      if told.target == .pe(0), told.intid >= reference.host.firstPhysicalLPI,
        !told.outcome.isLost
      {
        return nil
      }
    case .lost: if told.outcome.isLost { return nil }
    }
    return "event \(function) \(event): \(expected), but the ITS says \(told)"
  }

  /// Commands that failed, but for the VSYNC after a GICv4.0 VMAPP that unmaps.
  var strayErrors: [ITSError] {
    its.errors.keys.filter {
      $0.opcode != ITSCommand.Opcode.int.rawValue && $0.opcode != ITSCommand.Opcode.vsync.rawValue
    }
  }
}
