import EventModel

/// Which vPE is on which PE: as vCPU events tell it, and as GICR_VPENDBASER shows it
/// (IHI 0069, §12.11.44).
struct VCPUResidency: Sendable {
  /// GICR_VPROPBASER and GICR_VPENDBASER of one PE.
  private struct Frame: Sendable {
    var properties: UInt64 = 0
    var base: UInt64 = 0
    /// The value that made the last vPE resident.
    var lastLoad: UInt64 = 0
    var number: UInt64 = 0
  }

  /// The last arrival of a vCPU, then its departure if it left and where it was moved. A vPE has them
  /// while it is mapped; a vCPU that is the PE of a guest's own interrupt controller has them always.
  private struct Stay: Sendable {
    var events: [TraceEvent] = []
    var number: UInt64 = 0
  }

  private var frames: [UInt16: Frame] = [:]
  private var stays: [InterruptTarget: Stay] = [:]
  private var next: UInt64 = 0

  private static let valid: UInt64 = 1 << 63
  private static let tableMask: UInt64 = 0x000F_FFFF_FFFF_0000
  /// Dirty and PendingLast are answers, not requests; bit 62 (IDAI, DB) and PendingLast count in the
  /// write that ends a stay.
  private static let departureBits: UInt64 = 0b11 << 61
  private static let dirty: UInt64 = 1 << 60

  func isResident(_ vptAddress: UInt64, _ pe: UInt16) -> Bool {
    guard let frame = frames[pe], frame.base & Self.valid != 0 else { return false }
    return frame.base & Self.tableMask == vptAddress
  }

  func hasStay(_ target: InterruptTarget) -> Bool { stays[target] != nil }
  mutating func forget(_ vPE: UInt16) { stays[.vpe(vPE)] = nil }

  /// A store to one of the two registers, whole or by halves.
  mutating func write(_ event: TraceEvent) {
    let size = event.word3 & 0xFFFF_FFFF
    let isPending = event.registerOffset & 0x8 != 0
    var frame = frames[event.target.number] ?? Frame()
    let old = isPending ? frame.base : frame.properties
    var value = event.value
    if size == 4 {
      value =
        event.registerOffset & 4 == 0
        ? old & ~0xFFFF_FFFF | value & 0xFFFF_FFFF : old & 0xFFFF_FFFF | value << 32
    }
    if isPending { store(value, in: &frame) } else { frame.properties = value }
    frames[event.target.number] = frame
  }

  private mutating func store(_ value: UInt64, in frame: inout Frame) {
    switch (frame.base & Self.valid != 0, value & Self.valid != 0) {
    case (false, true):
      frame.base = value & ~(Self.dirty | Self.departureBits)
      frame.lastLoad = frame.base
    case (true, false): frame.base = frame.base & ~Self.valid | value & Self.departureBits
    case (false, false): frame.base = value & ~Self.dirty
    // A change of a resident vPE is UNPREDICTABLE, and ignored.
    case (true, true): break
    }
    frame.number = next
    next += 1
  }

  /// vcpuLoad, vcpuPut, vcpuBlock: the register writes that they stand for, unless what they tell is
  /// so already. vcpuMigrate stands for none.
  mutating func apply(
    _ event: TraceEvent, vptAddress: UInt64?, peCount: UInt16, intidBits: UInt64
  ) {
    if !event.target.isVPE || vptAddress != nil { note(event) }
    guard event.kind != .vcpuMigrate else { return }
    let isLoad = event.kind == .vcpuLoad
    let number = isLoad ? event.word3 >> 32 : event.word3 & 0xFFFF_FFFF
    guard number < UInt64(peCount) else { return }
    let pe = UInt16(number)
    var frame = frames[pe] ?? Frame()
    if isLoad {
      let table = event.word0 != 0 ? event.word0 : event.target.isVPE ? vptAddress : nil
      guard let table else { return }
      let isThere = frame.base & Self.tableMask == table & Self.tableMask
      if frame.base & Self.valid != 0 && isThere { return }
      if frame.base & Self.valid != 0 { store(Self.departureBits & 1 << 61, in: &frame) }
      if frame.properties == 0 { frame.properties = intidBits - 1 }
      store(table | Self.valid, in: &frame)
    } else if frame.base & Self.valid != 0 {
      store(event.kind == .vcpuBlock ? 1 << 62 : 1 << 61, in: &frame)
    }
    frames[pe] = frame
  }

  private mutating func note(_ event: TraceEvent) {
    var stay = stays[event.target] ?? Stay()
    var event = event
    event.time = 0
    let isMove = event.kind == .vcpuMigrate
    if event.kind == .vcpuLoad { stay.events.removeAll() }
    stay.events.removeAll { $0.kind != .vcpuLoad && ($0.kind == .vcpuMigrate) == isMove }
    stay.events.append(event)
    stay.number = next
    next += 1
    stays[event.target] = stay
  }

  // MARK: Records

  /// GICR_VPROPBASER: tables, which must be there before configuration bytes are stored.
  var propertyRecords: [TraceEvent] {
    frames.sorted { $0.key < $1.key }.filter { $0.value.properties != 0 }.map {
      Self.registerWrite(0x2_0070, $0.value.properties, pe: $0.key)
    }
  }

  /// vCPU events first: what the registers then say is so already.
  var records: [TraceEvent] {
    var records: [TraceEvent] = []
    for stay in stays.values.sorted(by: { $0.number < $1.number }) {
      records += stay.events
    }
    for (pe, frame) in frames.sorted(by: { $0.value.number < $1.value.number }) {
      guard frame.base != 0 || frame.lastLoad != 0 else { continue }
      // An arrival above gives the register a value where it has none.
      if frame.properties == 0, !stays.isEmpty {
        records.append(Self.registerWrite(0x2_0070, 0, pe: pe))
      }
      var values = [frame.base]
      if frame.base & Self.valid == 0, frame.lastLoad != 0 {
        // The stay and its end, then what was written while nobody was there.
        values = [frame.lastLoad, frame.base, frame.base]
      }
      // A vPE that the events above left there goes first.
      if !stays.isEmpty { values.insert(frame.base & ~Self.valid, at: 0) }
      records += values.map { Self.registerWrite(0x2_0078, $0, pe: pe) }
    }
    return records
  }

  private static func registerWrite(_ offset: UInt64, _ value: UInt64, pe: UInt16) -> TraceEvent {
    TraceEvent(
      time: 0, kind: .redistributorWrite, word0: offset, word1: value, word3: 8, target: .pe(pe),
      vector: pe)
  }
}
