/// Event numbers of IHI 0070, §7.3.
package enum SMMUEvent {
  package static let unsupportedTransaction: UInt8 = 0x01
  package static let badStreamID: UInt8 = 0x02
  package static let steFetch: UInt8 = 0x03
  package static let badSTE: UInt8 = 0x04
  package static let badATSRequest: UInt8 = 0x05
  package static let streamDisabled: UInt8 = 0x06
  package static let translationForbidden: UInt8 = 0x07
  package static let badSubstreamID: UInt8 = 0x08
  package static let cdFetch: UInt8 = 0x09
  package static let badCD: UInt8 = 0x0A
  package static let walkExternalAbort: UInt8 = 0x0B
  package static let translation: UInt8 = 0x10
  package static let addressSize: UInt8 = 0x11
  package static let accessFlag: UInt8 = 0x12
  package static let permission: UInt8 = 0x13
  package static let tlbConflict: UInt8 = 0x20
  /// STE.Config = abort: the access ends with an abort and no event is recorded (§5.2). As an
  /// `OutcomeClass` it is event number 0.
  package static let aborted: UInt8 = 0x40
}

/// A record of the event queue as it stands in memory (IHI 0070, §7.3): four little-endian words.
///
///     DW0   number 7:0 · SSV 11 · SubstreamID 31:12 · StreamID 63:32
///     DW1   STAG 15:0 · Stall 31 · PnU 33 · InD 34 · RnW 35 · S2 39 · CLASS 41:40 · TTRnW 44
///     DW2   InputAddr
///     DW3   IPA 51:12, or FetchAddr 51:3
package struct SMMUEventWords: Hashable, Sendable, BitwiseCopyable {
  package var dword0: UInt64 = 0
  package var dword1: UInt64 = 0
  package var dword2: UInt64 = 0
  package var dword3: UInt64 = 0

  package init() {}

  package var number: UInt8 { UInt8(truncatingIfNeeded: dword0) }
  package var streamID: UInt32 { UInt32(truncatingIfNeeded: dword0 >> 32) }
  package var isStage2: Bool { dword1 >> 39 & 1 != 0 }
}

extension SMMUEventWords {
  /// A number has only the fields that §7.3 gives it; the others stay zero.
  init(_ fault: SMMUFaultSyndrome, _ request: SMMURequest) {
    let number = UInt64(fault.number)
    let bit: UInt64 = 1 << number
    let isTranslation = fault.isTranslationRelated
    // F_WALK_EABT and F_TLB_CONFLICT name a stage, too.
    let hasStage = isTranslation || bit & (1 << 0x0B | 1 << 0x20) != 0
    // F_UUT, F_BAD_ATS_TREQ, F_TRANSL_FORBIDDEN: attributes and address of the access.
    let hasAccess = hasStage || bit & (1 << 0x01 | 1 << 0x05 | 1 << 0x07) != 0

    dword0 = number | UInt64(request.streamID) << 32
    if let substreamID = fault.substreamID ?? request.substreamID {
      // C_BAD_SUBSTREAMID has no SSV: it is always about one.
      if fault.number != SMMUEvent.badSubstreamID { dword0 |= 1 << 11 }
      dword0 |= UInt64(substreamID & 0xF_FFFF) << 12
    }
    if hasAccess {
      dword1 |= (request.privileged ? 1 << 33 : 0) | (request.instruction ? 1 << 34 : 0)
      dword1 |= request.writes ? 0 : 1 << 35
      dword2 = request.address
    }
    if hasStage {
      dword1 |= (fault.isStage2 ? 1 << 39 : 0) | UInt64(fault.faultClass.rawValue) << 40
    }
    if fault.number == SMMUEvent.permission, fault.descriptorRead { dword1 |= 1 << 44 }
    if fault.isStage2, isTranslation || fault.number == SMMUEvent.tlbConflict {
      dword3 = fault.address & 0x000F_FFFF_FFFF_F000
    }
    // F_STE_FETCH, F_CD_FETCH, F_WALK_EABT: where the read went.
    if bit & (1 << 0x03 | 1 << 0x09 | 1 << 0x0B) != 0 {
      dword3 = fault.address & 0x000F_FFFF_FFFF_FFF8
    }
  }
}

/// What the walk under way knows of a fault, until the record is made.
struct SMMUFaultSyndrome: BitwiseCopyable {
  /// CLASS: what the SMMU did when it met the fault.
  enum Class: UInt8, BitwiseCopyable {
    case cdFetch = 0
    /// A stage-1 translation table descriptor.
    case descriptor = 1
    case inputAddress = 2
  }

  var number: UInt8 = 0
  var isStage2 = false
  var faultClass = Class.cdFetch
  /// Whether the descriptor access that stage 2 refused was a read: TTRnW.
  var descriptorRead = false
  /// IPA, or the address that could not be read.
  var address: UInt64 = 0
  /// In place of the request's, where a CD table has no such entry.
  var substreamID: UInt32?
  var isRecorded = true

  /// The four that A, R and S control (§5.5).
  var isTranslationRelated: Bool { number & 0xFC == 0x10 }
}
