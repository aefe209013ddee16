import EventModel

/// Turns a batch of events into the plain payload of one frame.
@safe
struct FrameEncoder: ~Copyable {
  let columns: ColumnEncoder

  init(codec: TraceCodec, level: Int) {
    columns = ColumnEncoder(codec: codec, level: level)
  }

  /// - Parameter events: 1…`TraceLimits.eventsPerFrame` events.
  /// - Parameter sizes: receives bytes by column name, for reports.
  func encode(_ events: [TraceEvent], sizes: inout [(name: String, bytes: [UInt8])]) -> [UInt8] {
    let model = SlotModel(events)
    let codes = SlotCodes(model)
    let cold = ColdColumns(model, slotNumbers: codes.numberOfSlot)
    let time = TimeCodes(events)
    var bytes: [UInt8] = []
    EventPayloadHeader(
      baseTime: events[0].time, nanosecondsPerTick: time.nanosecondsPerTick,
      shapes: cold.shapes.count, coldEvents: cold.slot.count, extendedCodes: codes.extended.count,
      lateTicks: time.late.count, literalWords: cold.word1.count, timeWidth: time.width
    ).encode(to: &bytes)
    func add(_ name: String, _ values: [UInt64], stream width: Int? = nil) {
      var column: [UInt8] = []
      if let width {
        columns.append(stream: values, width: width, to: &column)
      } else {
        columns.append(values, to: &column)
      }
      bytes += column
      sizes.append((name, column))
    }
    add("slot codes", codes.codes, stream: 1)
    add("time codes", time.codes, stream: time.width)
    add("late ticks", time.late)
    add("extended slots", codes.extended)
    add("cold slots", cold.slot)
    add("cold shapes", cold.shape)
    add("cold word 0", cold.word0)
    add("cold word 1", cold.word1)
    add("cold stride 0", cold.stride0)
    add("cold stride 1", cold.stride1)
    add("shape word 2", cold.shapes.map(\.word2))
    add("shape word 3", cold.shapes.map(\.word3))
    add("shape tail", cold.shapes.map(\.tail))
    add("shape word 1 source", cold.shapes.map(\.word1Source.rawValue))
    return bytes
  }
}

/// One byte per event. The busiest slots get the codes 0…253; the others go through the extended
/// column.
private struct SlotCodes {
  var codes: [UInt64] = []
  var extended: [UInt64] = []
  /// The number in the file of each of the model's slots.
  var numberOfSlot: [UInt64]

  init(_ model: SlotModel) {
    var uses = [Int](repeating: 0, count: SlotModel.capacity)
    for choice in model.choices where choice != SlotModel.cold { uses[Int(choice)] += 1 }
    let byUse = uses.indices.sorted { (uses[$1], $0) < (uses[$0], $1) }
    numberOfSlot = [UInt64](repeating: 0, count: uses.count)
    for (number, slot) in byUse.enumerated() { numberOfSlot[slot] = UInt64(number) }
    codes.reserveCapacity(model.choices.count)
    for choice in model.choices {
      guard choice != SlotModel.cold else {
        codes.append(UInt64(EventPayloadHeader.coldCode))
        continue
      }
      let number = numberOfSlot[Int(choice)]
      if number <= UInt64(EventPayloadHeader.slotCode) {
        codes.append(number)
      } else {
        codes.append(UInt64(EventPayloadHeader.extendedCode))
        extended.append(number)
      }
    }
  }
}

/// Deltas of time in ticks of the largest step that divides them all. A µs-resolution capture thus
/// needs one byte where its nanoseconds would need two.
private struct TimeCodes {
  var codes: [UInt64] = []
  var late: [UInt64] = []
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
    let late1 = ticks.count { !(0..<0xFF).contains($0) }
    let late2 = ticks.count { !(0..<0xFFFF).contains($0) }
    width = late1 * 4 <= late2 * 4 + ticks.count ? 1 : 2
    let escape: Int64 = width == 1 ? 0xFF : 0xFFFF
    codes.reserveCapacity(ticks.count)
    for tick in ticks {
      if (0..<escape).contains(tick) {
        codes.append(UInt64(tick))
      } else {
        codes.append(UInt64(escape))
        late.append(zigzag(UInt64(bitPattern: tick)))
      }
    }
  }

  private static func commonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }
}

/// Cold events by column, and the dictionary of their shapes.
private struct ColdColumns {
  var slot: [UInt64] = []
  var shape: [UInt64] = []
  var word0: [UInt64] = []
  var word1: [UInt64] = []
  var stride0: [UInt64] = []
  var stride1: [UInt64] = []
  var shapes: [RecordShape] = []

  init(_ model: SlotModel, slotNumbers: [UInt64]) {
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
      slot.append(slotNumbers[event.slot])
      word0.append(event.word0)
      stride0.append(event.stride0)
      stride1.append(event.stride1)
    }
  }
}
