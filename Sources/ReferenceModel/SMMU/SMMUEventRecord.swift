/// A record of the event queue (IHI 0070, §7.3): 32 bytes, four little-endian doublewords.
///
///     DW0   number 7:0 · SSV 11 · SubstreamID 31:12 · StreamID 63:32
///     DW1   STAG 15:0 · Stall 31 · PnU 33 · InD 34 · RnW 35 · S2 39 · CLASS 41:40 · TTRnW 44
///     DW2   InputAddr
///     DW3   IPA 51:12, or FetchAddr 51:3
///
/// A number has only the fields that §7.3 gives it; the encoder leaves the others zero.
package struct SMMUEventRecord: Hashable, Sendable {
  package enum Number: UInt8, CaseIterable, Sendable {
    case unsupportedTransaction = 0x01
    case badStreamID = 0x02
    case steFetch = 0x03
    case badSTE = 0x04
    case badATSRequest = 0x05
    case streamDisabled = 0x06
    case translationForbidden = 0x07
    case badSubstreamID = 0x08
    case cdFetch = 0x09
    case badCD = 0x0A
    case walkExternalAbort = 0x0B
    case translation = 0x10
    case addressSize = 0x11
    case access = 0x12
    case permission = 0x13
    case tlbConflict = 0x20
    case configurationConflict = 0x21
    case pageRequest = 0x24
  }

  /// CLASS: what the SMMU did when it met the fault.
  package enum Class: UInt8, Sendable {
    case cdFetch = 0
    /// A stage 1 translation table descriptor.
    case descriptor = 1
    case inputAddress = 2
  }

  package var number: Number
  package var streamID: UInt32
  /// SSV and SubstreamID.
  package var substreamID: UInt32?
  package var stag: UInt16 = 0
  package var stall = false
  package var privileged = false
  package var instruction = false
  /// RnW of the incoming transaction.
  package var read = false
  /// S2: the fault is stage 2's.
  package var stage2 = false
  package var faultClass = Class.cdFetch
  /// TTRnW: whether the descriptor access that stage 2 refused was a read.
  package var descriptorRead = false
  package var inputAddress: UInt64 = 0
  /// IPA, page-aligned in the record, or FetchAddr.
  package var address: UInt64 = 0

  package init(_ number: Number, streamID: UInt32, substreamID: UInt32? = nil) {
    self.number = number
    self.streamID = streamID
    self.substreamID = substreamID
  }
}

extension SMMUEventRecord.Number {
  /// The specification's name.
  package var name: String {
    switch self {
    case .unsupportedTransaction: "F_UUT"
    case .badStreamID: "C_BAD_STREAMID"
    case .steFetch: "F_STE_FETCH"
    case .badSTE: "C_BAD_STE"
    case .badATSRequest: "F_BAD_ATS_TREQ"
    case .streamDisabled: "F_STREAM_DISABLED"
    case .translationForbidden: "F_TRANSL_FORBIDDEN"
    case .badSubstreamID: "C_BAD_SUBSTREAMID"
    case .cdFetch: "F_CD_FETCH"
    case .badCD: "C_BAD_CD"
    case .walkExternalAbort: "F_WALK_EABT"
    case .translation: "F_TRANSLATION"
    case .addressSize: "F_ADDR_SIZE"
    case .access: "F_ACCESS"
    case .permission: "F_PERMISSION"
    case .tlbConflict: "F_TLB_CONFLICT"
    case .configurationConflict: "F_CFG_CONFLICT"
    case .pageRequest: "E_PAGE_REQUEST"
    }
  }

  /// The four that A, R and S control (IHI 0070, §5.5).
  package var isTranslationRelated: Bool { (0x10...0x13).contains(rawValue) }

  /// Which groups of fields the record has.
  var hasSubstreamValid: Bool { self != .badSubstreamID }
  var hasAttributes: Bool {
    switch self {
    case .unsupportedTransaction, .translationForbidden, .badATSRequest, .walkExternalAbort,
      .translation, .addressSize, .access, .permission, .tlbConflict:
      true
    default: false
    }
  }
  var hasInputAddress: Bool { hasAttributes || self == .pageRequest }
  var hasStage: Bool { isTranslationRelated || self == .walkExternalAbort || self == .tlbConflict }
  var hasIPA: Bool { isTranslationRelated || self == .tlbConflict }
  var hasFetchAddress: Bool {
    self == .steFetch || self == .cdFetch || self == .walkExternalAbort
  }
}

extension SMMUEventRecord {
  package var dwords: [UInt64] {
    var dw0: UInt64 = .field(number.rawValue, 7, 0) | .field(streamID, 63, 32)
    dw0 |= .field(substreamID ?? 0, 31, 12)
    if number.hasSubstreamValid { dw0 |= .field(substreamID != nil, 11) }

    var dw1: UInt64 = 0
    if number.isTranslationRelated { dw1 |= .field(stag, 15, 0) | .field(stall, 31) }
    if number.hasAttributes {
      dw1 |= .field(privileged, 33) | .field(instruction, 34) | .field(read, 35)
    }
    if number.hasStage { dw1 |= .field(stage2, 39) | .field(faultClass.rawValue, 41, 40) }
    if number == .permission { dw1 |= .field(descriptorRead, 44) }

    var dw3: UInt64 = 0
    if number.hasIPA && stage2 { dw3 = .field(address >> 12, 51, 12) }
    if number.hasFetchAddress { dw3 = .field(address >> 3, 51, 3) }
    return [dw0, dw1, number.hasInputAddress ? inputAddress : 0, dw3]
  }

  /// Nil if the number is none of §7.3's.
  package init?(_ dwords: [UInt64]) {
    precondition(dwords.count == 4, "an event record is four doublewords")
    let (dw0, dw1, dw2, dw3) = (dwords[0], dwords[1], dwords[2], dwords[3])
    guard let number = Number(rawValue: UInt8(dw0.bits(7, 0))) else { return nil }
    let substream = UInt32(dw0.bits(31, 12))
    self.init(
      number, streamID: UInt32(dw0.bits(63, 32)),
      substreamID: dw0.bit(11) || !number.hasSubstreamValid ? substream : nil)
    stag = UInt16(dw1.bits(15, 0))
    stall = dw1.bit(31)
    privileged = dw1.bit(33)
    instruction = dw1.bit(34)
    read = dw1.bit(35)
    stage2 = dw1.bit(39)
    guard let faultClass = Class(rawValue: UInt8(dw1.bits(41, 40))) else { return nil }
    self.faultClass = faultClass
    descriptorRead = dw1.bit(44)
    inputAddress = dw2
    address = number.hasIPA ? dw3.bits(51, 12) << 12 : dw3.bits(51, 3) << 3
  }
}
