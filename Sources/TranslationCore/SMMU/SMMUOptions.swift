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
  /// Pointers to last-level stage-1 tables, by physical address: of streams without hardware update
  /// of descriptors. 0 entries: none.
  package var walkCacheEntries: Int = 128
  package var walkCacheWays: Int = 1
  /// Table descriptors of every level met on walks: of stage 1, whose tables are intermediate
  /// addresses when nested, and of stage 2. 0 entries, the default: such walks start at the root.
  package var stage1TableCacheEntries: Int = 0
  package var stage2TableCacheEntries: Int = 0
  package var tableCacheWays: Int = 4
  /// Streams whose STE is kept; the oldest makes room. 0: each access reads its STE.
  package var streamCacheEntries: Int = .max
  /// CDs kept beside each stream's first one, for substreams. With `keepsContexts` off not even the
  /// first is kept.
  package var contextCacheEntries: Int = 1024
  package var keepsContexts: Bool = true
  /// Several TLB entries for one address, which is software's mistake, are reported as
  /// F_TLB_CONFLICT. It takes the fast path away. Off: one of them answers, which the architecture
  /// allows as well.
  package var reportsConflicts: Bool = false

  /// What the ID registers promise.
  package var features = SMMUFeatures()
  /// log2 of the records that the event queue holds, at most 19 (IDR1.EVENTQS).
  package var eventQueueLog2: UInt8 = 12

  /// log2 of the StreamIDs that one level-2 stream table holds; 0 is a linear table. Linux uses 8,
  /// one PCI bus (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h, STRTAB_SPLIT).
  package var streamTableSplit: UInt8 = 8

  /// Address space reserved for all tables. The kernel backs a page when it is first touched.
  package var arenaLimitBytes: Int = 512 << 20
  /// Pairs of VMID and ASID, at most 65,535.
  package var addressSpaceLimit: Int = 16_384

  package init() {}
}

/// What is fixed in hardware: the ID registers (IHI 0070, §6.3.1–6.3.6), as far as they matter.
/// IDR5.OAS and IDR1.SIDSIZE come with the table geometry.
package struct SMMUFeatures: Hashable, Sendable {
  /// IDR5.VAX: 52-bit virtual addresses, with the 64 KiB granule.
  package var virtualAddresses52: Bool = true
  /// IDR1.SSIDSIZE; 0 is no substreams.
  package var substreamIDBits: UInt8 = 20
  /// IDR0.HTTU ≥ 1 and ≥ 2.
  package var updatesAccessFlag: Bool = true
  package var updatesDirtyState: Bool = true
  /// IDR0.STALL_MODEL = 0: stall or terminate, as configured. Otherwise terminate only.
  package var stallModelSelectable: Bool = true
  /// IDR0.ATS, and IDR3.RIL: range invalidation.
  package var ats: Bool = true
  package var rangeInvalidation: Bool = true

  package init() {}
}

/// What software programs (IHI 0070, §6.3). `configureStream` programs them for a trace; a caller
/// that keeps its own tables sets them with `SMMUCore.program`.
package struct SMMURegisters: Hashable, Sendable {
  /// CR0.SMMUEN. Off, everything passes or, with GBPA.ABORT, ends (§3.11).
  package var isEnabled: Bool = false
  package var abortsWhenDisabled: Bool = false
  /// CR0.ATSCHK, CR2.E2H, CR2.RECINVSID.
  package var checksATSTranslated: Bool = true
  package var e2h: Bool = true
  package var recordsInvalidStreamIDs: Bool = true
  /// STRTAB_BASE.ADDR: a physical address.
  package var streamTableBase: UInt64 = 0
  /// STRTAB_BASE_CFG: LOG2SIZE, SPLIT, and FMT = two-level.
  package var log2Size: UInt8 = 0
  package var split: UInt8 = 8
  package var isTwoLevel: Bool = false

  package init() {}
}
