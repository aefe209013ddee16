import EventModel

/// From the records of a simpletrace to the interpreter of QEMU's log.
struct SimpleTraceReader: ~Copyable {
  /// What is done with the events of one number.
  private struct Plan {
    var name: String
    /// Nil: not declared, or in a way that cannot be printed.
    var declaration: EventDeclaration?
    /// Only the name counts: the event is ignored or unknown.
    var isNameEnough: Bool
  }

  private(set) var interpreter = LogInterpreter()
  private var window = ByteWindow()
  private let declarations: EventDeclarations
  private var plans: [UInt64: Plan] = [:]
  private var version: UInt64 = 0
  private var isCut = false
  private var undeclared: Set<String> = []
  /// The line being printed.
  private var line: [UInt8] = []
  private let used: Set<String>

  static let headerNumber = UInt64.max
  static let magic: UInt64 = 0xF2B1_77CB_0AA4_29B4
  private static let droppedNumber = UInt64.max - 1
  /// A record lies in QEMU's ring of 256 KiB.
  private static let recordLimit = 256 << 10
  private static let nameLimit = 1 << 12
  private static let planLimit = 1 << 16
  /// Number, time, length and process.
  private static let headSize = 24

  init(_ declarations: EventDeclarations) {
    self.declarations = declarations
    used = Set(EventCatalogue.entries().filter { $0.action != .ignore }.map { "\($0.name)" })
  }

  /// Whether the bytes are the start of a simpletrace, and in which byte order.
  static func isBigEndian(_ head: [UInt8]) -> Bool? {
    [false, true].first { order in
      let bytes = OrderedBytes(head, isBigEndian: order)
      return bytes.number(at: 0, size: 8) == headerNumber && bytes.number(at: 8, size: 8) == magic
    }
  }

  mutating func readHead<Source: ByteSource & ~Copyable>(
    from source: inout Source
  ) throws(ImportError) {
    let isWhole = try window.fill(24, from: &source)
    guard isWhole, let order = Self.isBigEndian(window.bytes.bytes) else {
      throw malformed(source.name, "head", "16 bytes of magic and a version", "other bytes")
    }
    window.setByteOrder(isBigEndian: order)
    version = window.bytes.number(at: 16, size: 8) ?? 0
    guard version == 3 || version == 4 else {
      throw malformed(source.name, "version", "3 or 4", "\(version)")
    }
    window.advance(24)
    guard version == 3 else { return }
    for (number, event) in declarations.numbered.enumerated() {
      plans[UInt64(number)] = plan(event.name)
    }
  }

  /// Reads one record; returns false at the end.
  mutating func readRecord<Source: ByteSource & ~Copyable>(
    from source: inout Source
  ) throws(ImportError) -> Bool {
    if version == 4 {
      guard try need(8, from: &source) else { return false }
      let type = number(0, 8)
      guard type <= 1 else {
        throw malformed(source.name, "record", "type 0 or 1", "type \(type)")
      }
      window.advance(8)
      if type == 0 { return try readName(from: &source) }
    }
    guard try need(Self.headSize, from: &source) else { return false }
    let length = number(16, 4)
    guard length >= UInt64(Self.headSize), length <= UInt64(Self.recordLimit) else {
      throw malformed(
        source.name, "record", "a length of \(Self.headSize) to \(Self.recordLimit) bytes",
        "\(length)")
    }
    guard try need(Int(length), from: &source) else { return false }
    readEvent(length: Int(length))
    window.advance(Int(length))
    return true
  }

  private mutating func readName<Source: ByteSource & ~Copyable>(
    from source: inout Source
  ) throws(ImportError) -> Bool {
    guard try need(12, from: &source) else { return false }
    let identifier = number(0, 8)
    let length = number(8, 4)
    guard length <= UInt64(Self.nameLimit) else {
      throw malformed(
        source.name, "name of event \(identifier)", "at most \(Self.nameLimit) bytes", "\(length)")
    }
    guard try need(12 + Int(length), from: &source) else { return false }
    let name = window.bytes.text(at: window.start + 12, size: Int(length)) ?? ""
    if plans.count < Self.planLimit { plans[identifier] = plan(name) }
    window.advance(12 + Int(length))
    return true
  }

  private func plan(_ name: String) -> Plan {
    Plan(name: name, declaration: declarations[name], isNameEnough: !used.contains(name))
  }

  private mutating func readEvent(length: Int) {
    let identifier = number(0, 8)
    let prefix = LinePrefix(thread: number(20, 4), nanoseconds: number(8, 8))
    line.removeAll(keepingCapacity: true)
    if identifier == Self.droppedNumber {
      let count = length >= Self.headSize + 8 ? number(Self.headSize, 8) : 0
      line += "\(EventCatalogue.dropped) count \(count)".utf8
    } else if let plan = plans[identifier] {
      line += plan.name.utf8
      line.append(UInt8(ascii: " "))
      // A text that misses its fields is counted as not understood.
      if !plan.isNameEnough, !print(plan.declaration, length: length) { note(plan.name) }
    } else {
      line += "event_number_\(identifier)_without_a_name ".utf8
    }
    interpret(prefix)
  }

  private mutating func note(_ name: String) {
    if undeclared.count < 64 { undeclared.insert(name) }
  }

  /// Appends the text of the record at the window's start. - Returns: false if its arguments are not
  /// those that are declared; then nothing is appended.
  private mutating func print(_ declaration: EventDeclaration?, length: Int) -> Bool {
    guard let declaration, let format = declaration.format else { return false }
    let start = line.count
    let end = window.start + length
    var offset = window.start + Self.headSize
    var arguments = declaration.arguments.makeIterator()
    for piece in format.pieces {
      guard case .conversion(let conversion) = piece, let argument = arguments.next() else {
        if case .literal(let bytes) = piece { line += bytes }
        continue
      }
      switch argument {
      case .number(let bits):
        guard end - offset >= 8, let value = window.bytes.number(at: offset, size: 8)
        else { return isPrinted(false, start) }
        conversion.print(value, bits: bits, into: &line)
        offset += 8
      case .text:
        guard end - offset >= 4, let size = window.bytes.number(at: offset, size: 4),
          size <= UInt64(end - offset - 4)
        else { return isPrinted(false, start) }
        offset += 4
        let bytes = window.bytes.bytes[offset..<offset + Int(size)]
        conversion.print(bytes.prefix { $0 != 0 && $0 != 0x0A }, into: &line)
        offset += Int(size)
      }
    }
    return isPrinted(offset == end, start)
  }

  private mutating func isPrinted(_ isWhole: Bool, _ start: Int) -> Bool {
    if !isWhole { line.removeLast(line.count - start) }
    return isWhole
  }

  private mutating func interpret(_ prefix: LinePrefix) {
    let count = line.count
    line += repeatElement(0, count: LineText.padding)
    let line = line
    // Safety: the array outlives the call, and its padding follows the text.
    unsafe line.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      interpreter.read(unsafe LineText(base: base, count: count), prefix)
    }
  }

  // MARK: Bytes

  private func number(_ offset: Int, _ size: Int) -> UInt64 {
    window.bytes.number(at: window.start + offset, size: size) ?? 0
  }

  private mutating func need<Source: ByteSource & ~Copyable>(
    _ size: Int, from source: inout Source
  ) throws(ImportError) -> Bool {
    let isThere = try window.fill(size, from: &source)
    if !isThere { isCut = window.count > 0 }
    return isThere
  }

  private func malformed(
    _ name: String, _ subject: String, _ expected: String, _ found: String
  ) -> ImportError {
    .malformed(
      name: name, byte: window.position, subject: subject, expected: expected, found: found)
  }

  // MARK: Out

  mutating func drain(_ sink: (Span<TraceEvent>) throws -> Void) throws {
    try interpreter.drain(sink)
  }

  mutating func finish(_ sink: (Span<TraceEvent>) throws -> Void) throws {
    try interpreter.finish(sink)
    if isCut { interpreter.count(.unterminated) }
  }

  consuming func report() -> ImportReport {
    let (bytes, path, undeclared) = (window.position, declarations.path, undeclared)
    var report = interpreter.report()
    report.textBytes = bytes
    report.clockResolutionNanoseconds = 1
    report.notes.append("arguments as \(path) declares them")
    report.notes.append("threads are not recorded: steps of two accesses may be joined wrongly")
    report.notes += undeclared.sorted().map {
      "\($0): its arguments are not those that are declared"
    }
    return report
  }
}
