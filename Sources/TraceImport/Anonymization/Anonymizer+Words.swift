import EventModel

// Commands and registers: words in which an address or a number is one field of several.

extension Anonymizer {
  /// IHI 0070, §4.1.6 and each command.
  mutating func rewriteSMMUCommand(_ event: inout TraceEvent) {
    guard let opcode = SMMUOpcode(rawValue: UInt8(event.word0 & 0xFF)) else {
      // Not a command of this version: no SMMU acts on it, and what it holds is unknown.
      (event.word0, event.word1) = (event.word0 & 0xFF, 0)
      return
    }
    if opcode.namesStream {
      let stream = numbers(UInt32(event.word0 >> 32))
      // A range of StreamIDs does not stay one: only the command for all of them keeps its meaning.
      if opcode == .cfgiSTERange { event.word1 |= 0x1F }
      event.word0 = event.word0 & 0xFFFF_FFFF | UInt64(stream) << 32
    }
    switch opcode {
    case .atcInv:
      // Bits 63:12 hold the first of 2^Size pages.
      let log2Bytes = UInt32(event.word1 & 0x3F) + 12
      event.word1 =
        addresses.block(event.word1 & ~0xFFF, log2Bytes: min(log2Bytes, 63)) | event.word1 & 0xFFF
    case .prefetchAddress, .sync:
      event.word1 = addresses(event.word1 & ~0xFFF) | event.word1 & 0xFFF
    default:
      if opcode.namesAddress {
        event.word1 = addresses(event.word1 & ~0xFFF) | event.word1 & 0xFFF
      }
    }
  }

  /// The commands that invalidate what one of a range did. A block of one granule is named without a
  /// range, which is illegal for so little (IHI 0070, §4.4.1.1).
  mutating func invalidations(_ range: InvalidationRange, of event: TraceEvent) -> [TraceEvent] {
    var commands: [TraceEvent] = []
    range.forEachBlock { base, log2Bytes in
      var command = event
      let scale = UInt64(log2Bytes - min(log2Bytes, range.granule.log2Bytes))
      command.word0 = event.word0 & ~(0x1F << 12 | 0x1F << 20) | scale << 20
      let fields = scale == 0 ? event.word1 & 0xFF : event.word1 & 0xFFF
      command.word1 = addresses.block(base, log2Bytes: log2Bytes) & ~0xFFF | fields
      commands.append(command)
    }
    return commands
  }

  /// IHI 0069, §5.3. `ITSCommand+Encoding.swift` of the reference model shows all fields.
  mutating func rewriteITSCommand(_ event: inout TraceEvent) {
    let number = UInt8(event.word0 & 0xFF)
    guard let opcode = ITSCommandOpcode(rawValue: number) else {
      // No command: an ITS counts an error, whatever follows.
      (event.word0, event.word1, event.word2, event.word3) = (UInt64(number), 0, 0, 0)
      return
    }
    if opcode.namesDevice {
      event.word0 = event.word0 & 0xFFFF_FFFF | UInt64(numbers(UInt32(event.word0 >> 32))) << 32
    }
    switch opcode {
    case .mapd: event.word2 = rewrite(event.word2, address: 0x000F_FFFF_FFFF_FF00)
    case .vmapp:
      event.word0 = rewrite(event.word0, address: 0x000F_FFFF_FFFF_0000)
      event.word3 = rewrite(event.word3, address: 0x000F_FFFF_FFFF_0000)
    default: break
    }
  }

  /// Which bits of a register are an address, by its offset. Table pages of 64 KiB use bits 15:12 of
  /// GITS_BASER for address bits 51:48, which the permutation leaves as they are.
  static func itsAddressFields(_ offset: UInt64) -> UInt64? {
    switch offset & ~7 {
    case 0x80: 0x000F_FFFF_FFFF_F000
    case 0x100...0x138: 0x0000_FFFF_FFFF_F000
    default: nil
    }
  }

  /// GICR_PROPBASER and GICR_PENDBASER, and in the frame for virtual LPIs GICR_VPROPBASER and
  /// GICR_VPENDBASER (IHI 0069, §12.11).
  static func redistributorAddressFields(_ offset: UInt64) -> UInt64? {
    switch offset & 0x1_FFF8 {
    case 0x70: 0x000F_FFFF_FFFF_F000
    case 0x78: 0x000F_FFFF_FFFF_0000
    default: nil
    }
  }

  /// A register of 64 bits, stored as a whole or in halves.
  mutating func rewriteRegister(
    _ event: inout TraceEvent, _ fields: (UInt64) -> UInt64?
  ) {
    guard let field = fields(event.registerOffset) else { return }
    let isHalf = event.word3 & 0xFFFF_FFFF == 4
    if isHalf && event.registerOffset & 4 != 0 {
      let value = UInt64(event.value & 0xFFFF_FFFF) << 32
      event.word1 = rewrite(value, address: field & ~0xFFFF_FFFF) >> 32
    } else {
      event.word1 = rewrite(event.value, address: isHalf ? field & 0xFFFF_FFFF : field)
    }
  }

  private mutating func rewrite(_ word: UInt64, address field: UInt64) -> UInt64 {
    word & ~field | addresses(word & field) & field
  }
}
