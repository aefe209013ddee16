import EventModel

@testable import TranslationCore

/// Short spellings for the records that the tests are made of.
enum SMMUWorld {
  /// AttrIndx 1, AP = unprivileged read-write, SH inner, AF, nG: what Linux stores for DMA.
  static let readWrite: UInt64 = 0xF47
  static let readOnly: UInt64 = 0xFC7

  static func stream(
    _ streamID: UInt32, asid: UInt16 = 1, vmid: UInt16 = 0, config: UInt8 = 5, t0sz: UInt8 = 16,
    granule: Granule = .kib4, ips: UInt8 = 5, ttb0: UInt64 = 0x4D6F_5000
  ) -> TraceEvent {
    var configuration = StreamConfiguration()
    configuration.config = config
    configuration.asid = asid
    configuration.vmid = vmid
    configuration.ttb0 = ttb0
    configuration.t0sz = t0sz
    configuration.granule = granule
    configuration.ips = ips
    return configuration.event(time: 0, streamID: streamID)
  }

  static func page(
    _ iova: UInt64, to output: UInt64, asid: UInt16 = 1, vmid: UInt16 = 0, log2: UInt32 = 12,
    level: UInt32 = 3, granule: Granule = .kib4, stage: UInt32 = 1, bits: UInt64 = readWrite
  ) -> TraceEvent {
    .map(
      time: 0, streamID: 0, asid: asid, vmid: vmid, iova: iova, outputAddress: output,
      log2SizeBytes: log2, level: level, granule: granule, stage: stage, descriptor: bits)
  }

  static func unmap(
    _ iova: UInt64, asid: UInt16 = 1, vmid: UInt16 = 0, log2: UInt32 = 12, level: UInt32 = 3,
    granule: Granule = .kib4, stage: UInt32 = 1
  ) -> TraceEvent {
    .unmap(
      time: 0, streamID: 0, asid: asid, vmid: vmid, iova: iova, log2SizeBytes: log2, level: level,
      granule: granule, stage: stage)
  }
}

/// SMMU commands by name (IHI 0070, §4).
enum SMMUCommandWord {
  static func invalidateVA(
    _ address: UInt64, asid: UInt16 = 1, vmid: UInt16 = 0, pages: UInt64 = 1,
    granule: UInt64 = 1, leaf: Bool = true, opcode: UInt64 = 0x12
  ) -> (UInt64, UInt64) {
    // pages as (NUM + 1) × 2^SCALE, rounded up.
    var scale: UInt64 = 0
    while (pages + (1 << scale) - 1) >> scale > 32 { scale += 1 }
    let number = (pages + (1 << scale) - 1) >> scale - 1
    let low = opcode | number << 12 | scale << 20 | UInt64(vmid) << 32 | UInt64(asid) << 48
    // NUM = SCALE = TTL = 0 with a granule is reserved: one page is named without.
    let tg = number == 0 && scale == 0 ? 0 : granule
    return (low, (address & ~0xFFF) | tg << 10 | (leaf ? 1 : 0))
  }
  static func invalidateASID(_ asid: UInt16, vmid: UInt16 = 0) -> (UInt64, UInt64) {
    (0x11 | UInt64(vmid) << 32 | UInt64(asid) << 48, 0)
  }
  static func invalidateVMID(_ vmid: UInt16, opcode: UInt64 = 0x10) -> (UInt64, UInt64) {
    (opcode | UInt64(vmid) << 32, 0)
  }
  static func configuration(_ streamID: UInt32) -> (UInt64, UInt64) {
    (0x03 | UInt64(streamID) << 32, 0)
  }
  static let allConfigurations: (UInt64, UInt64) = (0x04, 31)
  static let everything: (UInt64, UInt64) = (0x30, 0)
}

extension SMMUCore {
  mutating func command(_ words: (UInt64, UInt64)) { command(words.0, words.1) }

  mutating func read(_ streamID: UInt32, _ address: UInt64) -> SMMUTranslation {
    translate(streamID: streamID, address: address, write: false, read: true)
  }
  mutating func write(_ streamID: UInt32, _ address: UInt64) -> SMMUTranslation {
    translate(streamID: streamID, address: address, write: true, read: false)
  }
  var work: WorkCounters {
    var counters = WorkCounters()
    addCounters(to: &counters)
    return counters
  }
}
