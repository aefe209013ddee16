import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

/// The core's cache and the reference's, asked the same questions.
@Suite struct CacheSetsTests {
  private struct Pair: ~Copyable {
    var core: CacheSets<UInt64>
    var reference: SetAssociativeCache<UInt64>

    init(_ shape: CacheShape) {
      core = CacheSets(shape)
      reference = SetAssociativeCache(shape)
    }

    /// Asks for a key and puts it in if it is not there.
    mutating func ask(_ key: UInt64) -> Bool {
      let expected = reference.lookUp(key)
      let found = core.find(key)
      if expected == nil {
        reference.fill(key, key + 1)
        core.insert(key, key + 1)
      }
      return found == expected
    }

    var isSame: Bool {
      let mine = core.contents.map { [$0.key, $0.value] }.sorted { $0[0] < $1[0] }
      let its = reference.lines.map { [$0.key, $0.value] }.sorted { $0[0] < $1[0] }
      return mine == its && core.hits == reference.hits && core.misses == reference.misses
    }
  }

  /// Every sequence of six keys out of four in one set of each number of ways.
  @Test func everyShortSequenceInOneSetHitsAndMissesAlike() {
    for ways in 1...4 as ClosedRange<UInt8> {
      for sequence in 0..<4096 as Range<UInt64> {
        var pair = Pair(CacheShape(indexBits: 0, ways: ways))
        var isSame = true
        for step in 0..<6 { isSame = pair.ask(sequence >> (step * 2) & 3) && isSame }
        isSame = isSame && pair.isSame
        #expect(isSame, "\(ways) ways, sequence \(sequence)")
        if !isSame { return }
      }
    }
  }

  @Test(arguments: [(0, 1), (0, 2), (3, 1), (3, 2), (4, 2), (2, 4), (1, 64)] as [(UInt8, UInt8)])
  func randomQuestionsAndRemovalsHitAndMissAlike(indexBits: UInt8, ways: UInt8) {
    var random = SeededGenerator(seed: UInt64(indexBits) << 8 | UInt64(ways))
    var pair = Pair(CacheShape(indexBits: indexBits, ways: ways))
    for _ in 0..<4_000 {
      let key = (random.next() % 4) << 32 | random.next() % 8
      var isSame = true
      switch random.next() % 40 {
      case 0:
        let removed = pair.core.remove(where: { $0 >> 32 == key >> 32 })
        isSame = removed == pair.reference.remove(where: { $0 >> 32 == key >> 32 })
      case 1...3:
        let removed = pair.core.remove(key)
        isSame = removed == pair.reference.remove(where: { $0 == key })
      case 4 where random.next() % 8 == 0:
        pair.core.flush()
        pair.reference.flush()
      default: isSame = pair.ask(key)
      }
      isSame = isSame && pair.isSame
      #expect(isSame)
      if !isSame { return }
    }
    #expect(pair.reference.hits > 80 && pair.reference.misses > 80)
  }

  /// Worked by hand: two ways, keys of one set.
  @Test func theLineUsedLeastRecentlyMakesRoom() {
    var cache = CacheSets<UInt64>(CacheShape(indexBits: 0, ways: 2))
    for key in [1, 2] as [UInt64] { cache.insert(key, key * 10) }
    let first = cache.find(1)
    cache.insert(3, 30)
    let kept = cache.find(1)
    let gone = cache.find(2)
    #expect(first == 10 && kept == 10 && gone == nil)
    #expect(cache.hits == 2 && cache.misses == 1)
  }

  @Test func switchedOffItFindsAndCountsNothing() {
    var cache = CacheSets<UInt64>(nil)
    cache.insert(1, 1)
    let found = cache.find(1)
    #expect(found == nil && cache.hits == 0 && cache.misses == 0 && cache.contents.isEmpty)
  }

  /// PCI functions 0 of 16 devices on one bus fill a device cache of 16 sets evenly enough to stay.
  @Test func devicesOfOneBusSpreadOverTheSets() {
    var pair = Pair(ITSCacheShapes.gic600.device!)
    for _ in 0..<2 { for device in 0..<16 as Range<UInt64> { _ = pair.ask(device << 3) } }
    #expect(pair.core.hits == 16)
  }
}
