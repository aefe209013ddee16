import EventModel
import TestSupport
import Testing

@testable import TraceImport

/// The permutations by themselves: that they are some, and what they keep.
@Suite struct PermutationTests {
  /// Reference answers of the paper's authors for messages 00, 01, … of 8 and 16 bytes under the key
  /// 00…0F (github.com/veorq/SipHash, vectors.h).
  @Test func sipHashGivesTheAnswersOfItsAuthors() {
    let function = SipHash(key: (0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908))
    #expect(function.hash(0x0706_0504_0302_0100) == 0x93F5_F579_9A93_2462)
    #expect(
      function.hash(0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908) == 0x3F2A_CC7F_57C2_9BDB)
  }

  private func addresses(
    key: UInt64 = 1, blocks: ContiguousBlocks = ContiguousBlocks()
  ) -> AddressPermutation {
    AddressPermutation(SipHash(key: (key, 2)), geometry: TableGeometry(), blocks: blocks)
  }

  @Test func pagesArePermutedAmongThemselves() {
    var permutation = addresses()
    for base in [0x4000_0000, 0xC000_0000, 0x12_4000_0000] as [UInt64] {
      var seen = Set<UInt64>()
      var moved = 0
      for page in 0..<1 << 14 as Range<UInt64> {
        let address = base + page << 12 | 0x7A8
        let image = permutation(address)
        if image & 0xFFF == 0x7A8 { seen.insert(image) }
        if image != address { moved += 1 }
      }
      #expect(seen.count == 1 << 14)
      #expect(moved > 1 << 13)
    }
  }

  @Test func addressesThatShareTheirFirstBitsGoOnToDoSo() {
    var permutation = addresses()
    var random = SeededGenerator(seed: 7)
    for _ in 0..<4_000 {
      let one = random.next() >> 20
      let other = one ^ (1 << UInt64.random(in: 0..<44, using: &random))
      let (a, b) = (permutation(one), permutation(other))
      // The halves are permuted apart: a common prefix is one of each half.
      for (shift, mask) in [(32, 0xFFF), (0, 0xFFFF_FFFF)] as [(UInt64, UInt64)] {
        let before = ((one ^ other) >> shift & mask).leadingZeroBitCount
        let after = ((a ^ b) >> shift & mask).leadingZeroBitCount
        #expect(before == after)
      }
    }
  }

  @Test func windowsAndTheTranslationPageStayWhereTheyAre() {
    var permutation = addresses()
    for address in [
      0, 0xFFF, 0x0809_0040, 0x0800_0000, 0x08FF_FFFF, 0xFEE0_1234, 0x10_2F10_0040,
    ] as [UInt64] {
      #expect(permutation(address) == address)
    }
    var geometry = TableGeometry()
    geometry.itsTranslationPage = 0x5_4321_0000
    var moved = AddressPermutation(
      SipHash(key: (1, 2)), geometry: geometry, blocks: ContiguousBlocks())
    #expect(moved(0x5_4321_0040) == 0x5_4321_0040)
  }

  @Test func nothingComesToLieInAWindow() {
    var permutation = addresses()
    var random = SeededGenerator(seed: 8)
    for _ in 0..<10_000 {
      let address = random.next() >> 20
      let image = permutation(address)
      #expect((address >> 24 == 0x08) == (image >> 24 == 0x08))
      #expect((address >> 32 == 0) == (image >> 32 == 0), "memory below 4 GiB stays there")
    }
  }

  @Test func theInsideOfABlockStaysInOrder() {
    var blocks = ContiguousBlocks()
    blocks.insert(0x4420_0000, bytes: 2 << 20)
    blocks.insert(0x5000_3000, bytes: 0x2000)
    #expect(blocks.log2Largest == 21)
    var permutation = addresses(blocks: blocks)
    let image = permutation(0x4420_0000)
    #expect(image % (2 << 20) == 0 && image != 0x4420_0000)
    for offset in stride(from: 0, to: 2 << 20, by: 0x1230) as StrideTo<UInt64> {
      #expect(permutation(0x4420_0000 + offset) == image + offset)
    }
    // Two pages across a boundary of 8 KiB: the block around both has 16.
    #expect(permutation(0x5000_4000) == permutation(0x5000_3000) + 0x1000)
  }

  @Test func anotherKeyIsAnotherPermutation() {
    var (one, other, again) = (addresses(), addresses(key: 3), addresses())
    let pages = (0..<512 as Range<UInt64>).map { 0x4500_0000 + $0 << 12 }
    #expect(pages.map { one($0) } == pages.map { again($0) })
    #expect(pages.map { one($0) } != pages.map { other($0) })
  }

  @Test func numbersArePermutedWithinTheirClass() {
    var geometry = TableGeometry()
    geometry.deviceIDBits = 10
    geometry.streamIDBits = 20
    var permutation = NumberPermutation(SipHash(key: (5, 6)), geometry: geometry)
    for (range, count) in [(1..<1024, 1023), (1024..<65_536, 64_512)] as [(Range<UInt32>, Int)] {
      var seen = Set<UInt32>()
      for number in range {
        let image = permutation(number)
        if range.contains(image) { seen.insert(image) }
      }
      #expect(seen.count == count)
    }
    for number in [0, TraceEvent.unknownDevice] as [UInt32] {
      #expect(permutation(number) == number)
    }
    #expect((65_536..<1 << 20).contains(permutation(70_000)))
    #expect(permutation(1 << 20) >= 1 << 20)
  }
}
