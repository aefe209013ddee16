import EventModel

/// The state of one import: what the lines so far have told, and the events on their way out.
///
/// `read` takes a line apart and hands it to the function for its event name; those stand in the
/// extensions, by topic. Each answers what became of the line, and that is counted here.
struct LogInterpreter: ~Copyable {
  enum Disposition {
    case used, ignored, notUnderstood
  }

  /// Events in the queue at which it is drained.
  static var drainCount: Int { 4096 }
  /// Events that may wait behind an unfinished access.
  private static var holdLimit: Int { 65_536 }
  /// A step back by more than this is a clock that was set.
  private static var clockStepNanoseconds: UInt64 { 1_000_000_000 }

  var queue = EventQueue(capacity: 2 * LogInterpreter.drainCount)
  var threads = ThreadTable()
  var mappings = KnownMappings()
  var msix = MSIXTables()
  var names = NameTable()
  var messages = NameTable()

  // Counts.
  var textBytes: UInt64 = 0
  private(set) var lineCount: UInt64 = 0
  private(set) var hasTraceLine = false
  var damage: [(count: UInt64, firstLine: UInt64)]
  var kinds = [UInt64](repeating: 0, count: 256)
  var eventCount: UInt64 = 0
  var forcedAccesses: UInt64 = 0
  var inferredMappings: UInt64 = 0
  /// Rows of the two names whose lines may have to be counted again.
  var commandOpcodeRow = 0
  var itsFetchRow = 0

  // Time. `epoch` is what is taken from a line's time; it moves when the clock was set.
  var startNanoseconds: UInt64 = 0
  private var epoch: UInt64 = 0
  private var lastNanoseconds: UInt64 = 0
  var lastTime: UInt64 = 0
  var backwardTimes: UInt64 = 0

  // What is known of the machine.
  var geometry = TableGeometry()
  var translationPage: UInt64?
  var isITSDisabled = false
  var hasGITSTyper = false
  var hasSMMUIDR1 = false
  /// The IOVA of the last message about a failed translation.
  var failedIOVA: UInt64?
  /// Table base by VMID and ASID, and STE.Config by StreamID, as last given out.
  var tableBases: [UInt32: UInt64] = [:]
  var streamConfigurations: [UInt32: UInt8] = [:]
  /// vPEID by the address of the virtual pending table.
  var pendingTables: [UInt64: UInt16] = [:]
  /// By redistributor: GICR_VPENDBASER and the resident vPE.
  var residency: [Residency] = []
  var highestPE: UInt32 = 0

  init() {
    damage = Array(repeating: (0, 0), count: LineDamage.allCases.count)
    for entry in EventCatalogue.entries() { names.insert(entry) }
  }

  // MARK: Lines

  /// Takes one whole line.
  @inline(__always)
  mutating func read(_ line: LineText) {
    guard let prefix = LinePrefix(line) else { return readMessage(line) }
    read(line.dropping(prefix.length), prefix)
  }

  /// Takes what stands behind a line's prefix: the name of an event and its text.
  @inline(__always)
  mutating func read(_ rest: LineText, _ prefix: LinePrefix) {
    lineCount += 1
    let length = Self.nameLength(rest)
    let name = rest.prefix(length)
    guard let row = names.row(name, line: lineCount) ?? addName(name) else {
      return note(.torn)
    }
    if !hasTraceLine { startTime(prefix.nanoseconds) }
    let action = names[row].action
    if action == .ignore {
      names[row].ignored += 1
      return
    }
    interpret(action, row: row, prefix: prefix, text: rest.dropping(min(length + 1, rest.count)))
  }

  private mutating func interpret(
    _ action: LineAction, row: Int, prefix: LinePrefix, text: LineText
  ) {
    let disposition: Disposition
    if action == .unknown {
      disposition = .notUnderstood
    } else {
      disposition = perform(action, row: row, prefix: prefix, text: text)
    }
    switch disposition {
    case .used: names[row].used += 1
    case .ignored: names[row].ignored += 1
    case .notUnderstood: noteNotUnderstood(row, line: lineCount)
    }
  }

  private mutating func perform(
    _ action: LineAction, row: Int, prefix: LinePrefix, text: LineText
  ) -> Disposition {
    let time = time(prefix.nanoseconds)
    let thread = threads.find(prefix.thread) ?? addThread(prefix.thread, time)
    switch action {
    case .unknown, .ignore: return .ignored
    case .configurationHit, .configurationMiss, .contextDescriptor, .translationTable,
      .tlbLookup, .pageDescriptor, .blockDescriptor, .tlbInsert:
      return readWalk(action, thread, text)
    case .translated, .bypassed, .aborted, .recordedFault:
      return readAccess(action, thread, time, text)
    case .commandOpcode, .commandQueueStep, .invalidateStream, .invalidateStreamRange,
      .invalidateContext, .invalidateASID, .invalidateVMID, .invalidateRange:
      return readSMMUCommand(action, thread, time, text, row: row)
    case .smmuRegisterRead: return readSMMURegister(text)
    case .registerWrite: return readRegisterWrite(thread, time, text)
    case .pciConfigurationWrite, .mappingAdded, .mappingDeleted, .msixControl, .raisedVector:
      return readPCI(action, thread, time, text)
    case .translationWrite: return readTranslationWrite(thread, time, text)
    case .deviceEntry, .interruptEntry, .collectionEntry, .vPEEntry:
      return readTableEntry(action, thread, text)
    case .itsRegisterRead: return readITSRegister(text)
    case .itsRegisterWrite: return readITSRegisterWrite(time, text)
    case .itsCommandFetched: return readFetchedCommand(thread, text, row: row)
    case .itsCommand: return readITSCommand(thread, time, text, row: row)
    case .redistributorWrite: return readRedistributorWrite(time, text)
    case .dropped: return readDropped(time, text)
    case .acknowledge, .endOfInterrupt: return readCPUInterface(action, time, text)
    case .guestAcknowledge, .guestEndOfInterrupt: return readGuestInterface(action, time, text)
    }
  }

  /// A simpletrace's own record: how many events did not fit its ring.
  private mutating func readDropped(_ time: UInt64, _ text: LineText) -> Disposition {
    var text = text
    guard let count = text.number("count") else { return .notUnderstood }
    queue.append(TraceEvent(time: time, kind: .loss, word0: count, origin: .emulator))
    return .used
  }

  private mutating func addThread(_ thread: UInt64, _ time: UInt64) -> Int {
    if let index = threads.leaving {
      closeSMMUCommand(index, time)
      closeITSCommand(index)
    }
    return threads.add(thread)
  }

  /// Bytes up to the first space, at most one more than a name may have.
  @inline(__always)
  private static func nameLength(_ text: LineText) -> Int {
    let limit = min(text.count, NameTable.nameLimitBytes + 1)
    var index = 0
    while index < limit {
      // A zero byte in `spaces` is a space in the text; the lowest one is exact.
      let spaces = text.word(at: index) ^ 0x2020_2020_2020_2020
      let zero = (spaces &- 0x0101_0101_0101_0101) & ~spaces & 0x8080_8080_8080_8080
      if zero != 0 { return min(index + zero.trailingZeroBitCount / 8, limit) }
      index += 8
    }
    return limit
  }

  /// A new event name, nil if it is none.
  private mutating func addName(_ name: LineText) -> Int? {
    guard name.count > 0, name.count <= NameTable.nameLimitBytes,
      (name[0] | 0x20) &- UInt8(ascii: "a") < 26
    else { return nil }
    for index in 0..<name.count where !LineText.isWord(name[index]) { return nil }
    let text = name.string
    let reason = EventCatalogue.reason(forNameLike: text)
    return names.add(
      name, NameTable.Row(action: reason == nil ? .unknown : .ignore, reason: reason ?? .none),
      line: lineCount)
  }

  /// A line without a trace prefix: a message of the emulator, or a damaged line.
  private mutating func readMessage(_ line: LineText) {
    lineCount += 1
    if line.count == 0 { return note(.empty) }
    if line[0] &- UInt8(ascii: "0") < 10 || Self.holdsPrefix(line) { return note(.torn) }
    if let at = line.find("translation failed for iova=") {
      failedIOVA = line.parseNumber(at: at + 28)?.value
    }
    var length = 0
    while length < min(line.count, NameTable.nameLimitBytes), line[length] != UInt8(ascii: " "),
      line[length] != UInt8(ascii: ":")
    { length += 1 }
    let word = line.prefix(max(length, 1))
    let row =
      messages.row(word, line: lineCount)
      ?? messages.add(
        word, NameTable.Row(action: .unknown, reason: .none), line: lineCount)
    messages[row].used += 1
  }

  /// Whether a piece of a trace prefix stands in the middle: "@", nine digits or more, ".".
  private static func holdsPrefix(_ line: LineText) -> Bool {
    var digits = -1
    for index in 0..<line.count {
      let byte = line[index]
      if byte == UInt8(ascii: "@") {
        digits = 0
      } else if digits >= 0, byte &- UInt8(ascii: "0") < 10 {
        digits += 1
      } else {
        if digits >= 9, byte == UInt8(ascii: ".") { return true }
        digits = -1
      }
    }
    return false
  }

  /// A line that the block reader could not hand out.
  mutating func count(_ kind: LineDamage) {
    lineCount += 1
    note(kind)
  }

  private mutating func note(_ kind: LineDamage) {
    if damage[kind.rawValue].count == 0 { damage[kind.rawValue].firstLine = lineCount }
    damage[kind.rawValue].count += 1
  }

  private mutating func noteNotUnderstood(_ row: Int, line: UInt64) {
    names[row].notUnderstood += 1
    let first = names[row].firstNotUnderstoodLine
    names[row].firstNotUnderstoodLine = first == 0 ? line : min(first, line)
  }

  /// Counts a used line of `row` as not understood after all.
  mutating func demote(_ row: Int, line: UInt64) {
    names[row].used -= 1
    noteNotUnderstood(row, line: line)
  }

  // MARK: Time

  private mutating func startTime(_ nanoseconds: UInt64) {
    hasTraceLine = true
    startNanoseconds = nanoseconds
    epoch = nanoseconds
    lastNanoseconds = nanoseconds
  }

  /// Nanoseconds since the first line; never less than before.
  @inline(__always)
  private mutating func time(_ nanoseconds: UInt64) -> UInt64 {
    if nanoseconds < lastNanoseconds {
      backwardTimes += 1
      let step = lastNanoseconds - nanoseconds
      if step > Self.clockStepNanoseconds {
        epoch = epoch &- step
        lastNanoseconds = nanoseconds
      }
    } else {
      lastNanoseconds = nanoseconds
    }
    lastTime = max(lastTime, lastNanoseconds &- epoch)
    return lastTime
  }

  // MARK: Events out

  /// Hands out what is finished.
  mutating func drain(_ sink: (Span<TraceEvent>) throws -> Void) throws {
    var boundary = threads.oldestHeld() ?? UInt64.max
    while boundary <= queue.firstOrdinal, queue.count >= Self.holdLimit {
      threads.release(boundary)
      forcedAccesses += 1
      boundary = threads.oldestHeld() ?? UInt64.max
    }
    try hand(before: boundary, sink)
  }

  /// Closes what is open and hands out the rest.
  mutating func finish(_ sink: (Span<TraceEvent>) throws -> Void) throws {
    for index in 0..<threads.count {
      closeSMMUCommand(index, lastTime)
      closeITSCommand(index)
    }
    try hand(before: UInt64.max, sink)
  }

  private mutating func hand(
    before boundary: UInt64, _ sink: (Span<TraceEvent>) throws -> Void
  ) throws {
    var kinds = kinds
    var total = eventCount
    try queue.drain(before: boundary) { events in
      for index in events.indices { kinds[Int(events[index].kind.rawValue)] += 1 }
      total += UInt64(events.count)
      try sink(events)
    }
    self.kinds = kinds
    eventCount = total
  }
}
