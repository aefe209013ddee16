// The entries of the tables in memory.
//
// The architecture leaves their format to the implementation, except for level 1 entries (IHI 0069,
// §5.2.3). We take the layout of QEMU's emulation (hw/intc/gicv3_internal.h), so that a dump of our
// memory compares with a dump of a guest's, and extend the vPE entry for GICv4.1.

extension ITS {
  /// Device table entry, 8 bytes.
  ///
  ///     49:6 ITT_addr[51:8]   5:1 Size (EventID bits − 1)   0 V
  package struct DeviceTableEntry: Hashable, Sendable {
    package static let sizeBytes: UInt64 = 8
    package var valid: Bool
    package var size: UInt8
    package var ittAddress: UInt64

    package init(valid: Bool, size: UInt8, ittAddress: UInt64) {
      self.valid = valid
      self.size = size
      self.ittAddress = ittAddress
    }

    package init(_ word: UInt64) {
      valid = word.bit(0)
      size = UInt8(word.bits(5, 1))
      ittAddress = word.bits(49, 6) << 8
    }

    package var word: UInt64 {
      .field(valid, 0) | .field(size, 5, 1) | .field(ittAddress >> 8, 49, 6)
    }

    package var eventCount: UInt64 { 1 << (UInt64(size) + 1) }
  }

  /// Collection table entry, 8 bytes. RDbase is kept as a processor number, whatever PTA says.
  ///
  ///     16:1 processor number   0 V
  package struct CollectionTableEntry: Hashable, Sendable {
    package static let sizeBytes: UInt64 = 8
    package var valid: Bool
    package var processor: UInt16

    package init(valid: Bool, processor: UInt16) {
      self.valid = valid
      self.processor = processor
    }

    package init(_ word: UInt64) {
      valid = word.bit(0)
      processor = UInt16(word.bits(16, 1))
    }

    package var word: UInt64 { .field(valid, 0) | .field(processor, 16, 1) }
  }

  /// Interrupt translation entry, 12 bytes: a doubleword and a word.
  ///
  ///     low   63:48 vPEID   47:32 ICID   25:2 INTID   1 physical (1) or virtual (0)   0 V
  ///     high  23:0 doorbell (1023: none)
  package struct InterruptTranslationEntry: Hashable, Sendable {
    package static let sizeBytes: UInt64 = 12
    package var valid: Bool
    package var isPhysical: Bool
    package var intid: UInt32
    package var icid: UInt16
    package var vPEID: UInt16
    package var doorbell: UInt32

    package init(physical intid: UInt32, icid: UInt16) {
      self.init(
        valid: true, isPhysical: true, intid: intid, icid: icid, vPEID: 0, doorbell: 1023)
    }

    package init(virtual intid: UInt32, vPEID: UInt16, doorbell: UInt32) {
      self.init(
        valid: true, isPhysical: false, intid: intid, icid: 0, vPEID: vPEID, doorbell: doorbell)
    }

    package static let invalid = InterruptTranslationEntry(low: 0, high: 0)

    private init(
      valid: Bool, isPhysical: Bool, intid: UInt32, icid: UInt16, vPEID: UInt16, doorbell: UInt32
    ) {
      self.valid = valid
      self.isPhysical = isPhysical
      self.intid = intid
      self.icid = icid
      self.vPEID = vPEID
      self.doorbell = doorbell
    }

    package init(low: UInt64, high: UInt32) {
      valid = low.bit(0)
      isPhysical = low.bit(1)
      intid = UInt32(low.bits(25, 2))
      icid = UInt16(low.bits(47, 32))
      vPEID = UInt16(low.bits(63, 48))
      doorbell = high & 0xFF_FFFF
    }

    package var low: UInt64 {
      .field(valid, 0) | .field(isPhysical, 1) | .field(intid, 25, 2) | .field(icid, 47, 32)
        | .field(vPEID, 63, 48)
    }
    package var high: UInt32 { doorbell & 0xFF_FFFF }
  }

  /// vPE table entry: 8 bytes in GICv4.0, 32 in GICv4.1 (bytes 24…31 are unused).
  ///
  ///     word 0   57:42 processor number   41:6 VPT_addr[51:16]   5:1 VPT_size   0 V
  ///     word 1   35:0 VCONF_addr[51:16]         GICv4.1
  ///     word 2   31:0 default doorbell          GICv4.1
  package struct VPETableEntry: Hashable, Sendable {
    package static let sizeBytes: UInt64 = 8
    package static let extendedSizeBytes: UInt64 = 32
    package var valid: Bool
    package var vptSize: UInt8
    package var vptAddress: UInt64
    package var processor: UInt16
    package var configurationAddress: UInt64 = 0
    package var defaultDoorbell: UInt32 = 1023

    package init(valid: Bool, vptSize: UInt8, vptAddress: UInt64, processor: UInt16) {
      self.valid = valid
      self.vptSize = vptSize
      self.vptAddress = vptAddress
      self.processor = processor
    }

    /// - Parameter words: word 0, and in GICv4.1 words 1 and 2.
    package init(_ words: [UInt64]) {
      valid = words[0].bit(0)
      vptSize = UInt8(words[0].bits(5, 1))
      vptAddress = words[0].bits(41, 6) << 16
      processor = UInt16(words[0].bits(57, 42))
      guard words.count > 2 else { return }
      configurationAddress = words[1].bits(35, 0) << 16
      defaultDoorbell = UInt32(words[2].bits(31, 0))
    }

    package var words: [UInt64] {
      [
        .field(valid, 0) | .field(vptSize, 5, 1) | .field(vptAddress >> 16, 41, 6)
          | .field(processor, 57, 42),
        .field(configurationAddress >> 16, 35, 0), UInt64(defaultDoorbell),
      ]
    }

    /// Number of vINTIDs, those below 8192 included.
    package var intidCount: UInt64 { 1 << (UInt64(vptSize) + 1) }
  }

  /// One entry read from memory while translating or executing a command.
  package struct TableRead: Hashable, Sendable {
    package enum Table: String, Sendable {
      case deviceLevel1, device, itt, collectionLevel1, collection, vPELevel1, vPE
    }
    package var table: Table
    package var address: UInt64
    /// The first 8 bytes.
    package var value: UInt64
  }
}
