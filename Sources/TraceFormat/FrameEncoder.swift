import EventModel

/// Turns a batch of events into the plain payload of one frame.
@safe
struct FrameEncoder: ~Copyable {
  let columns: ColumnEncoder

  init(codec: TraceCodec, level: Int) {
    columns = ColumnEncoder(codec: codec, level: level)
  }

  /// - Parameter events: 1…`TraceLimits.eventsPerFrame` events.
  /// A payload before the codec, as columns in their order.
  struct Payload {
    var bytes: [UInt8] = []
    var columns: [(name: String, bytes: Range<Int>)] = []
    /// The two long streams get statistics of their own.
    var cuts: [Int] { columns.prefix(2).map(\.bytes.upperBound) }
  }

  func encode(_ events: [TraceEvent]) -> Payload {
    let model = SlotModel(events)
    let slots = SlotCodes(model)
    let cold = ColdColumns(model)
    let time = TimeCodes(events)
    var payload = Payload()
    EventPayloadHeader(
      baseTime: events[0].time, nanosecondsPerTick: time.nanosecondsPerTick,
      shapes: cold.shapes.count, coldEvents: cold.gaps.count,
      extendedSlots: slots.extended.count, lateTicks: time.late.count,
      literalWords: cold.word1.count, timeWidth: time.width
    ).encode(to: &payload.bytes)
    func add(_ name: String, _ values: [UInt64], stream width: Int? = nil) {
      let start = payload.bytes.count
      if let width {
        columns.append(stream: values, width: width, to: &payload.bytes)
      } else {
        columns.append(values, to: &payload.bytes)
      }
      payload.columns.append((name, start..<payload.bytes.count))
    }
    add("slot codes", slots.codes, stream: 1)
    add("time codes", time.codes, stream: time.width)
    add("late gaps", time.lateGaps)
    add("late ticks", time.late)
    add("extended gaps", slots.extendedGaps)
    add("extended slots", slots.extended)
    add("cold gaps", cold.gaps)
    add("cold shapes", cold.shape)
    add("cold word 0", cold.word0)
    add("cold word 1", cold.word1)
    add("cold stride 0", cold.stride0)
    add("cold stride 1", cold.stride1)
    add("shape word 2", cold.shapes.map(\.word2))
    add("shape word 3", cold.shapes.map(\.word3))
    add("shape tail", cold.shapes.map(\.tail))
    add("shape word 1 source", cold.shapes.map(\.word1Source.rawValue))
    return payload
  }
}

/// Positions in a frame as distances: from the position before, the first from −1.
private struct Gaps {
  private(set) var values: [UInt64] = []
  private var last = -1

  mutating func append(position: Int) {
    values.append(UInt64(position - last))
    last = position
  }
}

/// One byte per event. The busiest 256 slots fit in it; for the others the byte is 0 and the number
/// stands in the extended column.
private struct SlotCodes {
  var codes: [UInt64] = []
  var extended: [UInt64] = []
  var extendedGaps: [UInt64] = []

  init(_ model: SlotModel) {
    var uses = [Int](repeating: 0, count: SlotModel.capacity)
    for slot in model.slotOfEvent { uses[Int(slot)] += 1 }
    let byUse = uses.indices.sorted { (uses[$1], $0) < (uses[$0], $1) }
    var numberOfSlot = [UInt64](repeating: 0, count: uses.count)
    for (number, slot) in byUse.enumerated() { numberOfSlot[slot] = UInt64(number) }
    var gaps = Gaps()
    codes.reserveCapacity(model.slotOfEvent.count)
    for (position, slot) in model.slotOfEvent.enumerated() {
      let number = numberOfSlot[Int(slot)]
      codes.append(number < 256 ? number : 0)
      guard number >= 256 else { continue }
      extended.append(number)
      gaps.append(position: position)
    }
    extendedGaps = gaps.values
  }
}

/// Deltas of time in ticks of the largest step that divides them all. A µs-resolution capture thus
/// needs one byte where its nanoseconds would need two.
private struct TimeCodes {
  var codes: [UInt64] = []
  var late: [UInt64] = []
  var lateGaps: [UInt64] = []
  var width = 1
  var nanosecondsPerTick: UInt64 = 1

  init(_ events: [TraceEvent]) {
    var deltas: [Int64] = []
    deltas.reserveCapacity(events.count)
    var previous = events[0].time
    var divisor: UInt64 = 0
    for event in events {
      let delta = Int64(bitPattern: event.time &- previous)
      previous = event.time
      deltas.append(delta)
      if divisor != 1, delta != 0 { divisor = Self.commonDivisor(delta.magnitude, divisor) }
    }
    if divisor == 0 || divisor > UInt64(Int64.max) { divisor = 1 }
    nanosecondsPerTick = divisor
    let ticks = deltas.map { $0 / Int64(divisor) }
    // A late tick costs about four bytes in the end; a wider code, one per event.
    let late1 = ticks.count { !(0...0xFF).contains($0) }
    let late2 = ticks.count { !(0...0xFFFF).contains($0) }
    width = late1 * 4 <= late2 * 4 + ticks.count ? 1 : 2
    let direct: ClosedRange<Int64> = width == 1 ? 0...0xFF : 0...0xFFFF
    var gaps = Gaps()
    codes.reserveCapacity(ticks.count)
    for (position, tick) in ticks.enumerated() {
      let isDirect = direct.contains(tick)
      codes.append(isDirect ? UInt64(tick) : 0)
      guard !isDirect else { continue }
      late.append(zigzag(UInt64(bitPattern: tick)))
      gaps.append(position: position)
    }
    lateGaps = gaps.values
  }

  private static func commonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }
}

/// Cold events by column, and the dictionary of their shapes.
private struct ColdColumns {
  var gaps: [UInt64] = []
  var shape: [UInt64] = []
  var word0: [UInt64] = []
  var word1: [UInt64] = []
  var stride0: [UInt64] = []
  var stride1: [UInt64] = []
  var shapes: [RecordShape] = []

  init(_ model: SlotModel) {
    var positions = Gaps()
    var numbers: [RecordShape: UInt64] = [:]
    var pages = [UInt64](repeating: 0, count: PageMemory.entries)
    for event in model.coldEvents {
      let page = PageMemory.index(event.word0)
      var key = event.shape
      if event.word1 == 0 {
        key.word1Source = .zero
      } else {
        let mapped = pages[page] | (event.word0 & PageMemory.offsetMask)
        key.word1Source = event.word1 == mapped ? .mapped : .literal
        pages[page] = event.word1 & ~PageMemory.offsetMask
      }
      if key.word1Source == .literal { word1.append(event.word1) }
      let number = numbers[key] ?? UInt64(shapes.count)
      if number == UInt64(shapes.count) {
        numbers[key] = number
        shapes.append(key)
      }
      shape.append(number)
      positions.append(position: event.position)
      word0.append(event.word0)
      stride0.append(event.stride0)
      stride1.append(event.stride1)
    }
    gaps = positions.values
  }
}
