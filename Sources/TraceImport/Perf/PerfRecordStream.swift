import EventModel
import TraceFormat

/// The records of a perf.data one after the other, compressed ones opened.
struct PerfRecordStream: ~Copyable {
  private var window: ByteWindow
  private var reader: PerfDataReader
  private var inflater: PerfInflater?
  private var isBigEndian: Bool
  /// The stream ended inside a record.
  private var isCut = false

  init(isBigEndian: Bool, _ layout: PerfLayout, origin: EventOrigin) {
    self.isBigEndian = isBigEndian
    window = ByteWindow(isBigEndian: isBigEndian)
    reader = PerfDataReader(layout, origin: origin)
  }

  /// The head of a pipe tells the byte order.
  mutating func readPipeHead<Source: ByteSource & ~Copyable>(
    from source: inout Source
  ) throws(ImportError) {
    let size = Int(PerfLayout.pipeHeadSize)
    guard try window.fill(size, from: &source) else {
      throw Self.malformed(source.name, 0, "head of a perf.data", "16 bytes", "\(window.count)")
    }
    guard let order = PerfLayout.isBigEndian(window.bytes.bytes) else {
      throw Self.malformed(source.name, 0, "magic", "'PERFILE2'", "other bytes")
    }
    isBigEndian = order
    window.setByteOrder(isBigEndian: order)
    guard window.bytes.number(at: 8, size: 8) == PerfLayout.pipeHeadSize else {
      throw .needsFile(name: source.name, format: .perfData)
    }
    window.advance(size)
  }

  mutating func readAll<Source: ByteSource & ~Copyable>(
    from source: inout Source, _ sink: (Span<TraceEvent>) throws -> Void,
    _ progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void
  ) throws {
    while try readRecord(from: &source) {
      if reader.reader.interpreter.queue.count >= 4096 {
        try reader.drain(sink)
        progress(source.bytesRead, source.totalBytes)
      }
    }
    if inflater?.restCount ?? 0 > 0 { isCut = true }
    reader.finish()
    try reader.drain(sink)
    progress(source.bytesRead, source.totalBytes)
  }

  /// Reads one record; returns false at the end.
  private mutating func readRecord<Source: ByteSource & ~Copyable>(
    from source: inout Source
  ) throws -> Bool {
    guard try window.fill(PerfRecord.headSize, from: &source) else {
      isCut = window.count > 0
      return false
    }
    let size = Int(window.bytes.number(at: window.start + 6, size: 2) ?? 0)
    guard size >= PerfRecord.headSize else {
      throw Self.malformed(
        source.name, window.position, "record", "a size of 8 bytes or more", "\(size)")
    }
    guard try window.fill(size, from: &source),
      let record = PerfRecord(window.bytes, at: window.start)
    else {
      isCut = true
      return false
    }
    try read(record, source.name)
    window.advance(size)
    return try readBehind(record.type, from: &source)
  }

  private mutating func read(_ record: PerfRecord, _ name: String) throws {
    switch record.type {
    case .compressed: try inflate(record.content, name)
    case .compressedSized:
      // u64 size of the data, which the record's end is padded behind.
      let size = window.bytes.number(at: record.content.lowerBound, size: 8) ?? 0
      guard record.content.count >= 8, size <= UInt64(record.content.count - 8) else {
        throw Self.malformed(
          name, window.position, "compressed record", "at most \(record.content.count) bytes",
          "\(size)")
      }
      let start = record.content.lowerBound + 8
      try inflate(start..<start + Int(size), name)
    case .headerAttribute: reader.readAttribute(record.content, window.bytes)
    case .headerTracingData, .auxiliaryTrace: behind = behindSize(record)
    default: reader.read(record, window.bytes)
    }
  }

  /// Bytes that follow the last record and belong to it.
  private var behind: UInt64 = 0

  /// HEADER_TRACING_DATA: u32 size, padding included. AUXTRACE: u64 size.
  private func behindSize(_ record: PerfRecord) -> UInt64 {
    let width = record.type == .headerTracingData ? 4 : 8
    guard record.content.count >= width else { return 0 }
    return window.bytes.number(at: record.content.lowerBound, size: width) ?? 0
  }

  private mutating func readBehind<Source: ByteSource & ~Copyable>(
    _ type: PerfRecord.Kind, from source: inout Source
  ) throws -> Bool {
    guard behind > 0 else { return true }
    defer { behind = 0 }
    guard type == .headerTracingData else {
      reader.count(.auxiliaryTrace)
      isCut = try !window.skip(behind, from: &source)
      return !isCut
    }
    guard behind <= CaptureFile.pieceLimitBytes else {
      throw Self.malformed(
        source.name, window.position, "tracing data",
        "at most \(CaptureFile.pieceLimitBytes) bytes", "\(behind)")
    }
    let size = Int(behind)
    guard try window.fill(size, from: &source) else {
      isCut = true
      return false
    }
    guard reader.readFormats(window.copy(size)) else {
      throw Self.malformed(
        source.name, window.position, "tracing data", "17 08 44 'tracing' and event formats",
        "other content")
    }
    window.advance(size)
    return true
  }

  private mutating func inflate(_ content: Range<Int>, _ name: String) throws {
    reader.count(.compressed)
    if inflater == nil { inflater = PerfInflater(isBigEndian: isBigEndian) }
    let position = window.position
    let wrong = try inflater?.take(window.bytes.bytes[content]) { record, bytes in
      switch record.type {
      case .compressed, .compressedSized, .headerTracingData, .auxiliaryTrace, .headerAttribute:
        throw Self.malformed(
          name, position, "compressed record", "records of the kernel",
          "a record of type \(record.type.rawValue) inside")
      default: reader.read(record, bytes)
      }
    }
    if let wrong {
      throw ImportError.damagedCompression(name: name, bytes: position, reason: wrong)
    }
  }

  private static func malformed(
    _ name: String, _ byte: UInt64, _ subject: String, _ expected: String, _ found: String
  ) -> ImportError {
    .malformed(name: name, byte: byte, subject: subject, expected: expected, found: found)
  }

  func report(bytes: UInt64) -> ImportReport {
    var report = reader.reader.report()
    report.textBytes = bytes
    report.clockResolutionNanoseconds = 1
    let clock = reader.layout.attributes.compactMap(\.clock).first
    report.notes.append(
      clock.map { "clock \($0) of clock_gettime" } ?? "clock perf, the scheduler's")
    if reader.layout.formats == nil {
      report.notes.append("no event formats: samples of tracepoints could not be read")
    }
    if reader.layout.isUnfinished {
      report.notes.append("the recorder did not come to its end; its event formats are missing")
    }
    if let count = reader.layout.formats?.unreadableCount, count > 0 {
      report.notes.append("\(count) event formats could not be read")
    }
    if isCut { report.damage.append(.init(damage: .unterminated, count: 1, firstLine: 0)) }
    return report
  }
}
