import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

@Suite struct RequesterMapTests {
  static func nodes(_ table: IORT) -> [RequesterNode] {
    table.nodes.map { node in
      RequesterNode(
        kind: node.kind.rawValue,
        mappings: node.mappings.map {
          .init(
            inputBase: $0.inputBase, idCount: $0.idCount, outputBase: $0.outputBase,
            outputNode: $0.outputNode, isSingle: $0.isSingle)
        })
    }
  }

  @Test func aRootComplexBehindAnSMMUIsOneRange() throws {
    let map = try RequesterMap([
      .init(kind: 0, mappings: []),
      .init(
        kind: 4,
        mappings: [.init(inputBase: 0x1_0000, idCount: 0xFFFF, outputBase: 0, outputNode: 0)]),
      .init(
        kind: 2,
        mappings: [.init(inputBase: 0, idCount: 0xFFFF, outputBase: 0x1_0000, outputNode: 1)]),
    ])
    let found = map.resolve(0x1234, from: 2)
    #expect(found.streamID == StreamID(0x1_1234) && found.deviceID == DeviceID(0x1234))
    let beyond = map.resolve(0x1_0000, from: 2)
    #expect(beyond == RequesterIdentity())
    // Nothing and everything (ITS group); nothing, range, nothing (SMMU); range, nothing.
    #expect(map.rangeCount == 1 + 3 + 2)
  }

  /// Random tables, well formed and not: overlaps, ends that meet beginnings, loops, nodes that do not
  /// exist, outputs beyond 32 bits, single mappings where they may be and where not.
  @Test func randomTablesGiveTheReferencesIdentities() throws {
    var both = 0
    for seed in 0..<UInt64(SoakSize.events(perCase: 600)) {
      var random = SeededGenerator(seed: seed)
      let table = Self.randomTable(&random)
      let map = try RequesterMap(Self.nodes(table))
      for node in -1...table.nodes.count {
        for id in Self.ids(table, &random) {
          let expected = table.resolve(id, from: node)
          let found = map.resolve(id, from: node)
          if expected.streamID != nil && expected.deviceID != nil { both += 1 }
          guard found.streamID == expected.streamID, found.deviceID == expected.deviceID else {
            Issue.record("seed \(seed), node \(node), ID \(id): \(found), \(expected), \(table)")
            return
          }
        }
      }
    }
    #expect(both > 1_000)
  }

  private static func randomTable(_ random: inout SeededGenerator) -> IORT {
    func below(_ limit: UInt32) -> UInt32 { UInt32(random.next() % UInt64(limit)) }
    func id() -> UInt32 {
      switch below(12) {
      case 0: .max - below(4)
      case 1: UInt32(truncatingIfNeeded: random.next())
      default: below(40)
      }
    }
    let count = 2 + below(5)
    let kinds: [IORT.NodeKind] = [
      .itsGroup, .smmuV3, .smmuV3, .rootComplex, .namedComponent, .performanceCounters, .smmuV1V2,
    ]
    return IORT(
      (0..<count).map { number in
        let kind = number == 0 ? .itsGroup : kinds[Int(below(7))]
        let mappings = (0..<below(5)).map { _ in
          IORT.IDMapping(
            inputBase: id(), idCount: below(8) == 0 ? id() : below(12), outputBase: id(),
            outputNode: below(20) == 0 ? Int(below(9)) - 1 : Int(below(count)),
            isSingle: below(10) == 0)
        }
        return IORT.Node(kind, mappings: kind == .itsGroup && below(4) > 0 ? [] : mappings)
      })
  }

  /// Both sides of every edge, and a few more.
  private static func ids(_ table: IORT, _ random: inout SeededGenerator) -> [UInt32] {
    let edges = table.nodes.flatMap(\.mappings).flatMap {
      [$0.inputBase, $0.inputBase &+ $0.idCount, $0.inputBase &+ (.max - $0.outputBase)]
    }
    return (0..<48).map { UInt32($0) } + edges.flatMap { [$0 &- 1, $0, $0 &+ 1] }
      + [.max, UInt32(truncatingIfNeeded: random.next())]
  }

  /// Sixteen nodes in a ring, each of which cuts every piece again.
  @Test func aTableThatNeverEndsIsRefused() {
    let ring = (0..<16).map { number in
      RequesterNode(
        kind: 2,
        mappings: (0..<400).map { row in
          .init(
            inputBase: UInt32(row) * 10_000_000, idCount: 9_999_000,
            outputBase: UInt32(row * 7 % 400) * 10_000_000 + UInt32(number + 1) * 777,
            outputNode: (number + 1) % 16)
        })
    }
    #expect(throws: RequesterMapError.tooManyRanges(limit: 65_536)) { try build(ring) }
    let many = [RequesterNode](repeating: .init(kind: 2, mappings: []), count: 5_000)
    #expect(throws: RequesterMapError.tooManyNodes(found: 5_000, limit: 4096)) { try build(many) }
  }

  private func build(_ nodes: [RequesterNode]) throws { _ = try RequesterMap(nodes).rangeCount }
}
