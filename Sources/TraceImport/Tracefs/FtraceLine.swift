/// A line of tracefs' `trace` or `trace_pipe`, of 'trace-cmd report' or of 'perf script':
/// "          <idle>-0       [003] d.h..     5.315002: irq_handler_entry: irq=2 name=IPI",
/// "         swapper     0 [003]     5.315002:  irq:irq_handler_entry: irq=2 name=IPI".
///
/// The task name may hold blanks, dashes and brackets; the CPU in brackets behind "-PID" is the first
/// fixed point. The flags column and an instance name in front ("tc: ") may be there or not. perf writes a blank for the
/// dash, the event's system in front of its name, and perhaps a period before that.
struct FtraceLine {
  typealias Bytes = Substring.UTF8View

  var task: Bytes
  var pid: Int32
  var cpu: UInt16
  var nanoseconds: UInt64
  /// perf wrote it.
  var isOfPerf: Bool
  var event: Bytes
  /// What the event's print format gave.
  var text: Bytes

  init?(_ line: Bytes) {
    // " [003] ": the first bracket that holds digits only.
    var search = line
    while true {
      guard let open = search.firstIndex(of: UInt8(ascii: "[")) else { return nil }
      let behind = search[search.index(after: open)...]
      guard let close = behind.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      search = behind[behind.index(after: close)...]
      guard let cpu = Self.decimal(behind[..<close]), cpu <= UInt64(UInt16.max),
        let process = Self.thread(line[..<open]) ?? Self.process(line[..<open])
      else { continue }
      self.cpu = UInt16(cpu)
      (task, pid, isOfPerf) = process
      break
    }
    // Flags, which end in no colon, and then "SECONDS.FRACTION:".
    guard var word = Self.word(&search) else { return nil }
    if word.last != UInt8(ascii: ":") {
      guard let next = Self.word(&search) else { return nil }
      word = next
    }
    guard let time = Self.time(word) else { return nil }
    nanoseconds = time
    guard var name = Self.word(&search) else { return nil }
    if isOfPerf, Self.decimal(name) != nil {
      guard let next = Self.word(&search) else { return nil }
      name = next
    }
    guard let event = Self.event(name, isOfPerf: isOfPerf) else { return nil }
    self.event = event
    text = search.drop { $0 == UInt8(ascii: " ") }
  }

  /// Takes the next word.
  private static func word(_ rest: inout Bytes) -> Bytes? {
    let start = rest.drop { $0 == UInt8(ascii: " ") }
    let word = start.prefix { $0 != UInt8(ascii: " ") }
    rest = start[word.endIndex...]
    return word.isEmpty ? nil : word
  }

  /// "map:" or "iommu:map:", and of perf's own records the name alone.
  private static func event(_ word: Bytes, isOfPerf: Bool) -> Bytes? {
    guard word.last == UInt8(ascii: ":") else {
      return isOfPerf && word.starts(with: perfRecordPrefix.utf8) ? word : nil
    }
    var name = word.dropLast()
    if let colon = name.lastIndex(of: UInt8(ascii: ":")) {
      name = name[name.index(after: colon)...]
    }
    return name.isEmpty ? nil : name
  }

  static var perfRecordPrefix: String { "PERF_RECORD_" }

  /// perf: "my task   77 ", or process and thread, "76/77".
  private static func thread(_ text: Bytes) -> (Bytes, Int32, Bool)? {
    let name = withoutBlanks(text)
    guard let blank = name.lastIndex(of: UInt8(ascii: " ")) else { return nil }
    var word = name[name.index(after: blank)...]
    if let slash = word.firstIndex(of: UInt8(ascii: "/")) {
      guard decimal(word[..<slash]) != nil else { return nil }
      word = word[word.index(after: slash)...]
    }
    guard let pid = decimal(word), pid <= UInt64(Int32.max) else { return nil }
    return (withoutBlanks(name[..<blank]).drop { $0 == UInt8(ascii: " ") }, Int32(pid), true)
  }

  /// "init-1  " or "tc:   init-1": the last dash divides.
  private static func process(_ text: Bytes) -> (Bytes, Int32, Bool)? {
    var name = withoutBlanks(text)
    // With the option record-tgid: "init-1 (      1)".
    if name.last == UInt8(ascii: ")"), let open = name.lastIndex(of: UInt8(ascii: "(")) {
      name = withoutBlanks(name[..<open])
    }
    guard let dash = name.lastIndex(of: UInt8(ascii: "-")),
      let pid = decimal(name[name.index(after: dash)...]), pid <= UInt64(Int32.max)
    else { return nil }
    name = name[..<dash]
    if let blank = name.lastIndex(of: UInt8(ascii: " ")) {
      name = name[name.index(after: blank)...]
    }
    return (name, Int32(pid), false)
  }

  private static func withoutBlanks(_ text: Bytes) -> Bytes {
    var text = text
    while text.last == UInt8(ascii: " ") { text.removeLast() }
    return text
  }

  /// "5.315002:" or with nine digits, in nanoseconds.
  private static func time(_ word: Bytes) -> UInt64? {
    guard word.last == UInt8(ascii: ":"), let dot = word.firstIndex(of: UInt8(ascii: "."))
    else { return nil }
    let digits = word[word.index(after: dot)...].dropLast()
    guard let seconds = decimal(word[..<dot]), seconds < 1 << 33, (1...9).contains(digits.count),
      var fraction = decimal(digits)
    else { return nil }
    for _ in digits.count..<9 { fraction *= 10 }
    return seconds * 1_000_000_000 + fraction
  }

  // MARK: Fields

  /// The value of "key=…" up to a blank or comma, quotes taken off.
  func value(_ key: String) -> Bytes? {
    let key = key.utf8
    var rest = text
    while let equals = rest.firstIndex(of: UInt8(ascii: "=")) {
      // The field's name is the word before the sign.
      let before = rest[..<equals]
      let start = before.lastIndex { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "(") }
      let name = start.map { before[before.index(after: $0)...] } ?? before
      let value = rest[rest.index(after: equals)...]
      if name.elementsEqual(key) {
        guard value.first == UInt8(ascii: "\"") else {
          return value.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: ",") }
        }
        return value.dropFirst().prefix { $0 != UInt8(ascii: "\"") }
      }
      rest = value
    }
    return nil
  }

  func number(_ key: String) -> UInt64? { value(key).flatMap { Self.number($0) } }

  /// Hexadecimal with 0x, else decimal.
  static func number(_ word: Bytes) -> UInt64? {
    guard word.starts(with: "0x".utf8) else { return decimal(word) }
    let digits = word.dropFirst(2)
    guard (1...16).contains(digits.count) else { return nil }
    var value: UInt64 = 0
    for byte in digits {
      guard let digit = LineText.hexDigit(byte) else { return nil }
      value = value << 4 | digit
    }
    return value
  }

  private static func decimal(_ word: Bytes) -> UInt64? {
    // 19 digits always fit.
    guard (1...19).contains(word.count) else { return nil }
    var value: UInt64 = 0
    for byte in word {
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + UInt64(digit)
    }
    return value
  }
}
