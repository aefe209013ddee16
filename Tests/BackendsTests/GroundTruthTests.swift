import Backends
import EventModel
import Foundation
import Replay
import Testing

/// The same load on three real stacks, against what the model says of each. The tables here are those of
/// `Sources/Manual/Explanation/GroundTruth.md`.
@Suite(.serialized) struct GroundTruthTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var stack: HostStack
    /// The stack's column in the tables.
    var column: Int
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "nested-v4", stack: .vlpi, column: 0),
    Case(name: "nested-irqfd", stack: .irqfd, column: 1),
    Case(name: "nested-userspace", stack: .userSpace, column: 2),
  ]

  /// What each stack did: vLPI, irqfd, user space.
  static let recorded: [(HostWork.Figure, [Int])] = [
    (.tableTraps, [322, 322, 322]), (.commandTraps, [113, 113, 113]),
    (.invalidationTraps, [56, 56, 56]), (.msixEnables, [28, 28, 28]),
    (.tableWrites, [1_498, 1_498, 882]),
    (.mapd, [56, 56, 56]), (.mapti, [168, 119, 63]), (.discard, [217, 119, 63]),
    (.inv, [315, 238, 126]), (.vmapti, [49, 0, 0]), (.vmovi, [24, 0, 0]),
    (.vmapp, [4, 0, 0]), (.vmovp, [17, 0, 0]), (.vinvall, [4, 0, 0]),
    (.proxyMapd, [1, 1, 1]), (.proxyMapti, [2, 0, 0]), (.proxyMovi, [17, 0, 0]),
    (.proxyDiscard, [2, 0, 0]), (.proxyInv, [2_430, 0, 0]), (.proxyClear, [10_308, 0, 0]),
    (.mapc, [2, 2, 2]), (.invall, [2, 2, 2]), (.sync, [13_435, 480, 256]), (.vsync, [126, 0, 0]),
    (.messages, [2_694, 2_692, 2_695]), (.virtualMessages, [2_694, 0, 0]),
    (.handlers, [0, 2_687, 2_691]), (.cacheLookups, [0, 2_762, 2_672]),
    (.slowInjections, [0, 75, 2_672]), (.doorbells, [21, 0, 0]),
    (.acknowledged, [2_689, 2_683, 2_671]),
  ]

  /// The same for one bind of the guest's driver; the first has 24 VMOVI besides.
  static let perBind: [(HostWork.Figure, [Int])] = [
    (.mapd, [8, 8, 8]), (.mapti, [24, 17, 9]), (.discard, [31, 17, 9]), (.inv, [45, 34, 18]),
    (.vmapti, [7, 0, 0]), (.tableWrites, [214, 214, 126]),
  ]

  /// Where the model's figure is not the recorded one: by how much it is above, and why.
  static let differences: [(figure: HostWork.Figure, by: [Int], reason: String)] = [
    (.cacheLookups, [0, 0, 19], "messages merged in the eventfd before the VMM's thread read it"),
    (.slowInjections, [0, 0, 19], "the same: what is merged is injected once"),
    (
      .acknowledged, [0, 4, 20],
      "the same, and injections that found the guest's LPI pending: 4 and 1"
    ),
  ]

  /// Set-up commands, but their SYNCs, that the designs count for the same guest.
  static let designs: [(Design, commands: UInt64)] = [
    (.trapped, 200), (.eventfd, 4), (.direct, 168),
  ]

  /// Where the raw recordings are; they do not come with the project.
  private static let folder =
    ProcessInfo.processInfo.environment["DOORBELL_CAPTURES"] ?? "../shared/captures"

  private func recording(_ test: Case) throws -> HostRecording? {
    let folder = Self.folder
    let trace = "\(folder)/\(test.name).host.ftrace.txt"
    let log = "\(folder)/\(test.name).qemu.log"
    guard let log = [log, log + ".zst"].first(where: FileManager.default.isReadableFile(atPath:)),
      let trace = [trace, trace + ".zst"].first(where: FileManager.default.isReadableFile(atPath:))
    else {
      print("skipped: no recording \(test.name) in \(folder)")
      return nil
    }
    return try HostRecording(log: log, trace: trace)
  }

  @Test(arguments: cases)
  func theModelCountsWhatTheStackDid(test: Case) throws {
    guard let recording = try recording(test) else { return }
    #expect(recording.guest.strange == 0)
    #expect(recording.foreign == 0)
    #expect(recording.guest.binds.count == 7)
    #expect(recording.beforeBind.count == 7)

    var host = LinuxHost(test.stack, tableSize: HostRecording.tableSize)
    host.boot(peCount: HostRecording.peCount)
    host.apply(.start(vCPUs: 2))
    var beforeBind: [HostWork] = []
    for (index, action) in recording.guest.actions.enumerated() {
      if recording.guest.binds.contains(index) { beforeBind.append(host.work) }
      host.apply(action)
    }
    let afterBinds = host.work
    for load in recording.loads { host.apply(load) }
    host.apply(.end)

    let model = merged(host.work, recording.delivery.work, test.stack)
    for (figure, counts) in Self.recorded {
      let expected = counts[test.column]
      let difference = Self.differences.first { $0.figure == figure }?.by[test.column] ?? 0
      print(
        "\(test.name) \(figure): recorded \(recording.real[figure]), model \(model[figure])")
      #expect(recording.real[figure] == expected, "\(figure) in the recording")
      #expect(model[figure] - difference == expected, "\(figure) in the model")
    }
    #expect(Self.recorded.count == HostWork.Figure.allCases.count)
    let aboutVectors: [HostWork.Figure] = [.mapd, .mapti, .discard, .inv, .vmapti, .vmovi]
    let total = aboutVectors.reduce(0) { $0 + recording.real[$1] }
    #expect(total == [829, 532, 308][test.column])

    for bind in 0..<7 {
      let realEnd = bind < 6 ? recording.beforeBind[bind + 1] : recording.real
      let modelEnd = bind < 6 ? beforeBind[bind + 1] : afterBinds
      for (figure, counts) in Self.perBind {
        let real = realEnd[figure] - recording.beforeBind[bind][figure]
        #expect(real == counts[test.column], "\(figure) \(bind)")
        #expect(modelEnd[figure] - beforeBind[bind][figure] == counts[test.column])
      }
      let moves = test.stack.forwards && bind == 0 ? 24 : 0
      #expect(realEnd[.vmovi] - recording.beforeBind[bind][.vmovi] == moves)
      #expect(modelEnd[.vmovi] - beforeBind[bind][.vmovi] == moves)
    }
  }

  /// What happened to the messages is predicted on the emulator's clock, the rest on the host's.
  private func merged(_ host: HostWork, _ delivery: HostWork, _ stack: HostStack) -> HostWork {
    var model = host
    for figure in [HostWork.Figure.messages, .virtualMessages, .doorbells] {
      model[figure] = delivery[figure]
    }
    // The handlers of the host's trace went into the model; their number must come out of the messages.
    #expect(delivery[.handlers] == host[.handlers])
    if stack.forwards { model[.acknowledged] = delivery[.acknowledged] }
    return model
  }

  /// Every message is accounted for: taken by the guest, or merged with an earlier one at one of the
  /// places where two become one.
  @Test(arguments: cases)
  func everyMessageIsTakenOrMergedAtAKnownPlace(test: Case) throws {
    guard let recording = try recording(test) else { return }
    let taken = recording.real[.acknowledged]
    let inEventfd = [0, 0, 19][test.column]
    let inGuest = [0, 4, 1][test.column]
    print(
      "\(test.name) taken \(taken), coalesced in the ITS's pending bit"
        + " \(recording.delivery.coalesced), in the eventfd \(inEventfd), in the guest's LPI \(inGuest)"
        + " (unread \(recording.guest.unread), overtaken \(recording.overtaken)); vPE absent \(recording.delivery.absent)"
    )
    #expect(recording.delivery.coalesced == [5, 5, 4][test.column])
    // A handler that found the vector masked would have led to a pending bit of the VMM instead.
    #expect(recording.guest.handledWhileMasked == 0)
    if !test.stack.usesIRQFD {
      #expect(inEventfd == recording.real[.handlers] - recording.real[.slowInjections])
      #expect(recording.guest.unread == 28)
    }
    #expect(recording.delivery.absent == [27, 0, 0][test.column])
    #expect(
      recording.real[.messages] == taken + recording.delivery.coalesced + inEventfd + inGuest)
    if !test.stack.forwards {
      #expect(recording.overtaken == [0, 6, 35][test.column])
    }
  }

  /// The designs of the comparison, fed with the same guest: the traps are the recorded ones, and the
  /// commands are the least that the intent needs, which is what a real stack is measured against.
  @Test func theDesignsSeeTheRecordedTrapsAndNeedFewerCommands() throws {
    guard let recording = try recording(Self.cases[0]) else { return }
    let events = GuestEvents(recording.guest.actions).events
    var geometry = TableGeometry()
    geometry.peCount = 2
    for (design, commands) in Self.designs {
      let runner = try #require(BackendCatalogue.runner(of: design, geometry: geometry))
      let counters = runner.prove(ReferenceAnswers(events, geometry: geometry)).setUpCounters
      print(
        "\(design): traps \(counters.msixTraps), \(counters.commandTraps), commands \(counters.itsCommands)"
      )
      #expect(counters.msixTraps == (design == .direct ? 0 : 322))
      #expect(counters.commandTraps == 113)
      // The designs count a barrier behind every command.
      #expect(counters.itsCommands == 2 * commands)
    }
  }
}
