import EventModel
import TestSupport

/// A machine of very few devices, events, interrupts, CPUs and pages, in which everything happens
/// to everything.
struct RandomLife {
  private var random: SeededGenerator
  private let hasVPEs: Bool
  private var time: UInt64 = 0
  /// ASIDs of streams with stage 1.
  private var asids: [UInt32: UInt16] = [:]

  var geometry: TableGeometry {
    var geometry = TableGeometry()
    geometry.peCount = 3
    geometry.deviceIDBits = 4
    geometry.eventIDBits = 3
    geometry.collectionIDBits = 3
    geometry.vPEIDBits = 2
    geometry.intidBits = 14
    return geometry
  }

  init(seed: UInt64, hasVPEs: Bool) {
    random = SeededGenerator(seed: seed)
    self.hasVPEs = hasVPEs
  }

  private mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

  mutating func events(_ count: Int) -> [TraceEvent] {
    var events: [TraceEvent] = []
    while events.count < count {
      time += 10
      events += next()
    }
    return events
  }

  private mutating func next() -> [TraceEvent] {
    switch pick(24) {
    case 0...5: return [message()]
    case 6...8: return [acknowledge()]
    case 9...13: return [command()]
    case 14: return [hasVPEs ? residency() : message()]
    case 15: return [register()]
    case 16...17: return mapping()
    case 18: return stream()
    case 19: return [configurationByte(), .itsCommand(time: time, 0x0D, 0, 1)] + invalidateAll()
    case 20: return [table()]
    default: return [access()]
    }
  }

  // MARK: Traffic

  private static let doorbellIOVA: UInt64 = 0xFFFF_F000

  private mutating func message() -> TraceEvent {
    let device = UInt32(pick(3))
    let offset: UInt64 = pick(20) == 0 ? 0x44 : 0x40
    return .msi(
      time: time, streamID: device, deviceID: device, address: Self.doorbellIOVA + offset,
      data: UInt32(pick(9)), vector: UInt16(pick(3)))
  }

  private mutating func acknowledge() -> TraceEvent {
    let target: InterruptTarget =
      hasVPEs && pick(3) == 0 ? .vpe(UInt16(pick(4))) : .pe(UInt16(pick(3)))
    return .acknowledge(time: time, target: target, intid: intid())
  }

  private mutating func access() -> TraceEvent {
    .dma(time: time, streamID: UInt32(pick(3)), iova: page() + 8, flags: .read)
  }

  private mutating func intid() -> UInt32 { 8192 + UInt32(pick(5)) }

  // MARK: Interrupts

  private mutating func command() -> TraceEvent {
    let device = UInt64(pick(3)) << 32
    let event = UInt64(pick(9))
    let collection = UInt64(pick(3))
    let pe = UInt64(pick(4)) << 16
    let vPE = UInt64(pick(4)) << 32
    let valid: UInt64 = pick(4) == 0 ? 0 : 1 << 63
    let doorbell = UInt64(pick(2) == 0 ? 1023 : 8200 + UInt32(pick(2))) << 32
    func its(_ dw0: UInt64, _ dw1: UInt64 = 0, _ dw2: UInt64 = 0, _ dw3: UInt64 = 0) -> TraceEvent {
      .itsCommand(time: time, dw0, dw1, dw2, dw3)
    }
    switch pick(hasVPEs ? 17 : 11) {
    case 0: return its(0x08 | device, UInt64(pick(4)), 0x4000_0000 + device >> 12 | valid)
    case 1, 2: return its(0x09, 0, collection | pe | valid)
    case 3, 4, 5:
      // One INTID in twenty is out of range.
      let intid = pick(20) == 0 ? 1 << 14 : UInt64(intid())
      return its(0x0A | device, event | intid << 32, collection)
    case 6: return its(0x01 | device, event, collection)
    case 7: return its(0x0F | device, event)
    case 8: return its(0x04 | device, event)
    case 9: return its(0x03 | device, event)
    case 10: return its(0x0E, 0, pe, UInt64(pick(3)) << 16)
    case 11, 12:
      // Each vPE has one of two pending tables.
      let table = 0x5000_0000 + (vPE >> 32) << 20 + UInt64(pick(2)) << 16
      return its(0x29, vPE, pe | valid, table | (pick(8) == 0 ? 12 : 13))
    case 13, 14: return its(0x2A | device, event | vPE, UInt64(intid()) | doorbell)
    case 15: return its(0x21 | device, event | vPE, UInt64(pick(2)) | doorbell)
    default: return its(0x22, vPE, pe)
    }
  }

  private mutating func residency() -> TraceEvent {
    let pe = UInt64(pick(3))
    let kind: EventKind = [.vcpuLoad, .vcpuLoad, .vcpuPut, .vcpuBlock][pick(4)]
    return TraceEvent(time: time, kind: kind, word3: pe | pe << 32, target: .vpe(UInt16(pick(4))))
  }

  private mutating func register() -> TraceEvent {
    let pe = UInt16(pick(3))
    if pick(12) == 0 {
      return TraceEvent(
        time: time, kind: .itsRegisterWrite, word0: 0, word1: UInt64(min(pick(4), 1)), word3: 4)
    }
    let (offset, value): (UInt64, UInt64) =
      switch pick(11) {
      case 0: (0, 0)
      case 1...3: (0, 1)
      case 4: (0x40, UInt64(intid()))
      case 5: (0x48, UInt64(intid()))
      case 6 where hasVPEs: (0x2_0078, 0x5000_0000 + UInt64(pick(4)) << 20 | 1 << 63)
      case 7 where hasVPEs: (0x2_0078, 0)
      case 8 where hasVPEs: (0x2_0070, 0x6000_0000 | 13)
      default: (0x70, 13)
      }
    return TraceEvent(
      time: time, kind: .redistributorWrite, word0: offset, word1: value, word3: 8, target: .pe(pe))
  }

  private mutating func configurationByte() -> TraceEvent {
    TraceEvent(
      time: time, kind: .lpiConfiguration, word1: pick(2) == 0 ? 0xA2 : 0xA3,
      word3: UInt64(intid()) << 32, target: .pe(UInt16(pick(3))))
  }

  /// By register, since INVALL needs a collection.
  private func invalidateAll() -> [TraceEvent] {
    (0..<3).map {
      TraceEvent(
        time: time, kind: .redistributorWrite, word0: 0xB0, word1: 0, word3: 8, target: .pe($0))
    }
  }

  private mutating func table() -> TraceEvent {
    let device = UInt32(pick(3))
    if pick(4) == 0 {
      return .msixControl(
        time: time, streamID: device, deviceID: device, enabled: pick(3) > 0, masked: pick(4) == 0)
    }
    let wide = pick(3) == 0
    return .msixTableWrite(
      time: time, streamID: device, deviceID: device, gpa: 0x1000_0000,
      offset: UInt32(pick(6)) * (wide ? 8 : 4), value: random.next() % 5, sizeBytes: wide ? 8 : 4)
  }

  // MARK: Memory

  private mutating func page() -> UInt64 {
    pick(4) == 0 ? Self.doorbellIOVA : 0x20_0000 + UInt64(pick(5)) << 12
  }

  private mutating func stream() -> [TraceEvent] {
    var configuration = StreamConfiguration()
    configuration.config = [5, 5, 5, 4, 0][pick(5)]
    configuration.asid = UInt16(1 + pick(2))
    configuration.ttb0 = 0x7000_0000 + UInt64(configuration.asid) << 16
    let stream = UInt32(pick(3))
    asids[stream] = configuration.config == 5 ? configuration.asid : nil
    return [
      configuration.event(time: time, streamID: stream),
      .smmuCommand(time: time, 0x03 | UInt64(stream) << 32, 1), .smmuCommand(time: time, 0x30, 0),
    ]
  }

  private mutating func mapping() -> [TraceEvent] {
    let stream = UInt32(pick(3))
    // Software edits the tables of a stream that has some.
    guard let asid = asids[stream] else { return [access()] }
    let isBlock = pick(5) == 0
    let isDoorbell = pick(4) == 0
    let iova = isDoorbell ? Self.doorbellIOVA : isBlock ? 0x20_0000 : page()
    let flush: TraceEvent = .smmuCommand(time: time, 0x30, 0)
    if pick(3) == 0 {
      return [
        .unmap(
          time: time, streamID: stream, asid: asid, iova: iova,
          log2SizeBytes: isBlock && !isDoorbell ? 21 : 12 + UInt32(pick(3)), level: 3,
          granule: .kib4), flush,
      ]
    }
    let block = isBlock && !isDoorbell
    return [
      .map(
        time: time, streamID: stream, asid: asid, iova: iova,
        outputAddress: isDoorbell ? 0x0809_0000 : 0x8000_0000 + UInt64(pick(4)) << 21,
        log2SizeBytes: block ? 21 : 12, level: block ? 2 : 3, granule: .kib4, descriptor: 0xFC7),
      flush,
    ]
  }
}
