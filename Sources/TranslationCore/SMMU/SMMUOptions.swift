/// Shape of the modelled SMMU: stages, caches and limits.
package struct SMMUOptions: Hashable, Sendable {
  /// Adds the host's stage 2 under every guest stream: stage 1 becomes nested, bypass becomes
  /// stage 2 only. Off, a stage-1 output is the physical address.
  package var nested: Bool = true
  /// log2 of the bytes that one stage-2 leaf maps for guest memory: 21 or 12.
  package var stage2BlockLog2: UInt8 = 21
  /// Width of an intermediate physical address, 64 − S2T0SZ: 36…48.
  package var stage2InputBits: UInt8 = 40

  /// Intermediate addresses that stage 2 maps, linearly, to `address + stage2Offset`. The default
  /// holds the memory of every QEMU `virt` guest up to 15 GiB (hw/arm/virt.c: memory starts at
  /// 1 GiB).
  package var guestMemory: Range<UInt64> = 0x4000_0000..<0x4_0000_0000
  package var stage2Offset: UInt64 = 0x40_0000_0000

  /// Combined stage-1 and stage-2 TLB. `tlbWays` is 1, 2, 4 or 8; entries are rounded up to a
  /// power of two. 0 entries: no TLB. One way is the fastest to probe; on the NVMe recording more
  /// ways save no miss.
  package var tlbEntries: Int = 2048
  package var tlbWays: Int = 1
  /// IPA → PA. 0 entries: every stage-2 use walks.
  package var stage2TLBEntries: Int = 256
  package var stage2TLBWays: Int = 1
  /// Pointers to last-level stage-1 tables. 0 entries: every stage-1 walk starts at the root.
  package var walkCacheEntries: Int = 128
  package var walkCacheWays: Int = 1
  /// STE and CD, one entry per StreamID. Off, each access reads both.
  package var configurationCache: Bool = true

  /// log2 of the StreamIDs that one level-2 stream table holds; 0 is a linear table. Linux uses 8,
  /// one PCI bus (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h, STRTAB_SPLIT).
  package var streamTableSplit: UInt8 = 8

  /// Address space reserved for all tables. The kernel backs a page when it is first touched.
  package var arenaLimitBytes: Int = 512 << 20
  /// Pairs of VMID and ASID, at most 65,535.
  package var addressSpaceLimit: Int = 16_384

  package init() {}
}
