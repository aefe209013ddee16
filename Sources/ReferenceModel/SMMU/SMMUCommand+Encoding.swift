// The 16 bytes of a command: two little-endian doublewords (IHI 0070, §4.1.6 and each command).
//
//     all      opcode 7:0
//     CFGI     SSec 10 · SSV 11 · SubstreamID 31:12 · StreamID 63:32 | Leaf 0 or Range 4:0
//     TLBI     NUM 16:12 · SCALE 24:20 · VMID 47:32 · ASID 63:48 | Leaf 0 · TTL 9:8 · TG 11:10
//              · address 63:12
//     ATC_INV  G 9 · SSV 11 · SubstreamID 31:12 · StreamID 63:32 | Size 5:0 · address 63:12
//     SYNC     CS 13:12 · MSH 23:22 · MSIAttr 27:24 · MSIData 63:32 | MSIAddress 51:2

extension SMMUCommand {
  package init(_ dw0: UInt64, _ dw1: UInt64) throws(SMMUCommandError) {
    guard let opcode = Opcode(rawValue: UInt8(dw0.bits(7, 0))) else { throw .illegal }
    let streamID = UInt32(dw0.bits(63, 32))
    let substreamID = dw0.bit(11) ? UInt32(dw0.bits(31, 12)) : nil
    let vmid = UInt16(dw0.bits(47, 32))
    let asid = UInt16(dw0.bits(63, 48))
    // SSec names a Secure stream, which this queue must not (§4.1.6).
    if opcode.hasStreamID && dw0.bit(10) { throw .illegal }

    switch opcode {
    case .prefetchConfig: self = .prefetchConfig(streamID: streamID, substreamID: substreamID)
    case .prefetchAddress:
      self = .prefetchAddress(
        streamID: streamID, substreamID: substreamID, address: dw1.bits(63, 12) << 12,
        log2Pages: UInt8(dw1.bits(4, 0)))
    case .cfgiSTE: self = .cfgiSTE(streamID: streamID, leaf: dw1.bit(0))
    case .cfgiSTERange:
      self = .cfgiSTERange(streamID: streamID, range: UInt8(dw1.bits(4, 0)))
    case .cfgiCD:
      self = .cfgiCD(
        streamID: streamID, substreamID: UInt32(dw0.bits(31, 12)), leaf: dw1.bit(0))
    case .cfgiCDAll: self = .cfgiCDAll(streamID: streamID)
    case .tlbiNHAll: self = .tlbiNHAll(vmid: vmid)
    case .tlbiNHASID: self = .tlbiNHASID(vmid: vmid, asid: asid)
    case .tlbiNHVA: self = .tlbiNHVA(vmid: vmid, asid: asid, try TLBIRange(dw0, dw1))
    case .tlbiNHVAA: self = .tlbiNHVAA(vmid: vmid, try TLBIRange(dw0, dw1))
    case .tlbiEL2All: self = .tlbiEL2All
    case .tlbiEL2ASID: self = .tlbiEL2ASID(asid: asid)
    case .tlbiEL2VA: self = .tlbiEL2VA(asid: asid, try TLBIRange(dw0, dw1))
    case .tlbiEL2VAA: self = .tlbiEL2VAA(try TLBIRange(dw0, dw1))
    case .tlbiS12VMAll: self = .tlbiS12VMAll(vmid: vmid)
    case .tlbiS2IPA:
      self = .tlbiS2IPA(vmid: vmid, try TLBIRange(dw0, dw1 & .field(UInt64.max, 51, 0)))
    case .tlbiNSNHAll: self = .tlbiNSNHAll
    case .atcInvalidate:
      let size = UInt8(dw1.bits(5, 0))
      // Above 52 the architecture permits the error (§4.5.1); this model takes it.
      if size > 52 { throw .illegal }
      self = .atcInvalidate(
        streamID: streamID, substreamID: substreamID, global: dw0.bit(9),
        address: dw1.bits(63, 12) << 12, log2Pages: size)
    case .priResponse:
      guard let response = PRIResponse(rawValue: UInt8(dw1.bits(13, 12))) else { throw .illegal }
      self = .priResponse(
        streamID: streamID, substreamID: substreamID, group: UInt16(dw1.bits(8, 0)),
        response: response)
    case .resume:
      guard let response = ResumeResponse(rawValue: UInt8(dw0.bits(13, 12))) else {
        throw .illegal
      }
      self = .resume(streamID: streamID, stag: UInt16(dw1.bits(15, 0)), response: response)
    case .stallTerminate: self = .stallTerminate(streamID: streamID)
    case .sync:
      guard let signal = CommandSync.Signal(rawValue: UInt8(dw0.bits(13, 12))) else {
        throw .illegal
      }
      self = .sync(
        CommandSync(
          signal, shareability: UInt8(dw0.bits(23, 22)), attributes: UInt8(dw0.bits(27, 24)),
          data: UInt32(dw0.bits(63, 32)), address: dw1.bits(51, 2) << 2))
    }
  }

  package var opcode: Opcode {
    switch self {
    case .prefetchConfig: .prefetchConfig
    case .prefetchAddress: .prefetchAddress
    case .cfgiSTE: .cfgiSTE
    case .cfgiSTERange: .cfgiSTERange
    case .cfgiCD: .cfgiCD
    case .cfgiCDAll: .cfgiCDAll
    case .tlbiNHAll: .tlbiNHAll
    case .tlbiNHASID: .tlbiNHASID
    case .tlbiNHVA: .tlbiNHVA
    case .tlbiNHVAA: .tlbiNHVAA
    case .tlbiEL2All: .tlbiEL2All
    case .tlbiEL2ASID: .tlbiEL2ASID
    case .tlbiEL2VA: .tlbiEL2VA
    case .tlbiEL2VAA: .tlbiEL2VAA
    case .tlbiS12VMAll: .tlbiS12VMAll
    case .tlbiS2IPA: .tlbiS2IPA
    case .tlbiNSNHAll: .tlbiNSNHAll
    case .atcInvalidate: .atcInvalidate
    case .priResponse: .priResponse
    case .resume: .resume
    case .stallTerminate: .stallTerminate
    case .sync: .sync
    }
  }

  package var dwords: (UInt64, UInt64) {
    var dw0: UInt64 = .field(opcode.rawValue, 7, 0)
    var dw1: UInt64 = 0
    func stream(_ streamID: UInt32, _ substreamID: UInt32? = nil) -> UInt64 {
      .field(substreamID != nil, 11) | .field(substreamID ?? 0, 31, 12) | .field(streamID, 63, 32)
    }
    func space(_ vmid: UInt16, _ asid: UInt16 = 0) -> UInt64 {
      .field(vmid, 47, 32) | .field(asid, 63, 48)
    }

    switch self {
    case .prefetchConfig(let streamID, let substreamID): dw0 |= stream(streamID, substreamID)
    case .prefetchAddress(let streamID, let substreamID, let address, let log2Pages):
      dw0 |= stream(streamID, substreamID)
      dw1 = .field(log2Pages, 4, 0) | .field(address >> 12, 63, 12)
    case .cfgiSTE(let streamID, let leaf):
      dw0 |= stream(streamID)
      dw1 = .field(leaf, 0)
    case .cfgiSTERange(let streamID, let range):
      dw0 |= stream(streamID)
      dw1 = .field(range, 4, 0)
    case .cfgiCD(let streamID, let substreamID, let leaf):
      dw0 |= stream(streamID) | .field(substreamID, 31, 12)
      dw1 = .field(leaf, 0)
    case .cfgiCDAll(let streamID), .stallTerminate(let streamID): dw0 |= stream(streamID)
    case .tlbiNHAll(let vmid), .tlbiS12VMAll(let vmid): dw0 |= space(vmid)
    case .tlbiNHASID(let vmid, let asid): dw0 |= space(vmid, asid)
    case .tlbiEL2ASID(let asid): dw0 |= space(0, asid)
    case .tlbiEL2All, .tlbiNSNHAll: break
    case .tlbiNHVA(let vmid, let asid, let range):
      dw0 |= space(vmid, asid) | range.dwords.0
      dw1 = range.dwords.1
    case .tlbiNHVAA(let vmid, let range), .tlbiS2IPA(let vmid, let range):
      dw0 |= space(vmid) | range.dwords.0
      dw1 = range.dwords.1
    case .tlbiEL2VA(let asid, let range):
      dw0 |= space(0, asid) | range.dwords.0
      dw1 = range.dwords.1
    case .tlbiEL2VAA(let range):
      dw0 |= range.dwords.0
      dw1 = range.dwords.1
    case .atcInvalidate(let streamID, let substreamID, let global, let address, let log2Pages):
      dw0 |= stream(streamID, substreamID) | .field(global, 9)
      dw1 = .field(log2Pages, 5, 0) | .field(address >> 12, 63, 12)
    case .priResponse(let streamID, let substreamID, let group, let response):
      dw0 |= stream(streamID, substreamID)
      dw1 = .field(group, 8, 0) | .field(response.rawValue, 13, 12)
    case .resume(let streamID, let stag, let response):
      dw0 |= stream(streamID) | .field(response.rawValue, 13, 12)
      dw1 = .field(stag, 15, 0)
    case .sync(let sync):
      dw0 |= .field(sync.signal.rawValue, 13, 12) | .field(sync.shareability, 23, 22)
      dw0 |= .field(sync.attributes, 27, 24) | .field(sync.data, 63, 32)
      dw1 = .field(sync.address >> 2, 51, 2)
    }
    return (dw0, dw1)
  }
}

extension SMMUCommand.Opcode {
  var hasStreamID: Bool {
    switch self {
    case .prefetchConfig, .prefetchAddress, .cfgiSTE, .cfgiSTERange, .cfgiCD, .cfgiCDAll,
      .atcInvalidate, .priResponse, .resume, .stallTerminate:
      true
    default: false
    }
  }
}

extension TLBIRange {
  /// NUM = SCALE = TTL = 0 with a granule is reserved and illegal; without one they are ignored.
  init(_ dw0: UInt64, _ dw1: UInt64) throws(SMMUCommandError) {
    self.init(
      dw1.bits(63, 12) << 12, leaf: dw1.bit(0), tg: UInt8(dw1.bits(11, 10)),
      ttl: UInt8(dw1.bits(9, 8)), num: UInt8(dw0.bits(16, 12)), scale: UInt8(dw0.bits(24, 20)))
    if tg != 0 && num == 0 && scale == 0 && effectiveTTL == 0 { throw .illegal }
  }

  var dwords: (UInt64, UInt64) {
    (
      .field(num, 16, 12) | .field(scale, 24, 20),
      .field(leaf, 0) | .field(ttl, 9, 8) | .field(tg, 11, 10) | .field(address >> 12, 63, 12)
    )
  }
}
