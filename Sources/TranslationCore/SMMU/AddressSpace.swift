/// One tree of tables and who it belongs to: stage 1 of a VMID and ASID, stage 2 of a VMID, or the
/// host's stage 2.
///
/// The number of an address space (1…65,535) is what the TLB holds in place of VMID and ASID.
struct AddressSpace: BitwiseCopyable {
  /// `AddressSpace.key`.
  var key: UInt64
  /// TTB0 or S2TTB as the recording gives it: a change means a new tree.
  var recordedBase: UInt64
  /// Arena offset of the root; 0 while there is no tree.
  var root: UInt64
  /// Added to an arena offset to give the address in a table descriptor: an intermediate one in a
  /// nested stage 1, else a physical one.
  var tableBase: UInt64
  var shape: TableShape
  /// The geometry field that was last found right, and what follows from it.
  var knownGeometry: UInt32
  var leafLevel: UInt8
  var leafShift: UInt8
  /// Size, level, granule and stage (bits 17:0) of a record about one page of this space, if such a
  /// record was found right; else `noGeometry`.
  var pageGeometry: UInt32
  /// log2 of the input bytes that one last-level table serves.
  var tableShift: UInt8
  /// Picks the byte offset of a descriptor in such a table out of `address >> (granule shift − 3)`.
  var tableMask: UInt32

  static let noGeometry: UInt32 = ~0

  var pageMask: UInt64 { 1 &<< UInt64(shape.granuleShift) &- 1 }

  /// Offset of an address's page descriptor in its last-level table.
  @inline(__always)
  func pageOffset(_ address: UInt64) -> UInt64 {
    (address &>> (UInt64(shape.granuleShift) &- 3)) & UInt64(tableMask)
  }

  mutating func setShape(_ shape: TableShape) {
    self.shape = shape
    let shift = shape.startLevel == 3 ? UInt64(shape.inputBits) : shape.shift(2)
    tableShift = UInt8(shift)
    tableMask = 8 << UInt32(shift - UInt64(shape.granuleShift)) - 8
    forgetGeometry()
  }

  mutating func forgetGeometry() {
    knownGeometry = 0
    pageGeometry = Self.noGeometry
  }

  // MARK: Keys

  static func stage1(vmid: UInt16, asid: UInt16) -> UInt64 { UInt64(vmid) << 16 | UInt64(asid) }
  static func stage2(vmid: UInt16) -> UInt64 { stage2Bit | UInt64(vmid) << 16 }
  static let hostStage2: UInt64 = 1 << 33
  /// Without ASID: entries from leaves with nG = 0, which answer to every ASID of world and VMID.
  static let globalBit: UInt64 = 1 << 34
  private static let stage2Bit: UInt64 = 1 << 32
  private static let el2Bit: UInt64 = 1 << 35
  private static let e2hBit: UInt64 = 1 << 36

  /// The tag of a stage-1 input address: never the StreamID. A world without VMIDs or ASIDs ignores
  /// them (IHI 0070, §3.3.3).
  static func stage1(_ world: StreamWorld, vmid: UInt16, asid: UInt16) -> UInt64 {
    switch world {
    case .nsEL1: stage1(vmid: vmid, asid: asid)
    case .el2E2H: e2hBit | UInt64(asid)
    case .el2: el2Bit
    }
  }

  static func global(_ world: StreamWorld, vmid: UInt16) -> UInt64 {
    // EL2 has one tag for all that it has.
    world == .el2 ? el2Bit : globalBit | stage1(world, vmid: vmid, asid: 0)
  }

  var vmid: UInt64 { (key >> 16) & 0xFFFF }
  var asid: UInt64 { key & 0xFFFF }
  var isGlobal: Bool { key & Self.globalBit != 0 }
  var isStage2: Bool { key & (Self.stage2Bit | Self.hostStage2) != 0 }
  /// Nil for stage 2.
  var world: StreamWorld? {
    isStage2 ? nil : key & Self.el2Bit != 0 ? .el2 : key & Self.e2hBit != 0 ? .el2E2H : .nsEL1
  }
  /// EL1&0: what carries VMIDs.
  var isStage1: Bool { world == .nsEL1 }
}

/// All address spaces, found by key through an open-addressed hash of their numbers.
@safe
struct AddressSpaceTable: ~Copyable {
  private let spacePages: ZeroedPages
  private let slotPages: ZeroedPages
  /// Space n is at index n; index 0 is unused.
  let spaces: UnsafeMutablePointer<AddressSpace>
  private let slots: UnsafeMutablePointer<UInt32>
  private let slotShift: UInt64
  private let limit: Int
  private(set) var count = 0
  /// The key that was found last, and its number.
  private(set) var lastKey: UInt64 = ~0
  private(set) var lastNumber = 0
  /// The space itself.
  private(set) var last: UnsafeMutablePointer<AddressSpace>

  init(limit: Int) {
    self.limit = min(max(limit, 4), 65_535)
    let slotBits = Int.bitWidth - (self.limit * 2 - 1).leadingZeroBitCount
    slotShift = UInt64(64 - slotBits)
    spacePages = ZeroedPages(byteCount: (self.limit + 1) * MemoryLayout<AddressSpace>.stride)
    slotPages = ZeroedPages(byteCount: (1 << slotBits) * MemoryLayout<UInt32>.stride)
    unsafe spaces = spacePages.table(of: AddressSpace.self)
    unsafe last = spaces
    unsafe slots = slotPages.table(of: UInt32.self)
  }

  /// The space with `key`, or 0. O(1): at most half of the slots are in use.
  @inline(__always)
  mutating func number(of key: UInt64) -> Int {
    if key == lastKey { return lastNumber }
    let number = search(key).number
    if number != 0 {
      lastKey = key
      lastNumber = number
      // Safety: a number that `search` gave is that of a space.
      unsafe last = spaces + number
    }
    return number
  }

  /// As `number(of:)`, without remembering it as the last.
  func find(_ key: UInt64) -> Int { search(key).number }

  /// The space with `key`, made if there is none; 0 at the limit.
  mutating func numberAdding(_ key: UInt64) -> Int {
    let (slot, number) = search(key)
    if number != 0 { return number }
    guard count < limit else { return 0 }
    count += 1
    // Safety: `search` masks the slot; `count` is at most `limit`, the last index allocated.
    unsafe slots[slot] = UInt32(count)
    unsafe spaces[count].key = key
    unsafe spaces[count].forgetGeometry()
    return count
  }

  private func search(_ key: UInt64) -> (slot: Int, number: Int) {
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> slotShift)
    let mask = Int(truncatingIfNeeded: ~0 as UInt64 &>> slotShift)
    while true {
      // Safety: `slot` is masked to the table; numbers in it index spaces that exist.
      let number = unsafe Int(slots[slot])
      if number == 0 { return (slot, 0) }
      if unsafe spaces[number].key == key { return (slot, number) }
      slot = (slot + 1) & mask
    }
  }
}
