// Version 6: everything in one fixed sequence, never compressed.

extension DatLayout {
  mutating func readSequence(_ file: borrowing CaptureFile, from start: UInt64) throws(ImportError)
  {
    // The metadata is read as one piece: its parts have no heads to jump by.
    let length = min(file.size - start, CaptureFile.pieceLimitBytes)
    var cursor = OrderedCursor(try file.read(length, at: start, "metadata"))
    func place() -> UInt64 { start + UInt64(cursor.offset) }
    guard formats.readHeaders(&cursor) else { throw wrong(file, "headers", at: place()) }
    guard formats.readFtraceEvents(&cursor) else { throw wrong(file, "ftrace events", at: place()) }
    guard formats.readEventFormats(&cursor) else { throw wrong(file, "event formats", at: place()) }
    // Kernel symbols and printk formats, which say nothing about events that are used here.
    for subject in ["kernel symbols", "printk formats"] {
      guard let size = cursor.size(4), cursor.skip(size) else {
        throw wrong(file, subject, at: place())
      }
    }
    guard formats.readCommands(&cursor) else { throw wrong(file, "command lines", at: place()) }
    guard let cpus = cursor.size(4) else { throw wrong(file, "CPU count", at: place()) }
    var buffers: [UInt64] = []
    var kind = cursor.text(10)
    if kind?.hasPrefix("options") == true {
      try readOptions(file, &cursor, start, &buffers)
      kind = cursor.text(10)
    }
    guard kind == "flyrecord" else {
      throw file.malformed(
        "data", at: place(), expected: "'flyrecord', trace data in pages",
        found: "'\(kind ?? "nothing")'; a latency trace holds text only")
    }
    try readCPUs(file, &cursor, cpus, start)
    for buffer in buffers {
      let size = UInt64(10 + 16 * cpus)
      try count(section: size, in: file, at: buffer)
      var table = OrderedCursor(try file.read(size, at: buffer, "buffer"))
      guard table.text(10) == "flyrecord" else { throw wrong(file, "buffer", at: buffer) }
      try readCPUs(file, &table, cpus, buffer)
    }
  }

  private func wrong(
    _ file: borrowing CaptureFile, _ subject: String, at byte: UInt64
  ) -> ImportError {
    file.malformed(
      subject, at: byte, expected: "sizes and texts of version 6", found: "other content")
  }

  /// u16 number, u32 size, data; number 0 ends them. Option 3 points to a further buffer.
  private mutating func readOptions(
    _ file: borrowing CaptureFile, _ cursor: inout OrderedCursor, _ start: UInt64,
    _ buffers: inout [UInt64]
  ) throws(ImportError) {
    while true {
      guard let identifier = cursor.number(2) else {
        throw wrong(file, "options", at: start + UInt64(cursor.offset))
      }
      if identifier == 0 { return }
      guard let size = cursor.size(4) else {
        throw wrong(file, "options", at: start + UInt64(cursor.offset))
      }
      let data = OrderedBytes(
        Array(cursor.bytes.bytes[cursor.offset..<cursor.offset + size]),
        isBigEndian: file.isBigEndian)
      _ = cursor.skip(size)
      if identifier == 3, let offset = data.number(at: 0, size: 8) {
        buffers.append(offset)
      } else {
        readOption(identifier, data)
      }
    }
  }

  private mutating func readCPUs(
    _ file: borrowing CaptureFile, _ cursor: inout OrderedCursor, _ count: Int, _ start: UInt64
  ) throws(ImportError) {
    for cpu in 0..<count {
      guard let offset = cursor.number(8), let size = cursor.number(8) else {
        throw wrong(file, "CPU table", at: start + UInt64(cursor.offset))
      }
      let stream = Stream(
        cpu: UInt16(clamping: cpu), offset: offset, size: size, isCompressed: false)
      try add(stream, in: file, at: start)
    }
  }
}
