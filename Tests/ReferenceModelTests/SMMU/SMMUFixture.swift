import EventModel
import ReferenceModel

/// A machine built by hand, without the table builder: one linear stream table, a CD and tables for
/// each stage. What the tests know about table layout is written here a second time, on purpose.
struct SMMUFixture {
  struct Shape {
    var granule: Granule
    var inputBits: UInt64
    var startLevel: Int
    var outputBits: UInt64 = 48
  }

  static let streamTable: UInt64 = 0x1000_0000
  static let contextTable: UInt64 = 0x1100_0000
  static let stage1Root: UInt64 = 0x1200_0000
  static let stage2Root: UInt64 = 0x20_0000_0000
  /// Where the guest's memory lies: PA = IPA + this.
  static let hostOffset: UInt64 = 0x40_0000_0000

  static let page: UInt64 = 0xF44
  static let stage2Page: UInt64 = 0x7FC

  var smmu: SMMU
  var ste: StreamTableEntry
  var cd = ContextDescriptor()
  var stage1: Shape?
  var stage2: Shape?
  private var nextStage1: UInt64 = 0x1400_0000
  private var nextStage2: UInt64 = 0x24_0000_0000

  init(
    stage1: Shape? = Shape(granule: .kib4, inputBits: 48, startLevel: 0), stage2: Shape? = nil,
    caches: SMMUCaches.Kinds = .none, identification: SMMU.Identification = .init()
  ) {
    smmu = SMMU(identification, caches: caches)
    self.stage1 = stage1
    self.stage2 = stage2
    let config: UInt8 = 0b100 | (stage1 == nil ? 0 : 1) | (stage2 == nil ? 0 : 2)
    ste = StreamTableEntry(config: config)
    smmu.registers.streamTableBase = Self.streamTable
    smmu.registers.log2Size = 8
    smmu.registers.format = .linear
    smmu.registers.isEnabled = true
    ste.s2VMID = 7
    if let stage1 {
      ste.s1ContextPtr = Self.contextTable
      cd.t0SZ = UInt8(64 - stage1.inputBits)
      cd.tg0 = Self.code(stage1.granule)
      cd.ips = stage1.outputBits == 52 ? 6 : 5
      cd.asid = 3
      cd.ttb0 = Self.stage1Root
    }
    if let stage2 {
      ste.s2T0SZ = UInt8(64 - stage2.inputBits)
      ste.s2TG = Self.code(stage2.granule)
      ste.s2SL0 = UInt8((stage2.granule == .kib4 ? 2 : 3) - stage2.startLevel)
      ste.s2PS = stage2.outputBits == 52 ? 6 : 5
      ste.s2AA64 = true
      ste.s2R = true
      ste.s2TTB = Self.stage2Root
      if stage1 != nil {
        backStage1Page(Self.contextTable)
        let size = Self.rootBytes(stage1!)
        for offset in stride(from: 0, through: size - 1, by: 1 << Self.log2(stage2.granule)) {
          backStage1Page(Self.stage1Root + offset)
        }
      }
    }
    commit()
  }

  static func code(_ granule: Granule) -> UInt8 {
    switch granule {
    case .kib4: 0
    case .kib64: 1
    case .kib16: 2
    }
  }

  static func log2(_ granule: Granule) -> UInt64 {
    switch granule {
    case .kib4: 12
    case .kib16: 14
    case .kib64: 16
    }
  }

  /// The lowest address bit that a table of `level` is indexed by.
  static func shift(_ granule: Granule, _ level: Int) -> UInt64 {
    switch granule {
    case .kib4: [39, 30, 21, 12][level]
    case .kib16: [47, 36, 25, 14][level]
    case .kib64: [55, 42, 29, 16][level]
    }
  }

  static func rootBytes(_ shape: Shape) -> UInt64 {
    8 << (shape.inputBits - shift(shape.granule, shape.startLevel))
  }

  /// Stores `ste` for streams 8 and 9, and `cd` at the start of the CD table.
  mutating func commit() {
    for stream: UInt64 in [8, 9] {
      for (index, dword) in ste.dwords.enumerated() {
        smmu.memory.store(dword, at: Self.streamTable + stream * 64 + UInt64(index) * 8)
      }
    }
    storeContext(cd, at: Self.contextTable)
  }

  mutating func storeContext(_ cd: ContextDescriptor, at address: UInt64) {
    for (index, dword) in cd.dwords.enumerated() {
      smmu.memory.store(dword, at: physical(address) + UInt64(index) * 8)
    }
  }

  func physical(_ address: UInt64) -> UInt64 {
    stage1 != nil && stage2 != nil ? address + Self.hostOffset : address
  }

  /// Maps the page of a stage 1 structure in stage 2.
  mutating func backStage1Page(_ ipa: UInt64) {
    let log2 = Self.log2(stage2!.granule)
    let page = ipa & ~((1 << log2) - 1)
    mapStage2(page, page + Self.hostOffset, level: 3)
  }

  mutating func map(
    _ va: UInt64, _ output: UInt64, level: Int = 3, attributes: UInt64 = SMMUFixture.page,
    root: UInt64 = SMMUFixture.stage1Root, tableBits: UInt64 = 0
  ) {
    let shape = stage1!
    var table = root
    for upper in shape.startLevel..<level {
      let place = physical(table + index(va, shape, upper) * 8)
      let raw: UInt64 = smmu.memory.load(at: place)
      if raw & 3 == 3 {
        table = address(raw, shape)
      } else {
        table = nextStage1
        nextStage1 += 0x1_0000
        if stage2 != nil {
          for offset in stride(from: 0, to: 0x1_0000, by: 1 << Self.log2(stage2!.granule)) {
            backStage1Page(table + UInt64(offset))
          }
        }
        smmu.memory.store(field(table, shape) | 3 | tableBits, at: place)
      }
    }
    let type: UInt64 = level == 3 ? 3 : 1
    smmu.memory.store(
      field(output, shape) | attributes & ~3 | type,
      at: physical(table + index(va, shape, level) * 8))
  }

  mutating func mapStage2(
    _ ipa: UInt64, _ output: UInt64, level: Int = 3, attributes: UInt64 = SMMUFixture.stage2Page
  ) {
    let shape = stage2!
    var table = Self.stage2Root
    for upper in shape.startLevel..<level {
      let place = table + index(ipa, shape, upper) * 8
      let raw: UInt64 = smmu.memory.load(at: place)
      if raw & 3 == 3 {
        table = address(raw, shape)
      } else {
        table = nextStage2
        nextStage2 += 0x1_0000
        smmu.memory.store(field(table, shape) | 3, at: place)
      }
    }
    smmu.memory.store(
      field(output, shape) | attributes & ~3 | (level == 3 ? 3 : 1),
      at: table + index(ipa, shape, level) * 8)
  }

  /// Where the stage 1 descriptor of `va` at `level` lies, as an IPA when nested.
  func descriptorPlace(_ va: UInt64, level: Int) -> UInt64 {
    let shape = stage1!
    var table = Self.stage1Root
    for upper in shape.startLevel..<level {
      table = address(smmu.memory.load(at: physical(table + index(va, shape, upper) * 8)), shape)
    }
    return table + index(va, shape, level) * 8
  }

  private func index(_ address: UInt64, _ shape: Shape, _ level: Int) -> UInt64 {
    let shift = Self.shift(shape.granule, level)
    let end = level == shape.startLevel ? shape.inputBits : Self.shift(shape.granule, level - 1)
    return (address >> shift) & ((1 << (end - shift)) - 1)
  }

  private func field(_ address: UInt64, _ shape: Shape) -> UInt64 {
    let low = address & 0xFFFF_FFFF_F000
    return shape.outputBits == 52 ? low | (address >> 48) << 12 : low
  }

  private func address(_ raw: UInt64, _ shape: Shape) -> UInt64 {
    let low = raw & (0xFFFF_FFFF_FFFF & ~((1 << Self.log2(shape.granule)) - 1))
    return shape.outputBits == 52 ? low | (raw >> 12 & 0xF) << 48 : low
  }

  mutating func read(_ address: UInt64, streamID: UInt32 = 8) -> SMMUResult {
    smmu.translate(streamID: streamID, address: address, access: .read)
  }

  mutating func write(_ address: UInt64, streamID: UInt32 = 8) -> SMMUResult {
    smmu.translate(streamID: streamID, address: address, access: .write)
  }
}

extension SMMUResult {
  /// The specification's name of the event, or how it ended otherwise.
  var eventName: String {
    switch outcome {
    case .translated: "translated"
    case .aborted: "aborted"
    case .fault(let fault): fault.record.number.name
    }
  }
}
