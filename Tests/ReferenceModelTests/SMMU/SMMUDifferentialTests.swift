import EventModel
import ReferenceModel
import TestSupport
import Testing

/// Software that follows the rules cannot tell a machine with caches from one without.
///
/// Two machines get the same random maps, unmaps, permission changes, reconfigurations and
/// accesses, and after each change the invalidation that the architecture asks for, and no more.
/// Every access must end alike in both: address, permissions, event record.
@Suite struct SMMUDifferentialTests {
  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func cachedAndBruteForceAgree(seed: UInt64) throws {
    var world = try World(seed: seed, nested: seed % 2 == 0)
    for _ in 0..<2000 { try world.step() }
    #expect(world.hits > 100, "the caches were really used")
    #expect(world.faults > 100 && world.translations > 100)
  }

  struct World {
    var cached: SMMU
    var brute: SMMU
    var random: SeededGenerator
    let seed: UInt64
    let nested: Bool
    /// Leaves by stream group and slot of 2 MiB: a block, or pages by index.
    var slots: [[Slot]] = Array(repeating: Array(repeating: Slot(), count: 6), count: 3)
    var hits = 0
    var faults = 0
    var translations = 0
    var asids: [UInt16] = [1, 2, 3]

    struct Slot {
      var block = false
      var pages: Set<UInt64> = []
      var hadTable = false
    }

    /// Streams 8 and 9 share group 0's tables; 10 has group 1; 11 has group 2, with HTTU.
    static let streams: [[UInt32]] = [[8, 9], [10], [11]]

    init(seed: UInt64, nested: Bool) throws {
      self.seed = seed
      self.nested = nested
      random = SeededGenerator(seed: seed)
      var plan: Stage2Plan?
      if nested {
        plan = Stage2Plan()
        plan?.vmid = 5
        plan?.log2PageBytes = seed % 4 == 0 ? 12 : 21
        plan?.doorbells = [.init(ipa: 0x0809_0000, pa: 0x6_0800_0000)]
      }
      cached = SMMU(caches: .all, tables: TableBuilder(nesting: plan))
      brute = SMMU(caches: .none, tables: TableBuilder(nesting: plan))
      for group in 0..<3 { try configure(group) }
    }

    var vmid: UInt16 { nested ? 5 : 0 }

    mutating func both(_ body: (inout SMMU) throws -> Void) rethrows {
      try body(&cached)
      try body(&brute)
    }

    mutating func command(_ command: SMMUCommand) throws {
      try both { smmu throws in try smmu.execute(command) }
    }

    mutating func configure(_ group: Int) throws {
      var configuration = StreamConfiguration()
      configuration.asid = asids[group]
      configuration.ttb0 = 0x5000_0000 + UInt64(group) << 24
      for stream in Self.streams[group] {
        let event = configuration.event(time: 0, streamID: stream)
        try both { smmu throws in try smmu.configure(event) }
      }
      guard group == 2 else { return }
      var cd = ContextDescriptor()
      cd.asid = asids[group]
      cd.ttb0 = configuration.ttb0
      cd.ha = true
      cd.hd = true
      try both { smmu throws in try smmu.setContext(streamID: 11, substreamID: 0, cd) }
    }

    mutating func step() throws {
      let group = Int.random(in: 0..<3, using: &random)
      let slot = Int.random(in: 0..<6, using: &random)
      switch Int.random(in: 0..<60, using: &random) {
      case 0..<4: try map(group, slot)
      case 4..<6: try unmap(group, slot)
      case 6: try changePermission(group, slot)
      case 7 where slot == 0: try changeASID(group)
      case 8 where slot < 2: try moveStage2(group)
      default: access(group, slot)
      }
    }

    /// Group 1's first slot is global, so no other address space may use its addresses.
    func isGlobal(_ group: Int, _ slot: Int) -> Bool { group == 1 && slot == 0 }
    func region(_ group: Int, _ slot: Int) -> UInt64 {
      isGlobal(group, slot) ? 0x7000_0000 : 0x4000_0000
    }
    func base(_ group: Int, _ slot: Int) -> UInt64 { region(group, slot) + UInt64(slot) << 21 }
    func output(_ group: Int, _ slot: Int) -> UInt64 {
      0x8000_0000 + UInt64(group) << 28 + UInt64(slot) << 21
    }

    func attributes(_ group: Int, readOnly: Bool, global: Bool) -> UInt64 {
      // Group 2 starts clean and unaccessed: hardware will update it.
      if group == 2 { return 0xBC4 | 1 << 51 }
      return 0xF44 & ~(global ? 0x800 : 0) | (readOnly ? 0x80 : 0)
    }

    mutating func map(_ group: Int, _ slot: Int) throws {
      var state = slots[group][slot]
      guard !state.block else { return }
      let asBlock = state.pages.isEmpty && Bool.random(using: &random)
      let page = UInt64.random(in: 0..<4, using: &random)
      guard asBlock || !state.pages.contains(page) else { return }
      try store(
        group, slot, page: asBlock ? nil : page, readOnly: Bool.random(using: &random))
      if asBlock {
        // The block replaces an empty table, which a walk cache may know.
        if state.hadTable {
          try invalidate(group, slot, base(group, slot), block: true, leaf: false)
        }
        state = Slot(block: true, hadTable: false)
      } else {
        state.pages.insert(page)
        state.hadTable = true
      }
      slots[group][slot] = state
    }

    mutating func store(_ group: Int, _ slot: Int, page: UInt64?, readOnly: Bool) throws {
      let offset = (page ?? 0) << 12
      let event = TraceEvent.map(
        time: 0, streamID: Self.streams[group][0], asid: asids[group],
        iova: base(group, slot) + offset, outputAddress: output(group, slot) + offset,
        log2SizeBytes: page == nil ? 21 : 12, level: page == nil ? 2 : 3, granule: .kib4,
        descriptor: attributes(group, readOnly: readOnly, global: isGlobal(group, slot)))
      try both { smmu throws in try smmu.map(event) }
    }

    mutating func clear(_ group: Int, _ slot: Int, page: UInt64?) throws {
      let event = TraceEvent.unmap(
        time: 0, streamID: Self.streams[group][0], asid: asids[group],
        iova: base(group, slot) + (page ?? 0) << 12, log2SizeBytes: page == nil ? 21 : 12,
        level: page == nil ? 2 : 3, granule: .kib4)
      try both { smmu throws in try smmu.unmap(event) }
    }

    mutating func unmap(_ group: Int, _ slot: Int) throws {
      if slots[group][slot].block {
        try clear(group, slot, page: nil)
        try invalidate(group, slot, base(group, slot), block: true, leaf: true)
        slots[group][slot].block = false
      } else if let page = slots[group][slot].pages.sorted().randomElement(using: &random) {
        try clear(group, slot, page: page)
        try invalidate(group, slot, base(group, slot) + page << 12, block: false, leaf: true)
        slots[group][slot].pages.remove(page)
      }
    }

    /// Break before make: invalid, invalidate, then the new one.
    mutating func changePermission(_ group: Int, _ slot: Int) throws {
      let state = slots[group][slot]
      let page = state.pages.sorted().randomElement(using: &random)
      guard state.block || page != nil else { return }
      let target = state.block ? nil : page
      try clear(group, slot, page: target)
      try invalidate(
        group, slot, base(group, slot) + (target ?? 0) << 12, block: state.block, leaf: true)
      try store(group, slot, page: target, readOnly: Bool.random(using: &random))
    }

    /// One of the commands that are enough for the address.
    mutating func invalidate(
      _ group: Int, _ slot: Int, _ va: UInt64, block: Bool, leaf: Bool
    ) throws {
      let asid = asids[group]
      switch Int.random(in: 0..<16, using: &random) {
      case 0..<3: try command(.tlbiNHVA(vmid: vmid, asid: asid, TLBIRange(va, leaf: leaf)))
      case 3..<6: try command(.tlbiNHVAA(vmid: vmid, TLBIRange(va, leaf: leaf)))
      case 6..<10:
        let hint = TLBIRange(va, leaf: leaf, tg: 1, ttl: block ? 2 : 3)
        // TTL names the leaf; a table at the block's own level needs the command without it.
        let range = leaf ? hint : TLBIRange(va, tg: 1, num: 31, scale: 4)
        try command(.tlbiNHVA(vmid: vmid, asid: asid, range))
      case 10..<13:
        // All six slots of the region: 24 × 2^7 pages.
        let range = TLBIRange(region(group, slot), leaf: leaf, tg: 1, num: 23, scale: 7)
        try command(.tlbiNHVA(vmid: vmid, asid: asid, range))
      case 13:
        try command(
          isGlobal(group, slot) ? .tlbiNHAll(vmid: vmid) : .tlbiNHASID(vmid: vmid, asid: asid))
      case 14: try command(.tlbiS12VMAll(vmid: vmid))
      default: try command(.tlbiNSNHAll)
      }
    }

    /// A new ASID: new CDs, and the old ASID's entries go. A start table that comes back under
    /// another ASID is empty.
    mutating func changeASID(_ group: Int) throws {
      guard group != 0 else { return }
      let old = asids[group]
      asids[group] = 10 + UInt16.random(in: 0..<1000, using: &random)
      try configure(group)
      for stream in Self.streams[group] {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: try command(.cfgiSTE(streamID: stream, leaf: true))
        case 1: try command(.cfgiCD(streamID: stream, substreamID: 0, leaf: true))
        case 2: try command(.cfgiCDAll(streamID: stream))
        default: try command(.cfgiAll)
        }
      }
      if old != asids[group] {
        slots[group] = Array(repeating: Slot(), count: 6)
        try command(group == 1 ? .tlbiNHAll(vmid: vmid) : .tlbiNHASID(vmid: vmid, asid: old))
        // The new ASID may have been in use before.
        try command(.tlbiNHASID(vmid: vmid, asid: asids[group]))
      }
    }

    /// The host moves a page of the guest: stage 2 invalidation by IPA, then stage 1 by VMID.
    mutating func moveStage2(_ group: Int) throws {
      guard nested else { return }
      let ipa = output(group, 5)
      let size = UInt32(cached.tables.nesting!.log2PageBytes)
      let pa = 0x100_0000_0000 + UInt64.random(in: 0..<64, using: &random) << UInt64(size)
      try both { smmu throws in try smmu.mapStage2(ipa: ipa, pa: pa, log2Size: size, vmid: 5) }
      try command(.tlbiS2IPA(vmid: 5, TLBIRange(ipa, leaf: Bool.random(using: &random))))
      try command(.tlbiNHAll(vmid: 5))
    }

    mutating func access(_ group: Int, _ slot: Int) {
      let stream = Self.streams[group].randomElement(using: &random)!
      let address =
        base(group, slot) + UInt64.random(in: 0..<5, using: &random) << 12
        + UInt64.random(in: 0..<4096, using: &random)
      let access = SMMUAccess(
        write: Bool.random(using: &random), privileged: Bool.random(using: &random))
      let fast = cached.translate(streamID: stream, address: address, access: access)
      let slow = brute.translate(streamID: stream, address: address, access: access)
      if fast.translation?.tlbHit == true { hits += 1 }
      if fast.fault != nil { faults += 1 } else { translations += 1 }
      #expect(
        Self.comparable(fast) == Self.comparable(slow),
        "seed \(seed), stream \(stream), address 0x\(String(address, radix: 16))")
      #expect(cached.drainEvents() == brute.drainEvents())
    }

    static func comparable(_ result: SMMUResult) -> SMMUResult.Outcome {
      guard case .translated(var translation) = result.outcome else { return result.outcome }
      translation.tlbHit = false
      return .translated(translation)
    }
  }
}
