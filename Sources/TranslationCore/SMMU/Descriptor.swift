/// Fields of a VMSAv8-64 descriptor (Arm ARM DDI 0487, D8.3).
///
///     63  62:61 60  59        54:53      52          51   50  …  11  10  9:8  7:6   5   4:2    1:0
///     NS  AP    XN  PXN       UXN, PXN   contiguous  DBM  address nG AF  SH   AP    NS  AttrIx type
///     └── table descriptors ┘ └ leaves ┘                              stage 2: S2AP  MemAttr 5:2
enum Descriptor {
  static let valid: UInt64 = 1
  /// Bits 1:0 of a table at levels 0…2 and of a page at level 3; a block has 01.
  static let tableOrPage: UInt64 = 3
  static let block: UInt64 = 1
  /// Stage 1, AP[1] and AP[2]: accessible without privilege, read-only.
  static let unprivileged: UInt64 = 1 << 6
  static let readOnly: UInt64 = 1 << 7
  /// Stage 2, S2AP[1].
  static let stage2Writable: UInt64 = 1 << 7
  static let accessFlag: UInt64 = 1 << 10
  static let notGlobal: UInt64 = 1 << 11
  static let dirtyBitModifier: UInt64 = 1 << 51
  static let contiguous: UInt64 = 1 << 52
  /// What Linux stores for DMA memory: write-back, inner shareable, AF, nG, unprivileged
  /// (drivers/iommu/io-pgtable-arm.c, arm_lpae_prot_to_pte).
  static let linuxMemory: UInt64 = 0xF44
  static let addressMask: UInt64 = 0x0000_FFFF_FFFF_F000

  /// A host stage-2 leaf: MemAttr write-back, S2AP read and write, inner shareable, AF.
  static let hostStage2Leaf: UInt64 = 0xF << 2 | 3 << 6 | 3 << 8 | accessFlag

  /// MemAttr[3:2] = 0: some Device type (D8.6.5, without FWB).
  static func isStage2Device(_ descriptor: UInt64) -> Bool { descriptor & 0x30 == 0 }
}

/// What stage 1 allows: AP[1], AP[2], PXN, UXN where a leaf has them, bits 6, 7, 53 and 54, with the
/// limits of the tables above it (D8.4.3).
struct Stage1Permissions: Hashable, BitwiseCopyable {
  var bits: UInt64

  static let unprivileged: UInt64 = 1 << 6
  static let readOnly: UInt64 = 1 << 7
  static let pxn: UInt64 = 1 << 53
  static let uxn: UInt64 = 1 << 54
  static let mask = unprivileged | readOnly | pxn | uxn

  @inline(__always)
  init(bits: UInt64) { self.bits = bits }

  /// - Parameter limits: as `limits(table:)` gives them, of all tables.
  @inline(__always)
  init(leaf: UInt64, limits: UInt64) {
    bits = (leaf | limits & (Self.mask ^ Self.unprivileged)) & Self.mask
    bits &= ~(limits & Self.unprivileged)
  }

  /// What a table descriptor takes away from everything below: APTable 62:61, UXNTable 60,
  /// PXNTable 59. Bit 6 takes `unprivileged` away, the others add theirs.
  @inline(__always)
  static func limits(table: UInt64) -> UInt64 {
    (table &>> 55) & (unprivileged | readOnly) | (table &>> 6) & (pxn | uxn)
  }

  func allows(_ request: SMMURequest, _ world: StreamWorld) -> Bool {
    let privileged = request.privileged || !world.hasPrivilege
    if !privileged, bits & Self.unprivileged == 0 { return false }
    if request.writes, bits & Self.readOnly != 0 { return false }
    guard request.instruction else { return true }
    // EL2 alone has one execute-never bit, at the place of UXN (D8.4.2).
    return bits & (privileged && world.hasPrivilege ? Self.pxn : Self.uxn) == 0
  }

  /// Bit 0: an unprivileged data read is refused; bit 1: a write.
  @inline(__always)
  func denied(_ world: StreamWorld) -> UInt64 {
    if bits & Self.unprivileged == 0, world.hasPrivilege { return 3 }
    return (bits & Self.readOnly) &>> 6
  }
}

/// What stage 2 forbids: reading in bit 0, writing in bit 1 (S2AP), execution in bit 2 (XN).
struct Stage2Permissions: Hashable, BitwiseCopyable {
  var bits: UInt64

  static let noRead: UInt64 = 1
  static let noWrite: UInt64 = 2
  static let noExecution: UInt64 = 4

  @inline(__always)
  init(bits: UInt64) { self.bits = bits }

  @inline(__always)
  init(leaf: UInt64) { bits = ((leaf &>> 6) & 3) ^ 3 | (leaf &>> 52) & 4 }

  @inline(__always)
  func allows(_ need: UInt64, instruction: Bool) -> Bool {
    bits & (need | (instruction ? Self.noExecution : 0)) == 0
  }
}
