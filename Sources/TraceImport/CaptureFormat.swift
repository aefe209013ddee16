/// The captures that can be imported, and how one is told from another: by its first bytes or lines,
/// never by its name.
package enum CaptureFormat: String, Sendable, CaseIterable {
  case qemuLog = "qemu-log"
  case traceDat = "trace-dat"
  case ftraceText = "ftrace-text"
  case perfData = "perf-data"
  case perfScript = "perf-script"
  case simpleTrace = "simpletrace"
  case csv
  case jsonLines = "jsonl"

  /// Bytes that `init(head:)` wants to see.
  package static var headBytes: Int { 16 << 10 }
  /// Lines that may be something else (messages, comments) before one that tells.
  private static var lineLimit: Int { 200 }

  /// - Parameter head: the first bytes, decompressed.
  /// - Returns: nil if no format starts like this.
  package init?(head: [UInt8]) {
    if head.starts(with: DatLayout.magic) {
      self = .traceDat
      return
    }
    if PerfLayout.isBigEndian(head) != nil {
      self = .perfData
      return
    }
    if SimpleTraceReader.isBigEndian(head) != nil {
      self = .simpleTrace
      return
    }
    for line in head.split(separator: 0x0A, maxSplits: Self.lineLimit).prefix(Self.lineLimit) {
      if let format = Self.format(line: String(decoding: line.prefix(1_000), as: UTF8.self)) {
        self = format
        return
      }
    }
    return nil
  }

  private static func format(line: String) -> CaptureFormat? {
    if line.hasPrefix("# tracer:") { return .ftraceText }
    if let text = FtraceLine(line[...].utf8) {
      return text.isOfPerf ? .perfScript : .ftraceText
    }
    if line.hasPrefix("{") { return .jsonLines }
    // PID@SECONDS.MICROS:
    let digits = line.prefix { $0.isASCII && $0.isNumber }
    if !digits.isEmpty, line.dropFirst(digits.count).first == "@" { return .qemuLog }
    if let columns = DelimitedText.fields(line), columns.contains("time"), columns.contains("kind")
    {
      return .csv
    }
    return nil
  }
}
