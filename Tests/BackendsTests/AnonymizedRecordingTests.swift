import EventModel
import Replay
import Testing
import TraceImport

@testable import Backends

/// An anonymized trace is the same trace under other names: event for event the reference model and
/// every design give what they gave before.
@Suite struct AnonymizedRecordingTests {
  private struct Pair {
    var original: ReferenceAnswers
    var anonymized: ReferenceAnswers
    var addresses: AddressPermutation
    var geometry: TableGeometry

    init(_ name: String, key: UInt64) throws {
      let (events, geometry) = try RecordingTests.events(name)
      var blocks = ContiguousBlocks()
      for event in events { blocks.survey(event) }
      var anonymizer = Anonymizer(key: (key, 1), geometry: geometry, blocks: blocks)
      var images: [TraceEvent] = []
      for event in events { try anonymizer.rewrite(event) { images.append($0) } }
      self.geometry = geometry
      original = ReferenceAnswers(events, geometry: geometry)
      anonymized = ReferenceAnswers(images, geometry: geometry)
      addresses = AddressPermutation(
        SipHash(key: (key, 1)), geometry: geometry, blocks: blocks)
    }
  }

  @Test(arguments: [
    "boot", "faults", "rebind", "nvme", "nested-v4", "nested-irqfd", "nested-userspace",
  ])
  func outcomesAreTheSameUnderThePermutation(name: String) throws {
    var pair = try Pair(name, key: 42)
    let before = pair.original.outcomes.compactMap { $0 }
    let after = pair.anonymized.outcomes.compactMap { $0 }
    let images = before.map { outcome in
      var outcome = outcome
      outcome.address = pair.addresses(outcome.address)
      return outcome
    }
    #expect(before.count > 500 && after.count == before.count)
    #expect(zip(images, after).allSatisfy { $0 == $1 })
    let moved = zip(before, after).count { $0.address != $1.address }
    #expect(moved > before.count / 2, "and it is a permutation that moves")
    // All cells where a trace is short, the named designs where it is long.
    let isShort = pair.original.events.count < 50_000
    for architecture in isShort ? Architecture.allCases : [.armGICv4] {
      for design in isShort ? BackendCatalogue.designs : Design.named where design != .null {
        guard
          let runner = BackendCatalogue.runner(
            of: design, geometry: pair.geometry, architecture: architecture)
        else { continue }
        let result = runner.prove(pair.anonymized)
        let conforms = result.conforms
        #expect(conforms, "\(name) \(design) \(architecture.rawValue)")
      }
    }
  }

  @Test func nothingOfTheMachineIsLeft() throws {
    let pair = try Pair("nvme", key: 43)
    let streams = Set(pair.original.events.filter { $0.kind.isAccess }.map(\.streamID))
    let images = Set(pair.anonymized.events.filter { $0.kind.isAccess }.map(\.streamID))
    #expect(streams.count == images.count && streams.isDisjoint(with: images))
    let accesses = pair.original.events.filter { $0.kind == .dma }
    let same = zip(accesses, pair.anonymized.events.filter { $0.kind == .dma })
      .count { $0.iova == $1.iova }
    #expect(same < accesses.count / 100)
  }
}
