/// The answer of stage 1 for one input address: two words, so that it travels in registers.
struct Stage1Result: BitwiseCopyable {
  var address: UInt64
  /// 54:53, 7:6 `Stage1Permissions` · 4 clean · 5 global · 15:8 shift · 23:16 an event number, to
  /// which `syndrome` has the rest.
  private var word: UInt64

  @inline(__always)
  init(
    address: UInt64, shift: UInt64, permissions: Stage1Permissions, isClean: Bool, isGlobal: Bool
  ) {
    self.address = address
    word = permissions.bits | shift &<< 8 | (isClean ? 16 : 0) | (isGlobal ? 32 : 0)
  }

  @inline(__always)
  init(fault: UInt8) {
    address = 0
    word = UInt64(fault) &<< 16
  }

  var permissions: Stage1Permissions { Stage1Permissions(bits: word & Stage1Permissions.mask) }
  /// A write has to reach the descriptor first, to mark the page dirty.
  var isClean: Bool { word & 16 != 0 }
  var isGlobal: Bool { word & 32 != 0 }
  /// log2 of the bytes of the leaf, or of the contiguous run that it belongs to.
  var shift: UInt64 { word &>> 8 & 0xFF }
  var fault: UInt8 { UInt8(truncatingIfNeeded: word &>> 16) }
}

/// The answer of stage 2 for one intermediate address, in the form of a line of the stage-2 TLB.
struct Stage2Result: BitwiseCopyable {
  var address: UInt64
  /// 2:0 `Stage2Permissions` · 3 clean · 9:4 shift · 11 Device · 23:16 an event number, to which
  /// `syndrome` has the rest.
  private var word: UInt64

  static let clean: UInt64 = 1 << 3
  static let device: UInt64 = 1 << 11

  @inline(__always)
  init(
    address: UInt64, shift: UInt64, permissions: Stage2Permissions, isClean: Bool, isDevice: Bool
  ) {
    self.address = address
    word = permissions.bits | shift &<< 4 | (isClean ? Self.clean : 0)
    word |= isDevice ? Self.device : 0
  }

  /// From the line that has it.
  @inline(__always)
  init(address: UInt64, line data: UInt64) {
    self.address = address &+ (data & ~0xFFF)
    word = data & 0xFFF
  }

  @inline(__always)
  init(fault: UInt8) {
    address = 0
    word = UInt64(fault) &<< 16
  }

  var permissions: Stage2Permissions { Stage2Permissions(bits: word & 7) }
  var isClean: Bool { word & Self.clean != 0 }
  /// log2 of the bytes of the leaf, or of the contiguous run that it belongs to.
  var shift: UInt64 { word &>> 4 & 0x3F }
  var isDevice: Bool { word & Self.device != 0 }
  var fault: UInt8 { UInt8(truncatingIfNeeded: word &>> 16) }
  /// What a line of the stage-2 TLB holds of it beside address and size.
  var lineBits: UInt64 { word & (7 | Self.clean | Self.device) }
}

/// What the answer to a request tells beside the translation.
struct AccessNotes: BitwiseCopyable {
  var detail = TranslationDetail(word: Stage1Permissions.unprivileged)
  /// log2 of the bytes around the address that translate alike.
  var shift: UInt64 = 64
  var tlbHit = false
  var world = StreamWorld.nsEL1
  /// With a fault.
  var event = SMMUEventWords()
  var isRecorded = false
  var termination = SMMUAnswer.Termination.abort
}
