/// What the vPE table and GICR_VPENDBASER's side of it say, besides the `ITSPlace`. All 0: never mapped.
struct VPERecord: BitwiseCopyable {
  var vptAddress: UInt64 = 0
  /// Plane of the VPT's pending bits.
  var plane = 0
  var configurationTable = 0
  var defaultDoorbell: UInt32 = 0
  /// Bits of a vINTID that the VPT has room for.
  var log2INTIDs: UInt32 = 0
  var processor: UInt16 = 0
  /// The default doorbell was asked for when the vPE left its redistributor (GICv4.1). Stays when the
  /// vPE is mapped anew.
  var isArmed = false
}

/// The virtual SGIs in the first KiB of a VPT (GICv4.1), in the reference model's layout: pending bits
/// in bytes 0…1, configuration in bytes 16…31.
struct VirtualSGIs: BitwiseCopyable {
  var pending: UInt16 = 0
  var configurations = InlineArray<16, UInt8>(repeating: 0)

  func isEnabled(_ sgi: Int) -> Bool { configurations[sgi] & 1 != 0 }

  var hasEnabledPending: Bool {
    (0..<16).contains { pending >> UInt16($0) & 1 != 0 && isEnabled($0) }
  }

  /// The first `byteCount` bytes of the VPT become 0.
  mutating func clear(byteCount: Int) {
    pending &= byteCount >= 2 ? 0 : byteCount == 1 ? 0xFF00 : 0xFFFF
    for sgi in 0..<max(0, min(byteCount - 16, 16)) { configurations[sgi] = 0 }
  }

  func store(into table: inout [UInt8]) {
    table[0] = UInt8(truncatingIfNeeded: pending)
    table[1] = UInt8(pending >> 8)
    for sgi in 0..<16 { table[16 + sgi] = configurations[sgi] }
  }
}

/// A redistributor's registers (IHI 0069, §12.11), as far as they are not tables.
struct RedistributorRecord: BitwiseCopyable {
  /// GICR_CTLR.EnableLPIs.
  var lpisEnabled = true
  var vpropbaser: UInt64 = 0
  var vpendbaser: UInt64 = 0
  /// Reads of GICR_VPENDBASER that still show Dirty.
  var dirtyReadsLeft: UInt32 = 0
  /// GICR_VSGIR's answer.
  var pendingSGIs: UInt16 = 0

  var virtualIDBits: UInt32 { UInt32(vpropbaser & 0x1F) + 1 }
  var virtualConfigurationAddress: UInt64 { vpropbaser & Self.addressBits & ~0xFFF }
  var hasResident: Bool { vpendbaser >> 63 == 1 }
  var residentVPT: UInt64 { vpendbaser & Self.addressBits & ~0xFFFF }
  var residentVPE: UInt16 { UInt16(truncatingIfNeeded: vpendbaser) }

  private static var addressBits: UInt64 { (1 << 52) - 1 }

  // GICR_VPENDBASER.
  static var valid: UInt64 { 1 << 63 }
  static var bit62: UInt64 { 1 << 62 }
  static var pendingLast: UInt64 { 1 << 61 }
  static var dirty: UInt64 { 1 << 60 }
}

/// What lies at which address: VPTs and virtual configuration tables, which commands and registers
/// name by address. Asked by those only, never by an MSI.
struct ITSMemoryMap {
  private var planes: [UInt64: Int] = [:]
  private var tables: [UInt64: Int] = [:]
  private var vPEs: [Int: [UInt16]] = [:]
  private var nextPlane: Int
  private var nextTable = 1
  private let planeCount: Int

  /// - Parameter firstPlane: the first that no redistributor has.
  init(firstPlane: Int, planeCount: Int) {
    nextPlane = firstPlane
    self.planeCount = planeCount
  }

  func plane(ofVPT address: UInt64) -> Int? { planes[address] }

  /// The plane of a VPT, or nil when all are in use. A VPT keeps its plane: memory keeps its bits.
  mutating func allocatePlane(ofVPT address: UInt64) -> Int? {
    if let plane = planes[address] { return plane }
    guard nextPlane <= planeCount else { return nil }
    planes[address] = nextPlane
    defer { nextPlane += 1 }
    return nextPlane
  }

  /// A virtual configuration table; 0 is that of the redistributors. When all are in use, the last
  /// one serves for the rest.
  mutating func configurationTable(at address: UInt64) -> Int {
    if let table = tables[address] { return table }
    let table = min(nextTable, planeCount - 1)
    nextTable = table + 1
    tables[address] = table
    return table
  }

  func vPEs(ofPlane plane: Int) -> [UInt16] { vPEs[plane] ?? [] }
  mutating func attach(_ vPE: UInt16, toPlane plane: Int) { vPEs[plane, default: []].append(vPE) }
  mutating func detach(_ vPE: UInt16, fromPlane plane: Int) {
    vPEs[plane]?.removeAll { $0 == vPE }
  }
}
