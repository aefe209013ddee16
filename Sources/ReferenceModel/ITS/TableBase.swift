extension ITS {
  /// GITS_BASERn (IHI 0069, §12.19.1): where a private table of the ITS lies.
  ///
  ///     63    62        61:59  58:56  55:53  52:48        47:12    11:10  9:8        7:0
  ///     Valid Indirect  Inner  Type   Outer  EntrySize−1  address  Share  Page_Size  pages − 1
  ///
  /// With 64 KiB pages, address bits 51:48 stand in bits 15:12. Type and EntrySize are read-only.
  package struct TableBase: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
      case device = 1
      case vPE = 2
      case collection = 4
    }

    package private(set) var value: UInt64

    package init(kind: Kind, entrySizeBytes: UInt64) {
      value = .field(kind.rawValue, 58, 56) | .field(entrySizeBytes - 1, 52, 48)
    }

    private static let readOnly: UInt64 = .field(7, 58, 56) | .field(0x1F, 52, 48)

    /// A write by software. The reserved Page_Size 3 becomes 64 KiB.
    package mutating func write(_ new: UInt64) {
      value = (new & ~Self.readOnly) | (value & Self.readOnly)
      if value.bits(9, 8) == 3 { value = (value & ~.field(3, 9, 8)) | .field(2, 9, 8) }
    }

    package var isValid: Bool { value.bit(63) }
    package var isIndirect: Bool { value.bit(62) }
    package var kind: Kind { Kind(rawValue: UInt8(value.bits(58, 56)))! }
    package var entrySizeBytes: UInt64 { value.bits(52, 48) + 1 }
    package var pageSizeBytes: UInt64 { [0x1000, 0x4000, 0x1_0000][Int(value.bits(9, 8))] }
    package var pageCount: UInt64 { value.bits(7, 0) + 1 }
    package var address: UInt64 {
      pageSizeBytes == 0x1_0000
        ? value & .field(~0 as UInt64, 47, 16) | value.bits(15, 12) << 48
        : value & .field(~0 as UInt64, 47, 12)
    }

    package var entriesPerPage: UInt64 { pageSizeBytes / entrySizeBytes }
    /// Level 1 entries are 8 bytes: the architecture defines them, V in bit 63.
    package static let level1EntrySizeBytes: UInt64 = 8

    /// Identifiers that the memory allows.
    package var capacity: UInt64 {
      guard isValid else { return 0 }
      return isIndirect
        ? pageCount * (pageSizeBytes / Self.level1EntrySizeBytes) * entriesPerPage
        : pageCount * entriesPerPage
    }
  }
}
