package import EventModel

/// A keyed permutation of addresses that keeps their structure.
///
/// Bits are flipped one by one from the top, each by a pseudo-random function of the bits above it (the
/// scheme of Crypto-PAn: Xu, Fan, Ammar and Moon, ICNP 2002). So addresses that share their first n bits
/// go on to do so: aligned blocks become aligned blocks of the same size, pages of one translation table
/// stay in one table, and every page keeps its offsets. IOVAs, intermediate and physical addresses have
/// the same permutation, so that what is mapped onto itself stays so.
///
/// The halves of 32 bits are permuted apart: an MSI-X entry, which the guest stores half by half, is
/// rewritten half by half, and memory below 4 GiB stays there. Left as they are: bits from 44 up; the
/// inside of `ContiguousBlocks`; and the windows below, which mean something by their place. (Bits above
/// a window are left too, or it would move: memory keeps its rough place.)
package struct AddressPermutation {
  private struct Window {
    var base: UInt32
    var log2Bytes: UInt32
  }

  /// The first page, for 0 often means "none"; the GIC and the MSI window of QEMU's "virt" machine and of
  /// Linux (MSI_IOVA_BASE); the x86 MSI window (Intel SDM 3A, §12.11.1).
  private static let fixedWindows = [
    Window(base: 0, log2Bytes: 12), Window(base: 0x0800_0000, log2Bytes: 24),
    Window(base: 0xFEE0_0000, log2Bytes: 20),
  ]
  /// Where a replay's modelled host has its own doorbell: no guest's memory may come to lie there.
  private static let hostDoorbell: UInt64 = 0x10_2F10_0000

  private let lowWindows: [Window]
  private let highWindows: [Window]
  private let function: SipHash
  private let blocks: ContiguousBlocks
  /// Lower halves by page: page number in its upper, permuted page in its lower half, valid in bit 63.
  private var cache: [UInt64]
  private static let cacheEntries = 4096

  /// Bits 43:32, the largest output address that every SMMU model takes.
  private static let highBits: UInt32 = 12

  package init(_ function: SipHash, geometry: TableGeometry, blocks: ContiguousBlocks) {
    self.function = function
    self.blocks = blocks
    let pages = [geometry.itsTranslationPage, Self.hostDoorbell]
    lowWindows =
      Self.fixedWindows
      + pages.map { Window(base: UInt32(truncatingIfNeeded: $0), log2Bytes: 16) }
    highWindows = ([0] + pages).map { Window(base: UInt32($0 >> 32), log2Bytes: 0) }
    cache = Array(repeating: 0, count: Self.cacheEntries)
  }

  package mutating func callAsFunction(_ address: UInt64) -> UInt64 {
    UInt64(high(UInt32(address >> 32))) << 32
      | UInt64(low(UInt32(truncatingIfNeeded: address)))
  }

  /// A block that is named by an address in it: its image with the offset of the name.
  package mutating func block(_ address: UInt64, log2Bytes: UInt32) -> UInt64 {
    let offset = (UInt64(1) << UInt64(min(log2Bytes, 63))) - 1
    return self(address) & ~offset | address & offset
  }

  package mutating func low(_ half: UInt32) -> UInt32 {
    let page = half >> 12
    let slot = Int(page % UInt32(Self.cacheEntries))
    let known = cache[slot]
    if known >> 63 == 1, UInt32(known >> 32 & 0x7FFF_FFFF) == page {
      return UInt32(truncatingIfNeeded: known) << 12 | half & 0xFFF
    }
    let result = flip(
      half, bits: blocks.log2Block(around: half)..<32, windows: lowWindows, domain: 0)
    cache[slot] = 1 << 63 | UInt64(page) << 32 | UInt64(result >> 12)
    return result
  }

  package func high(_ half: UInt32) -> UInt32 {
    let first = min(blocks.keptHighBits, Self.highBits)
    return flip(half, bits: first..<Self.highBits, windows: highWindows, domain: 1)
  }

  private func flip(
    _ half: UInt32, bits: Range<UInt32>, windows: [Window], domain: UInt64
  ) -> UInt32 {
    var result = half
    for bit in bits {
      let isFixed = windows.contains { window in
        let shift = UInt64(max(bit + 1, window.log2Bytes))
        return UInt64(half) >> shift == UInt64(window.base) >> shift
      }
      guard !isFixed else { continue }
      let prefix = UInt64(half) >> UInt64(bit + 1)
      let flips = function.hash(prefix, domain << 8 | UInt64(bit)) & 1
      result ^= UInt32(flips) << bit
    }
    return result
  }
}
