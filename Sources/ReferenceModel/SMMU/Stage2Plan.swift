package import EventModel

/// How a host lays out the memory of one guest: the shape of its stage 2 tables and which physical
/// page stands behind each intermediate address.
///
/// Guest memory is IPA + `hostOffset`; doorbell pages are exceptions to that rule. Pages are mapped
/// when the guest's first use of them is seen, in blocks of `log2PageBytes`, smaller ones where a
/// doorbell page would fall into a block.
package struct Stage2Plan: Hashable, Sendable {
  package struct DoorbellPage: Hashable, Sendable {
    package var ipa: UInt64
    package var pa: UInt64
    package init(ipa: UInt64, pa: UInt64) {
      self.ipa = ipa
      self.pa = pa
    }
  }

  package var vmid: UInt16 = 1
  package var s2T0SZ: UInt8 = 24
  /// With 4 KiB and 40 bits: level 1, two concatenated tables, three levels.
  package var s2SL0: UInt8 = 1
  package var granule = Granule.kib4
  package var s2PS: UInt8 = 5
  /// S2TTB; 0 takes a table from the arena.
  package var s2TTB: UInt64 = 0
  /// 12 for pages of 4 KiB, 21 for blocks of 2 MiB: what the granule has.
  package var log2PageBytes: UInt8 = 21
  package var hostOffset: UInt64 = 0x80_0000_0000
  package var doorbells: [DoorbellPage] = []
  /// Intermediate addresses where the guest's own tables are put, if the recording does not say.
  package var tableRegion: Range<UInt64> = 0xF0_0000_0000..<0xF8_0000_0000

  package init() {}

  package init(_ configuration: StreamConfiguration) {
    vmid = configuration.vmid
    s2T0SZ = configuration.s2t0sz
    s2SL0 = configuration.s2sl0
    granule = configuration.s2granule
    s2PS = configuration.s2ps
    s2TTB = configuration.s2ttb
    log2PageBytes = UInt8(granule.log2)
    // Near the top of the IPA space, wherever that is.
    let top: UInt64 = 1 << (64 - UInt64(min(max(s2T0SZ, 16), 39)))
    tableRegion = (top - top / 8)..<top
  }

  package func physicalAddress(of ipa: UInt64) -> UInt64 {
    let page = ipa >> granule.log2
    for doorbell in doorbells where doorbell.ipa >> granule.log2 == page {
      return doorbell.pa &+ (ipa &- doorbell.ipa)
    }
    return ipa &+ hostOffset
  }

  func isDoorbell(_ ipa: UInt64) -> Bool {
    doorbells.contains { $0.ipa >> granule.log2 == ipa >> granule.log2 }
  }

  /// The leaf that serves `ipa`: a block, unless it would swallow a doorbell page.
  func leafSpan(of ipa: UInt64) -> AddressSpan {
    let block = AddressSpan(around: ipa, log2: max(log2PageBytes, UInt8(granule.log2)))
    let page = AddressSpan(around: ipa, log2: UInt8(granule.log2))
    return doorbells.contains { block.contains($0.ipa) } ? page : block
  }

  /// Write-back memory, readable and writable: MemAttr 0xF, S2AP 3, inner shareable, AF.
  package static let memoryAttributes: UInt64 = 0x7FC
  /// Device-nGnRE, readable and writable, never executable: what Linux gives IOMMU_READ | WRITE |
  /// NOEXEC | MMIO (drivers/iommu/io-pgtable-arm.c, arm_lpae_prot_to_pte).
  package static let doorbellAttributes: UInt64 = 3 << 53 | 0x4C4
}
