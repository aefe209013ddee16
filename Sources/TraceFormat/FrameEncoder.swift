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
    let codes = SlotCodes(model)
    let table = SlotTable(model)
    let time = TimeCodes(events)
    var payload = Payload()
    EventPayloadHeader(
      baseTime: events[0].time, nanosecondsPerTick: time.nanosecondsPerTick,
      slots: model.entries.count, shapes: table.shapes.count, literalWords: table.word1.count,
      extendedSlots: codes.extended.count, lateTicks: time.late.count, timeWidth: time.width
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
    add("slot codes", codes.codes, stream: 1)
    add("time codes", time.codes, stream: time.width)
    add("late gaps", time.lateGaps)
    add("late ticks", time.late)
    add("extended gaps", codes.extendedGaps)
    add("extended slots", codes.extended)
    add("direct gaps", codes.directGaps)
    add("slot shapes", table.shape)
    add("slot word 0", model.entries.map(\.word0))
    add("slot word 1", table.word1)
    add("slot stride 0", model.entries.map(\.stride0))
    add("slot stride 1", model.entries.map(\.stride1))
    add("shape word 2", table.shapes.map(\.word2))
    add("shape word 3", table.shapes.map(\.word3))
    add("shape tail", table.shapes.map(\.tail))
    add("shape word 1 source", table.shapes.map(\.word1Source.rawValue))
    return payload
  }
}

/// Ascending positions as distances: from the position before, the first from −1.
private struct Gaps {
  private(set) var values: [UInt64] = []
  private var last = -1

  mutating func append(position: Int) {
    values.append(UInt64(position - last))
    last = position
  }
}

/// Numbers the slots, and gives each event its code of one byte.
///
/// The 256 busiest slots get the direct numbers 0…255, in the order of the table, and the others the
/// numbers from 256. An event of such a slot has code 0 and its number in the extended column.
private struct SlotCodes {
  var codes: [UInt64] = []
  var extended: [UInt64] = []
  var extendedGaps: [UInt64] = []
  var directGaps: [UInt64] = []

  init(_ model: SlotModel) {
    let direct = EventPayloadHeader.directSlots
    let byUse = model.uses.indices.sorted { (model.uses[$1], $0) < (model.uses[$0], $1) }
    var isDirect = [Bool](repeating: false, count: byUse.count)
    for slot in byUse.prefix(direct) { isDirect[slot] = true }
    var number = [UInt64](repeating: 0, count: byUse.count)
    var (nextDirect, nextOther) = (UInt64(0), UInt64(direct))
    var directPositions = Gaps()
    for slot in isDirect.indices {
      if isDirect[slot] {
        number[slot] = nextDirect
        nextDirect += 1
        directPositions.append(position: slot)
      } else {
        number[slot] = nextOther
        nextOther += 1
      }
    }
    directGaps = directPositions.values
    var extendedPositions = Gaps()
    codes.reserveCapacity(model.slotOfEvent.count)
    for (position, slot) in model.slotOfEvent.enumerated() {
      codes.append(isDirect[slot] ? number[slot] : 0)
      guard !isDirect[slot] else { continue }
      extended.append(number[slot])
      extendedPositions.append(position: position)
    }
    extendedGaps = extendedPositions.values
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

/// The slot table's columns that need more than the model's entries: word 1, where it is not
/// predicted, and the dictionary of shapes.
private struct SlotTable {
  var shape: [UInt64] = []
  var word1: [UInt64] = []
  var shapes: [RecordShape] = []

  init(_ model: SlotModel) {
    var numbers: [RecordShape: UInt64] = [:]
    var pages = [UInt64](repeating: 0, count: PageMemory.entries)
    for entry in model.entries {
      let page = PageMemory.index(entry.word0)
      var key = entry.shape
      if entry.word1 == 0 {
        key.word1Source = .zero
      } else {
        let mapped = pages[page] | (entry.word0 & PageMemory.offsetMask)
        key.word1Source = entry.word1 == mapped ? .mapped : .literal
        pages[page] = entry.word1 & ~PageMemory.offsetMask
      }
      if key.word1Source == .literal { word1.append(entry.word1) }
      let number = numbers[key] ?? UInt64(shapes.count)
      if number == UInt64(shapes.count) {
        numbers[key] = number
        shapes.append(key)
      }
      shape.append(number)
    }
  }
}
