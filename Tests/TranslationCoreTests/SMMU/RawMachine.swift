import EventModel
import ReferenceModel
import TranslationCore

/// A core over tables that a test stores word by word: a linear stream table, one CD, and one path of
/// descriptors in each stage. What it knows about tables is written here a second time, on purpose.
struct RawMachine: ~Copyable {
  /// A stage: granule and levels.
  struct Stage {
    var granule: UInt64
    var levels: Int
    /// Input bits that the levels resolve, as few as the architecture allows.
    var inputBits: UInt64 {
      max(25, (granule - 3) * UInt64(levels - 1) + granule + 1)
    }
    func shift(_ level: Int) -> UInt64 { granule + UInt64(3 - level) * (granule - 3) }

    /// 4 KiB has two levels at least, so one level is of 64 KiB.
    static func of(_ levels: Int) -> Stage {
      Stage(granule: levels == 1 ? 16 : 12, levels: levels)
    }
  }

  static let base: UInt64 = 0x4000_0000
  static let streamID: UInt32 = 5
  /// The guest sees memory at its own address: IPA = PA − base.
  static let address: UInt64 = 0x1_2345

  var core: SMMUCore
  var registers = SMMURegisters()
  var ste = StreamTableEntry(config: StreamTableEntry.bypass)
  var cd = ContextDescriptor()
  let first: Stage?
  let second: Stage?
  private var next = base + 1 << 20

  init(
    _ first: Stage?, _ second: Stage?, geometry: TableGeometry = Self.geometry,
    _ change: (inout SMMUOptions) -> Void = { _ in }
  ) {
    var options = SMMUOptions()
    options.nested = false
    options.guestMemory = 0..<Self.base
    options.arenaLimitBytes = 8 << 20
    change(&options)
    core = SMMUCore(geometry: geometry, options: options)
    self.first = first
    self.second = second
    build()
  }

  static var geometry: TableGeometry {
    var geometry = TableGeometry()
    geometry.outputAddressBits = 48
    geometry.streamIDBits = 8
    return geometry
  }

  mutating func store(_ words: [UInt64], at physical: UInt64) {
    for (index, word) in words.enumerated() {
      let isStored = core.store(word, physical: physical + UInt64(index) * 8)
      precondition(isStored)
    }
  }

  mutating func take(_ bytes: UInt64) -> UInt64 {
    let start = (next + bytes - 1) & ~(bytes - 1)
    next = start + bytes
    return start
  }

  private mutating func build() {
    registers.isEnabled = true
    registers.log2Size = 8
    registers.streamTableBase = take(256 * 64)
    core.program(registers)
    ste.s2VMID = 7
    if first != nil { ste.config |= 1 }
    if second != nil { ste.config |= 2 }
    if let second {
      ste.s2T0SZ = UInt8(64 - second.inputBits)
      ste.s2TG = second.granule == 16 ? 1 : 0
      ste.s2SL0 = second.granule == 16 ? UInt8(second.levels - 1) : UInt8(second.levels - 2)
      ste.s2PS = 5
      ste.s2AA64 = true
      ste.s2R = true
      ste.s2TTB = take(0x1_0000)
      // All of memory, page by page, is behind the lowest 8 MiB of the guest.
      for offset in stride(from: 0, to: 8 << 20 as UInt64, by: 1 << Int(second.granule)) {
        mapStage2(offset, Self.base + offset)
      }
    }
    if let first {
      ste.s1ContextPtr = seen(take(0x1_0000))
      cd.t0SZ = UInt8(64 - first.inputBits)
      cd.tg0 = first.granule == 16 ? 1 : 0
      cd.asid = 3
      cd.ttb0 = seen(take(0x1_0000))
      store(cd.dwords, at: Self.base + (ste.s1ContextPtr & 0x3FFF_FFFF))
      map(Self.address, second == nil ? 0x9_0000_0000 : 0x60_0000)
    }
    commit()
  }

  /// Stores the STE of the machine's stream.
  mutating func commit() {
    store(ste.dwords, at: registers.streamTableBase + UInt64(Self.streamID) * 64)
  }

  /// Where stage 1 sees a table: its IPA if there is a stage 2.
  func seen(_ physical: UInt64) -> UInt64 { second == nil ? physical : physical - Self.base }
  private func physical(_ seen: UInt64) -> UInt64 { second == nil ? seen : seen + Self.base }

  /// A page of stage 1.
  mutating func map(_ input: UInt64, _ output: UInt64, attributes: UInt64 = 0xF44) {
    var table = cd.ttb0
    for level in 4 - first!.levels..<3 {
      let place = physical(table + slot(input, first!, level))
      let raw = core.load(physical: place)!
      if raw & 3 == 3 {
        table = raw & 0xFFFF_FFFF_F000
      } else {
        table = seen(take(0x1_0000))
        store([table | 3], at: place)
      }
    }
    let page = ~0 << first!.granule as UInt64
    store(
      [output & page | attributes & ~3 | 3], at: physical(table + slot(input, first!, 3)))
  }

  /// A page of stage 2.
  mutating func mapStage2(_ input: UInt64, _ output: UInt64, attributes: UInt64 = 0x7FC) {
    var table = ste.s2TTB
    for level in 4 - second!.levels..<3 {
      let place = table + slot(input, second!, level)
      let raw = core.load(physical: place)!
      if raw & 3 == 3 {
        table = raw & 0xFFFF_FFFF_F000
      } else {
        table = take(0x1_0000)
        store([table | 3], at: place)
      }
    }
    store([output | attributes & ~3 | 3], at: table + slot(input, second!, 3))
  }

  private func slot(_ input: UInt64, _ stage: Stage, _ level: Int) -> UInt64 {
    let index = input >> stage.shift(level)
    return (level == 4 - stage.levels ? index : index & ((1 << (stage.granule - 3)) - 1)) * 8
  }

  mutating func access(
    _ address: UInt64 = Self.address, write: Bool = false, substreamID: UInt32? = nil,
    kind: SMMURequest.Kind = .untranslated
  ) -> SMMUAnswer {
    core.translate(
      SMMURequest(
        streamID: Self.streamID, substreamID: substreamID, address: address, write: write,
        kind: kind))
  }

  /// STE and CD reads, reads of stage 1 and of stage 2, so far.
  var reads: (configuration: UInt64, stage1: UInt64, stage2: UInt64) {
    var work = WorkCounters()
    core.addCounters(to: &work)
    return (
      work.steReads + work.cdReads, work.stage1DescriptorReads, work.stage2DescriptorReads
    )
  }
}
