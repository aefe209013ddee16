// Version 7: sections with heads, which options point to.

extension DatLayout {
  private struct Section {
    var identifier: UInt64
    var isCompressed: Bool
    var size: UInt64
    /// Where its content starts.
    var offset: UInt64
  }

  /// - Parameter initial: behind the page size: compression, first options section.
  mutating func readSections(
    _ file: inout CaptureFile, _ initial: OrderedCursor
  ) throws(ImportError) {
    var cursor = initial
    guard let algorithm = cursor.string(), cursor.string() != nil, let first = cursor.number(8)
    else {
      throw file.malformed(
        "compression", at: UInt64(cursor.offset), expected: "name, version and an offset",
        found: "other bytes")
    }
    file.isZstd = algorithm == "zstd"
    var next = first
    // Each options section points to the next; a loop would come back to an offset.
    var seen: Set<UInt64> = []
    while next != 0 {
      guard seen.insert(next).inserted, seen.count <= 4096 else {
        throw file.malformed(
          "options", at: next, expected: "a section that was not read yet", found: "a loop")
      }
      next = try readOptions(file, at: next)
    }
  }

  private func section(_ file: borrowing CaptureFile, at offset: UInt64) throws(ImportError)
    -> Section
  {
    let head = try file.read(16, at: offset, "section header")
    // u16 number, u16 flags, u32 name, then the size: trace-cmd 3 writes it with 64 bits.
    return Section(
      identifier: head.number(at: 0, size: 2) ?? 0,
      isCompressed: (head.number(at: 2, size: 2) ?? 0) & 1 != 0,
      size: head.number(at: 8, size: 8) ?? 0, offset: offset + 16)
  }

  private mutating func content(
    _ file: borrowing CaptureFile, _ section: Section, _ subject: String
  ) throws(ImportError) -> OrderedBytes {
    let bytes =
      section.isCompressed
      ? try file.decompress(at: section.offset, subject).plain
      : try file.read(section.size, at: section.offset, subject)
    try count(section: UInt64(bytes.count), in: file, at: section.offset)
    return bytes
  }

  /// Reads one options section; returns the offset of the next one, 0 if there is none.
  private mutating func readOptions(
    _ file: borrowing CaptureFile, at offset: UInt64
  ) throws(ImportError) -> UInt64 {
    let section = try section(file, at: offset)
    guard section.identifier == 0 else {
      throw file.malformed(
        "options", at: offset, expected: "section 0", found: "section \(section.identifier)")
    }
    var cursor = OrderedCursor(try content(file, section, "options"))
    while let identifier = cursor.number(2) {
      guard let size = cursor.size(4) else { break }
      let start = cursor.offset
      let data = OrderedBytes(
        Array(cursor.bytes.bytes[start..<start + size]), isBigEndian: file.isBigEndian)
      _ = cursor.skip(size)
      switch identifier {
      case 0: return data.number(at: 0, size: 8) ?? 0
      case 3: try readBuffer(file, data, at: offset)
      case 16, 17, 18, 21:
        guard let place = data.number(at: 0, size: 8) else {
          throw file.malformed(
            "option \(identifier)", at: offset, expected: "an offset", found: "\(size) bytes")
        }
        try readSection(file, Int(identifier), at: place)
      default: readOption(identifier, data)
      }
    }
    throw file.malformed(
      "options", at: offset, expected: "an end mark", found: "the end of the section")
  }

  private mutating func readSection(
    _ file: borrowing CaptureFile, _ identifier: Int, at offset: UInt64
  ) throws(ImportError) {
    let names = [16: "headers", 17: "ftrace events", 18: "event formats", 21: "command lines"]
    let subject = names[identifier] ?? "section"
    let section = try section(file, at: offset)
    guard section.identifier == UInt64(identifier) else {
      throw file.malformed(
        subject, at: offset, expected: "section \(identifier)",
        found: "section \(section.identifier)")
    }
    var cursor = OrderedCursor(try content(file, section, subject))
    let isRead =
      switch identifier {
      case 16: formats.readHeaders(&cursor)
      case 17: formats.readFtraceEvents(&cursor)
      case 18: formats.readEventFormats(&cursor)
      default: formats.readCommands(&cursor)
      }
    guard isRead else {
      throw file.malformed(
        subject, at: offset, expected: "sizes and texts inside of the section",
        found: "other content near byte \(cursor.offset) of it")
    }
  }

  /// Option BUFFER: u64 section, name, clock, u32 page size, u32 CPUs, then per CPU u32 number,
  /// u64 offset, u64 size. Files of the first versions lack the page size.
  private mutating func readBuffer(
    _ file: borrowing CaptureFile, _ data: OrderedBytes, at byte: UInt64
  ) throws(ImportError) {
    var cursor = OrderedCursor(data)
    let entrySize = 20
    guard let place = cursor.number(8), cursor.string() != nil, let clock = cursor.string(),
      cursor.remaining % entrySize == 4 || cursor.remaining % entrySize == 8
    else {
      throw file.malformed(
        "buffer", at: byte, expected: "a name, a clock and CPUs", found: "\(data.count) bytes")
    }
    if cursor.remaining % entrySize == 8 {
      let size = cursor.number(4) ?? 0
      // Sub-buffers can be larger than pages.
      if size > 0, size <= 1 << 20 { pageSize = Int(size) }
    }
    let count = cursor.number(4) ?? 0
    guard count == UInt64(cursor.remaining / entrySize) else {
      throw file.malformed(
        "buffer", at: byte, expected: "\(cursor.remaining / entrySize) CPUs", found: "\(count)")
    }
    if self.clock.isEmpty || count > 0 { self.clock = clock }
    let isCompressed = try section(file, at: place).isCompressed
    for _ in 0..<count {
      let cpu = cursor.number(4) ?? 0
      let stream = Stream(
        cpu: UInt16(clamping: cpu), offset: cursor.number(8) ?? 0, size: cursor.number(8) ?? 0,
        isCompressed: isCompressed)
      try add(stream, in: file, at: byte)
    }
  }
}
