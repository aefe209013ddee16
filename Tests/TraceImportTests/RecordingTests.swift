import EventModel
import Testing

@testable import TraceImport

/// The counts that the recordings' own description states for one of them.
struct Recording: Sendable {
  var name: String
  var translations: Int
  var messages: Int
  var tableWrites: Int
  /// By opcode name: MAPD, MAPTI, MOVI, DISCARD, INV, and what else it states.
  var commands: [ITSCommandOpcode: Int]

  init(
    _ name: String, _ translations: Int, _ messages: Int, _ tableWrites: Int, _ common: [Int],
    _ others: [ITSCommandOpcode: Int] = [:]
  ) {
    self.name = name
    self.translations = translations
    self.messages = messages
    self.tableWrites = tableWrites
    let opcodes: [ITSCommandOpcode] = [.mapd, .mapti, .movi, .discard, .inv]
    commands = others
    for (opcode, count) in zip(opcodes, common) { commands[opcode] = count }
  }

  static let all = [
    Recording("boot", 898, 81, 137, [12, 15, 0, 9, 24]),
    Recording("nvme", 98_877, 5_057, 159, [12, 19, 0, 11, 24]),
    Recording("rebind", 15_144, 1_624, 1_602, [96, 145, 0, 137, 252]),
    Recording("faults", 691, 74, 169, [12, 19, 0, 11, 24]),
    Recording(
      "nested-v4", 24_203, 2_694, 1_498, [57, 170, 17, 219, 2_745],
      [.vmapti: 49, .vmovi: 24, .vmovp: 17, .vmapp: 4, .vsync: 126, .clear: 10_308]),
    Recording("nested-irqfd", 24_195, 2_692, 1_498, [57, 119, 0, 119, 238]),
    Recording("nested-userspace", 24_204, 2_695, 882, [57, 63, 0, 63, 126]),
  ]

  var path: String {
    let plain = Captures.path("\(name).qemu.log")
    return Captures.has(plain) ? plain : plain + ".zst"
  }

  var isPresent: Bool { Captures.has(path) }

  static func named(_ name: String) throws -> Recording {
    try #require(all.first { $0.name == name })
  }
}

extension Trait where Self == ConditionTrait {
  /// Skips a test, by the recording's name, where that is not to be had.
  static func recording(_ name: String) -> ConditionTrait {
    .enabled("the recording \(name) is not here; DOORBELL_CAPTURES may name its folder") {
      try Recording.named(name).isPresent
    }
  }
}

/// Whole recordings of real guests: the stated counts come out, and what the events say is
/// consistent in itself, checked by small models that know nothing of the importer.
@Suite(.serialized) struct RecordingTests {
  @Test(.recording("boot")) func bootIsConsistent() throws { try check("boot") }
  @Test(.recording("nvme")) func nvmeIsConsistent() throws { try check("nvme") }
  @Test(.recording("rebind")) func rebindIsConsistent() throws { try check("rebind") }
  @Test(.recording("faults")) func faultsIsConsistent() throws { try check("faults") }
  @Test(.recording("nested-v4")) func nestedV4IsConsistent() throws { try check("nested-v4") }
  @Test(.recording("nested-irqfd")) func nestedIrqfdIsConsistent() throws {
    try check("nested-irqfd")
  }
  @Test(.recording("nested-userspace")) func nestedUserspaceIsConsistent() throws {
    try check("nested-userspace")
  }

  private func check(_ name: String) throws {
    let recording = try Recording.named(name)
    let imported = try Imported(path: recording.path)
    expectStatedCounts(recording, imported)
    expectNothingLeftOut(imported.report)

    var pages = PageModel()
    var tables = InterruptModel()
    var msix = MSIXModel()
    var residents: [UInt16: InterruptTarget] = [:]
    var last: UInt64 = 0
    for event in imported.events {
      try #require(event.time >= last && event.origin == .emulator)
      last = event.time
      pages.apply(event)
      tables.apply(event)
      msix.apply(event)
      if event.kind == .vcpuLoad {
        try #require(residents[event.vector] == nil)
        residents[event.vector] = event.target
      } else if event.kind == .vcpuPut {
        try #require(residents[event.vector] == event.target)
        residents[event.vector] = nil
      }
    }
    #expect(pages.wrong == [], "accesses against the mappings before them")
    #expect(tables.wrong == [], "interrupts against the commands before them")
    #expect(msix.wrong == [], "messages against the MSI-X tables")
    #expect(msix.unknownVectors == 0)
    #expect(tables.checked == recording.messages - imported.lostBeforeTables)
  }

  private func expectStatedCounts(_ recording: Recording, _ imported: Imported) {
    let accesses = imported.events.filter { $0.kind.isAccess && !$0.outcome.isSMMUFault }
    #expect(accesses.count == recording.translations)
    let messages = imported.events(.msi).filter { !$0.outcome.isSMMUFault }
    #expect(messages.count == recording.messages)
    #expect(imported.report.count(.msixTableWrite) == UInt64(recording.tableWrites))
    var commands: [UInt8: Int] = [:]
    for event in imported.events(.itsCommand) {
      commands[UInt8(truncatingIfNeeded: event.word0), default: 0] += 1
    }
    for (opcode, count) in recording.commands {
      #expect(commands[opcode.rawValue, default: 0] == count, "\(opcode)")
    }
    #expect(imported.report.geometry.itsTranslationPage == 0x809_0000)
    let cpus: UInt16 = recording.name.hasPrefix("nested") ? 2 : imported.report.geometry.peCount
    #expect(imported.report.geometry.peCount == cpus)
  }

  private func expectNothingLeftOut(_ report: ImportReport) {
    #expect(
      report.usedLines + report.ignoredLines + report.notUnderstoodLines + report.messageLines
        == report.lineCount)
    #expect(report.notUnderstoodLines == 0)
    #expect(report.damage == [])
    #expect(report.inferredMappings == 0)
    #expect(report.forcedAccesses == 0)
    #expect(report.events.reduce(0) { $0 + $1.count } == report.eventCount)
  }

  /// The steps F1–F6 of `faults`, in their order (faults.marks.txt). F7, bus mastering off and on,
  /// leaves nothing but a PCI configuration write.
  @Test(.recording("faults")) func theFaultsRecordingShowsEachStepAsItsOutcome() throws {
    let imported = try Imported(path: Recording.named("faults").path)
    let nvme = imported.events(.msi).filter { $0.deviceID == 0x100 }
    let lost = nvme.filter(\.outcome.isLost)
    #expect(
      lost.map(\.outcome) == [
        .unmappedEvent, .eventIDOutOfRange, .smmuFault(0x10), .notADoorbell,
      ])
    #expect(lost.map(\.data) == [6, 0x3F, 1, 1])
    #expect(lost.map(\.iova) == [0xFFFF_F040, 0xFFFF_F040, 0x1234_5040, 0xFFFF_F044])
    #expect(lost.allSatisfy { $0.vector == 1 })
    // F3: another vector's EventID.
    let borrowed = nvme.filter { $0.vector == 1 && $0.data == 2 }
    #expect(borrowed.count == 1)
    #expect(borrowed.first?.outcome == .delivered)
    // F6: entry 1 is masked, and unmasked again, after the wrong register was written.
    let afterF5 = imported.events.drop { $0.outcome != .notADoorbell }
    let masks = afterF5.filter {
      $0.kind == .msixTableWrite && $0.deviceID == 0x100 && $0.tableOffset == 0x1C
    }
    #expect(masks.map(\.value).starts(with: [1, 0]))
  }
}

extension Imported {
  /// Messages that the ITS saw but looked no table up for.
  fileprivate var lostBeforeTables: Int {
    events(.msi).count { $0.outcome == .notADoorbell }
  }
}
