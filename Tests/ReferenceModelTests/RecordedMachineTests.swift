import EventModel
import Glibc
import ReferenceModel
import Testing
import TraceImport

/// Where the recordings are, plain or .zst; the tests below need them.
private let captures: String? = {
  // Safety: nothing in the tests changes the environment.
  unsafe getenv("DOORBELL_CAPTURES").map { unsafe String(cString: $0) }
}()

/// The model against whole recordings: every translation and every interrupt.
@Suite(.enabled(if: captures != nil, "set DOORBELL_CAPTURES to the folder of the recordings"))
struct RecordedMachineTests {
  struct Tally: Equatable {
    var accesses = 0
    var messages = 0
    /// Accesses and MSIs about which the recording says the same, and says something.
    var equal = 0
    var acknowledged = 0
    /// Pending bits that a CLEAR took away: doorbells, when Linux loads the vPE after all.
    var cleared = 0
    /// Accesses that a walk without caches answered as well.
    var walked = 0
  }

  /// DMA and MSI counts are those of the recordings' own description (together: its translations).
  @Test(arguments: [
    ("boot", 898, 81), ("nvme", 98_877, 5057), ("rebind", 15_144, 1624), ("faults", 692, 75),
    ("nested-v4", 24_203, 2694), ("nested-irqfd", 24_195, 2692),
    ("nested-userspace", 24_204, 2695),
  ])
  func everyOutcomeIsTheRecordedOne(_ name: String, _ translations: Int, _ messages: Int) throws {
    var events: [TraceEvent] = []
    var input = try Self.open(name)
    let report = try QEMULogImporter().run(source: &input) { span in
      for index in span.indices { events.append(span[index]) }
    }
    var machine = ReferenceMachine(
      report.geometry, version: name == "nested-v4" ? .v4 : .v3)
    var tally = Tally()
    for event in events {
      if event.kind == .acknowledge {
        // Nothing is taken that the model does not know to be pending.
        var its = machine.its
        let was = its.acknowledge(target: event.target, intid: INTID(event.intid))
        #expect(was, "\(name): \(event)")
        tally.acknowledged += 1
      }
      let isClear =
        event.kind == .itsCommand && event.word0 & 0xFF == ITSCommand.Opcode.clear.rawValue
      let before = isClear ? Self.pendingCount(machine.its) : 0
      let walked = Self.bruteForce(event, machine, tally.accesses + tally.messages)
      let outcome = machine.apply(event)
      if isClear { tally.cleared += before - Self.pendingCount(machine.its) }
      guard let outcome else { continue }
      if event.kind == .msi { tally.messages += 1 } else { tally.accesses += 1 }
      if let walked, event.kind == .dma {
        tally.walked += 1
        #expect(walked == (outcome.outcome.isLost ? nil : outcome.address), "\(name): \(event)")
      }
      if Self.agrees(event, outcome) {
        tally.equal += 1
      } else {
        Issue.record("\(name): \(event) but \(outcome)")
      }
    }
    #expect(tally.accesses + tally.messages == translations)
    #expect(tally.messages == messages && tally.equal == translations)
    #expect(tally.walked > translations / 100)
    // Of what became pending, all was taken, but for what the recording's end cut off.
    let its = machine.its
    #expect(
      tally.acknowledged + tally.cleared + its.pendingBits.count
        == Int(its.counters.pendingBitsSet))
    #expect(machine.checks == .init(messages: UInt64(messages)))
    let lost = its.outcomes.filter(\.key.isLost)
    #expect(
      its.errors.filter { $0.key.opcode != ITSCommand.Opcode.int.rawValue } == commandErrors(name))
    #expect(
      lost
        == (name == "faults" ? [.unmappedEvent: 1, .eventIDOutOfRange: 1, .notADoorbell: 1] : [:]))
  }

  /// Every 50th access by walking all tables, whatever the caches hold. The inner nil is a fault.
  private static func bruteForce(
    _ event: TraceEvent, _ machine: ReferenceMachine, _ number: Int
  ) -> UInt64?? {
    guard event.kind == .dma, number % 50 == 0 else { return nil }
    var smmu = machine.smmu
    smmu.caches = SMMUCaches(.none)
    return .some(
      smmu.translate(
        streamID: event.streamID, address: event.iova,
        access: event.flags.contains(.write) ? .write : .read
      ).address)
  }

  private static func pendingCount(_ its: ITS) -> Int {
    its.redistributors.indices.reduce(0) { $0 + its.pendingLPIs(at: $1).count }
  }

  /// Linux follows a VMAPP that unmaps a vPE with a VSYNC of the same vPE, which is then not mapped
  /// (mended for GICv4.1 in Linux 6.9, "Fix VSYNC referencing an unmapped VPE").
  private func commandErrors(_ name: String) -> [ITSError: UInt64] {
    name == "nested-v4" ? [ITSError(.unmappedVPE, ITSCommand.Opcode.vsync): 2] : [:]
  }

  /// A recording that says "delivered" has not looked whether the interrupt was pending already.
  private static func agrees(_ event: TraceEvent, _ outcome: Outcome) -> Bool {
    if event.flags.contains(.addressRecorded), event.expectedAddress != outcome.address {
      return false
    }
    if event.outcome.isLost { return event.outcome == outcome.outcome }
    if event.kind == .dma { return event.outcome == outcome.outcome }
    return event.outcome == .delivered && !outcome.outcome.isLost
      && event.flags.contains(.interruptRecorded)
      && event.intid == outcome.intid && event.target == outcome.target
  }

  private static func open(_ name: String) throws -> CaptureInput {
    let path = "\(captures ?? "")/\(name).qemu.log"
    do {
      return try CaptureInput(path: path)
    } catch {
      return try CaptureInput(path: path + ".zst")
    }
  }
}
