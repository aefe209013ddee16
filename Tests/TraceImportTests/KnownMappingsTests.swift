import TestSupport
import Testing

@testable import TraceImport

/// The table of known leaves against a dictionary.
@Suite struct KnownMappingsTests {
  typealias Leaf = KnownMappings.Leaf

  @Test(arguments: 0..<6 as Range<UInt64>)
  func randomUseAgreesWithADictionary(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var table = KnownMappings()
    var model: [Leaf: UInt64] = [:]
    for _ in 0..<4000 {
      let asid = UInt16.random(in: 0..<3, using: &random)
      let log2Size: UInt8 = Bool.random(using: &random) ? 12 : 21
      // Pages in the first 2 MiB-regions 0…7, blocks in 8…15: leaves of a real table never overlap.
      let region = UInt64.random(in: 0..<8, using: &random) + (log2Size == 21 ? 8 : 0)
      let page = log2Size == 12 ? UInt64.random(in: 0..<512, using: &random) : 0
      let iova = region << 21 | page << 12
      let leaf = Leaf(asid: asid, iova: iova, log2Size: log2Size)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        let descriptor = UInt64.random(in: 1..<4, using: &random)
        let isNew = table.insert(leaf, descriptor: descriptor)
        #expect(isNew == (model[leaf] != descriptor))
        model[leaf] = descriptor
      case 5..<8:
        let size = UInt64.random(in: 1...100, using: &random) << 12
        let all = Bool.random(using: &random)
        var removed: [Leaf] = []
        table.remove(asid: all ? nil : asid, start: iova, size: size) { removed.append($0) }
        let gone = model.keys.filter {
          (all || $0.asid == asid) && $0.iova < iova + size
            && $0.iova + 1 << UInt64($0.log2Size) > iova
        }
        #expect(Set(removed) == Set(gone))
        #expect(removed.count == gone.count)
        for leaf in gone { model[leaf] = nil }
      default:
        let probe = iova + 0x123
        let known = table.lookup(asid: asid, iova: probe)
        let expected = model.first {
          $0.key.asid == asid && KnownMappings.base(probe, $0.key.log2Size) == $0.key.iova
        }
        #expect(known?.leaf == expected?.key)
        #expect(known?.descriptor == expected?.value)
      }
      let count = table.count
      #expect(count == model.count)
    }
  }

  @Test func atItsLimitItForgetsAndSaysSo() {
    var table = KnownMappings()
    for page in 0..<UInt64(KnownMappings.limit) {
      _ = table.insert(Leaf(asid: 1, iova: page << 12, log2Size: 12), descriptor: 1)
    }
    let before = (table.hasForgotten, table.count)
    #expect(before == (false, KnownMappings.limit))
    let isNew = table.insert(Leaf(asid: 2, iova: 0, log2Size: 12), descriptor: 1)
    let after = (table.hasForgotten, table.count)
    #expect(isNew)
    #expect(after == (true, 1))
    let forgotten = table.lookup(asid: 1, iova: 0x1000)
    #expect(forgotten?.leaf == nil)
  }
}
