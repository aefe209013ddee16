import EventModel

/// One 8-byte descriptor of a VMSAv8-64 translation table (Arm ARM DDI 0487, D8.3).
///
///     63  62:61 60  59        54:53      52          51   50  …  11  10  9:8  7:6   5   4:2    1:0
///     NS  AP    XN  PXN       UXN, PXN   contiguous  DBM  address nG AF  SH   AP    NS  AttrIx type
///     └── table descriptors ┘ └ leaves ┘                              stage 2: S2AP  MemAttr 5:2
package struct TranslationDescriptor: Hashable, Sendable {
  package var raw: UInt64
  package init(_ raw: UInt64) { self.raw = raw }

  package enum Kind: Sendable { case invalid, table, leaf }

  /// Bits 1:0: x0 invalid; 01 a block; 11 a table, or at level 3 a page. 01 at level 3, and a block
  /// at a level that has none, are invalid.
  package func kind(_ level: Int, _ geometry: WalkGeometry) -> Kind {
    switch raw & 3 {
    case 1: geometry.allowsBlock(level) ? .leaf : .invalid
    case 3: level == 3 ? .leaf : .table
    default: .invalid
    }
  }

  /// Address bits 47:low. With 64 KiB granule and 52-bit output, bits 15:12 hold 51:48.
  private func address(from low: UInt64, _ geometry: WalkGeometry) -> UInt64 {
    let address = raw.bits(47, low) << low
    guard geometry.granule == .kib64, geometry.outputBits == 52 else { return address }
    return address | raw.bits(15, 12) << 48
  }

  package func nextTable(_ geometry: WalkGeometry) -> UInt64 {
    address(from: geometry.granule.log2, geometry)
  }

  package func leafAddress(_ level: Int, _ geometry: WalkGeometry) -> UInt64 {
    address(from: geometry.shift(level), geometry)
  }

  /// Places an address in a descriptor, the inverse of the above.
  package static func addressField(_ address: UInt64, _ geometry: WalkGeometry) -> UInt64 {
    let low = address & 0x0000_FFFF_FFFF_F000
    guard geometry.granule == .kib64, geometry.outputBits == 52 else { return low }
    return low | address.bits(51, 48) << 12
  }

  package static func table(_ address: UInt64, _ geometry: WalkGeometry) -> TranslationDescriptor {
    TranslationDescriptor(addressField(address, geometry) | 3)
  }

  // Leaves, both stages.
  package var accessFlag: Bool {
    get { raw.bit(10) }
    set { raw = raw & ~(1 << 10) | .field(newValue, 10) }
  }
  package var dirtyBitModifier: Bool { raw.bit(51) }
  package var isContiguous: Bool { raw.bit(52) }

  // Leaves, stage 1.
  package var attrIndx: UInt8 { UInt8(raw.bits(4, 2)) }
  package var isGlobal: Bool { !raw.bit(11) }
  package var stage1Permissions: Stage1Permissions {
    Stage1Permissions(
      unprivileged: raw.bit(6), readOnly: raw.bit(7), pxn: raw.bit(53), uxn: raw.bit(54))
  }
  /// AP[2] ← 0: what hardware does to a clean page that is written (D8.4.6).
  package mutating func markDirtyStage1() { raw &= ~(1 << 7) }

  // Leaves, stage 2.
  package var memAttr: UInt8 { UInt8(raw.bits(5, 2)) }
  /// MemAttr[3:2] = 0: some Device type (D8.6.5, without FWB).
  package var isDevice: Bool { raw.bits(5, 4) == 0 }
  package var stage2Permissions: Stage2Permissions {
    Stage2Permissions(read: raw.bit(6), write: raw.bit(7), xn: raw.bit(54))
  }
  /// S2AP[1] ← 1.
  package mutating func markDirtyStage2() { raw |= 1 << 7 }

  /// What a stage 1 table descriptor takes away from everything below it (D8.4.3): APTable 62:61,
  /// UXNTable 60, PXNTable 59.
  package var tableLimits: TableLimits {
    TableLimits(
      readOnly: raw.bit(62), noUnprivileged: raw.bit(61), uxn: raw.bit(60), pxn: raw.bit(59))
  }
}

package struct TableLimits: Hashable, Sendable {
  package var readOnly = false
  package var noUnprivileged = false
  package var uxn = false
  package var pxn = false

  package init(
    readOnly: Bool = false, noUnprivileged: Bool = false, uxn: Bool = false, pxn: Bool = false
  ) {
    self.readOnly = readOnly
    self.noUnprivileged = noUnprivileged
    self.uxn = uxn
    self.pxn = pxn
  }

  /// Limits only add up on the way down.
  package func joined(_ lower: TableLimits) -> TableLimits {
    TableLimits(
      readOnly: readOnly || lower.readOnly, noUnprivileged: noUnprivileged || lower.noUnprivileged,
      uxn: uxn || lower.uxn, pxn: pxn || lower.pxn)
  }
}

/// AP[2:1], PXN and UXN of stage 1, hierarchical limits included.
package struct Stage1Permissions: Hashable, Sendable {
  package var unprivileged: Bool
  package var readOnly: Bool
  package var pxn: Bool
  package var uxn: Bool

  package init(unprivileged: Bool, readOnly: Bool, pxn: Bool, uxn: Bool) {
    self.unprivileged = unprivileged
    self.readOnly = readOnly
    self.pxn = pxn
    self.uxn = uxn
  }

  package func limited(by limits: TableLimits) -> Stage1Permissions {
    Stage1Permissions(
      unprivileged: unprivileged && !limits.noUnprivileged, readOnly: readOnly || limits.readOnly,
      pxn: pxn || limits.pxn, uxn: uxn || limits.uxn)
  }

  package func allows(_ access: SMMUAccess, in world: StreamWorld) -> Bool {
    let privileged = access.privileged || !world.hasPrivilege
    if !privileged && !unprivileged { return false }
    if access.write { return !readOnly }
    // EL2 alone has one execute-never bit, at the place of UXN (D8.4.2).
    return !access.instruction || !(privileged && world.hasPrivilege ? pxn : uxn)
  }
}

/// S2AP and XN of stage 2.
package struct Stage2Permissions: Hashable, Sendable {
  package var read: Bool
  package var write: Bool
  package var xn: Bool

  package init(read: Bool, write: Bool, xn: Bool) {
    self.read = read
    self.write = write
    self.xn = xn
  }

  package func allows(_ access: SMMUAccess) -> Bool {
    access.write ? write : read && !(access.instruction && xn)
  }
}
