import EventModel

/// Turns a batch of events into the plain payload of one frame. It keeps its memory, and how columns
/// are coded, from one frame to the next.
@safe
struct FrameEncoder: ~Copyable {
  private var columns: ColumnEncoder
  private var slots = SlotModel()
  private var codes = SlotCodes()
  private var times = TimeCodes()
  private var table = SlotTable()
  private let framesPerDecision: Int
  private var frames = 0
  private var firstColumn = 0
  /// What `encode` made last, and of what.
  private(set) var payload = Payload()
  private(set) var summary = EventSummary()

  /// - Parameter framesPerDecision: after so many frames, columns are measured again.
  init(codec: TraceCodec, level: Int, framesPerDecision: Int = 1) {
    columns = ColumnEncoder(codec: codec, level: level)
    self.framesPerDecision = framesPerDecision
  }

  /// The payload after the codec. The bytes are valid within the call.
  mutating func withStored<Failure: Error>(
    _ plain: [UInt8], cuts: [Int],
    _ body: (UnsafeRawBufferPointer, TraceCodec) throws(Failure) -> Void
  ) throws(Failure) {
    unsafe try columns.compressor.withCompressed(plain, cuts: cuts, body)
  }

  /// Bytes that each column of the payload takes after the codec, on its own.
  mutating func compressedSizes() -> [(name: String, size: Int)] {
    payload.columns.map { column in
      let bytes = Array(payload.bytes[column.bytes])
      return (column.name, columns.compressor.compress(bytes).bytes.count)
    }
  }

  /// A payload before the codec, as columns in their order.
  struct Payload {
    var bytes: [UInt8] = []
    var columns: [(name: String, bytes: Range<Int>)] = []
    /// The two long streams get statistics of their own.
    var cuts: [Int] { columns.prefix(2).map(\.bytes.upperBound) }
  }

  /// - Parameter events: 1…`TraceLimits.eventsPerFrame` events.
  mutating func encode(_ events: [TraceEvent], of kind: FrameKind = .events) {
    // Safety: the pointer is used within the call only.
    unsafe events.withUnsafeBufferPointer { unsafe encode($0, of: kind) }
  }

  mutating func encode(
    _ events: UnsafeBufferPointer<TraceEvent>, of kind: FrameKind
  ) {
    // Snapshots look different, and have decisions of their own.
    firstColumn = kind == .events ? 0 : 16
    // Soon again at first, since a trace begins unlike what it becomes.
    if frames % framesPerDecision == 0 || frames & (frames + 1) == 0 { columns.decideAgain() }
    frames += 1
    unsafe read(events)
    codes.number(slots)
    table.make(slots)
    times.finish()
    payload.bytes.removeAll(keepingCapacity: true)
    payload.columns.removeAll(keepingCapacity: true)
    EventPayloadHeader(
      baseTime: unsafe events[0].time, nanosecondsPerTick: times.nanosecondsPerTick,
      slots: slots.slotCount, shapes: table.shapes.count, literalWords: table.word1.count,
      extendedSlots: codes.extended.count, lateTicks: times.late.count, timeWidth: times.width
    ).encode(to: &payload.bytes)
    addStream("slot codes", codes.codes, width: 1)
    addStream("time codes", times.codes, width: times.width)
    add("late gaps", times.lateGaps)
    add("late ticks", times.late)
    add("extended gaps", codes.extendedGaps)
    add("extended slots", codes.extended)
    add("direct gaps", codes.directGaps)
    add("slot shapes", table.shape)
    add("slot word 0", table.word0)
    add("slot word 1", table.word1)
    add("slot stride 0", table.stride0)
    add("slot stride 1", table.stride1)
    add("shape word 2", table.shapes.map(\.word2))
    add("shape word 3", table.shapes.map(\.word3))
    add("shape tail", table.shapes.map(\.tail))
    add("shape word 1 source", table.shapes.map(\.word1Source.rawValue))
  }

  /// One pass over the events, in blocks that stay in a first-level cache.
  private mutating func read(_ events: UnsafeBufferPointer<TraceEvent>) {
    summary = EventSummary()
    slots.begin(capacity: events.count)
    // Safety: there is a first event; blocks are parts of the buffer.
    unsafe times.begin(count: events.count, firstTime: events[0].time)
    for start in stride(from: 0, to: events.count, by: Self.blockEvents) {
      let end = min(start + Self.blockEvents, events.count)
      let block = unsafe UnsafeBufferPointer(rebasing: events[start..<end])
      unsafe summary.add(block)
      unsafe slots.add(block)
      unsafe times.add(block)
    }
  }

  private static let blockEvents = 256

  private mutating func add(_ name: String, _ values: [UInt64]) {
    let start = payload.bytes.count
    columns.append(values, column: firstColumn + payload.columns.count, to: &payload.bytes)
    payload.columns.append((name, start..<payload.bytes.count))
  }

  /// One of the two streams that the event loop reads in place: constant, or bytes as they are, or
  /// packed where the codec has no entropy coder of its own.
  private mutating func addStream(_ name: String, _ values: [UInt16], width: Int) {
    let start = payload.bytes.count
    var all: UInt16 = 0
    var changed: UInt16 = 0
    // Safety: the pointer is used within the call only.
    unsafe values.withUnsafeBufferPointer { values in
      let first = unsafe values[0]
      for index in values.indices {
        unsafe all |= values[index]
        unsafe changed |= values[index] ^ first
      }
    }
    let isConstant = changed == 0
    let bits = 16 - all.leadingZeroBitCount
    if isConstant {
      ColumnHeader(.constant, count: values.count, base: UInt64(values[0]))
        .encode(to: &payload.bytes)
    } else if columns.compressor.codec != .zstd && bits <= width * 8 - 2 {
      ColumnHeader(.packed, width: bits, count: values.count, base: 0).encode(to: &payload.bytes)
      var packer = BitPacker()
      for value in values { packer.append(UInt64(value), bits: bits, to: &payload.bytes) }
      packer.finish(to: &payload.bytes)
    } else {
      ColumnHeader(.plain, width: width, count: values.count, base: 0).encode(to: &payload.bytes)
      for plane in 0..<width { payload.bytes.append(byteAt: UInt16(plane * 8), of: values) }
    }
    payload.columns.append((name, start..<payload.bytes.count))
  }
}

/// Ascending positions as distances: from the position before, the first from −1.
struct Gaps {
  private(set) var values: [UInt64] = []
  private var last = -1

  mutating func append(position: Int) {
    values.append(UInt64(position - last))
    last = position
  }

  mutating func removeAll() {
    values.removeAll(keepingCapacity: true)
    last = -1
  }
}
