@testable import TraceImport

/// Writes small trace.dat files of either version, byte order and long size, by the format pages of
/// trace-cmd: a writer that shares nothing with the reader but those.
struct DatBuilder {
  /// A record of one CPU: an event by its format's number and its payload behind the common fields.
  struct Record {
    var time: UInt64
    var identifier: Int
    var pid: UInt32
    var payload: [UInt8]
  }

  var version = 7
  var isBigEndian = false
  var longSize = 8
  var cpus: [[Record]] = []
  /// Bits and count of events lost before the first page of CPU 0.
  var lostBeforeFirstPage: UInt64?
  var clock = "mono"
  /// Further options: numbers and contents.
  var options: [(identifier: UInt64, content: [UInt8])] = []
  /// Bytes between the common fields and the event's own: layouts differ between kernels.
  var gap = 0

  func number(_ value: UInt64, _ size: Int) -> [UInt8] {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    return isBigEndian ? bytes.reversed() : bytes
  }

  private func string(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }

  // MARK: Formats

  private var common: String {
    """
    \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
    \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
    \tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
    \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

    """
  }

  private func format(_ name: String, _ identifier: Int, _ fields: [(String, Int)]) -> String {
    var text = "name: \(name)\nID: \(identifier)\nformat:\n\(common)\n"
    var offset = 8 + gap
    for (declaration, size) in fields {
      text += "\tfield:\(declaration);\toffset:\(offset);\tsize:\(size);\tsigned:0;\n"
      offset += size
    }
    return text + "\nprint fmt: \"field:no; offset:1;\", REC->irq\n"
  }

  static let interruptEntry = 101
  static let map = 996
  static let probe = 1300
  static let schedule = 7

  var formats: [String] {
    [
      format(
        "irq_handler_entry", Self.interruptEntry, [("int irq", 4), ("__data_loc char[] name", 4)]),
      format("map", Self.map, [("u64 iova", 8), ("u64 paddr", 8), ("size_t size", 8)]),
      format(
        "my_own_probe", Self.probe,
        [("unsigned long __probe_ip", 8), ("u64 addr_lo", 8), ("u32 data", 4), ("u32 devid", 4)]),
      format("sched_switch", Self.schedule, [("char prev_comm[16]", 16)]),
    ]
  }

  func interrupt(_ time: UInt64, irq: UInt32, name: String, pid: UInt32 = 1) -> Record {
    let text = string(name)
    let location = UInt64(8 + gap + 8) | UInt64(text.count) << 16
    return Record(
      time: time, identifier: Self.interruptEntry, pid: pid,
      payload: number(UInt64(irq), 4) + number(location, 4) + text)
  }

  func map(_ time: UInt64, iova: UInt64, address: UInt64, size: UInt64) -> Record {
    Record(
      time: time, identifier: Self.map, pid: 1,
      payload: number(iova, 8) + number(address, 8) + number(size, 8))
  }

  func injection(_ time: UInt64, address: UInt64, data: UInt64, device: UInt64) -> Record {
    Record(
      time: time, identifier: Self.probe, pid: 1,
      payload: number(0xFFFF_8000_0000_0000, 8) + number(address, 8) + number(data, 4)
        + number(device, 4))
  }

  func other(_ time: UInt64) -> Record {
    Record(
      time: time, identifier: Self.schedule, pid: 1, payload: [UInt8](repeating: 0x41, count: 16))
  }

  /// A record as the kernel lays it out: the common fields, then its own.
  func bytes(_ record: Record) -> [UInt8] {
    var data =
      number(UInt64(record.identifier), 2) + [0, 0] + number(UInt64(record.pid), 4)
      + [UInt8](repeating: 0xCC, count: gap) + record.payload
    while data.count % 4 != 0 { data.append(0) }
    return data
  }

  // MARK: Pages

  private func eventHead(_ type: UInt64, _ delta: UInt64) -> [UInt8] {
    number(isBigEndian ? type << 27 | delta : delta << 5 | type, 4)
  }

  /// All records of a CPU as ring pages. Each page starts with a discarded event, and records use the
  /// short and the long form in turn.
  private func pages(_ records: [Record], lost: UInt64?) -> [UInt8] {
    var pages: [UInt8] = []
    var rest = records[...]
    var missed = lost
    while let first = rest.first {
      var body = eventHead(29, 1) + number(12, 4) + [UInt8](repeating: 0xEE, count: 8)
      var time = first.time - 10 + 1
      let start = first.time - 10
      while let record = rest.first, body.count < 3_500 {
        var delta = record.time - time
        if delta >= 1 << 27 {
          body += eventHead(30, delta & 0x7FF_FFFF) + number(delta >> 27, 4)
          delta = 0
        }
        let data = bytes(record)
        if rest.count % 2 == 0 {
          body += eventHead(UInt64(data.count / 4), delta)
        } else {
          body += eventHead(0, delta) + number(UInt64(data.count + 4), 4)
        }
        body += data
        time = record.time
        rest.removeFirst()
      }
      var commit = UInt64(body.count)
      if let missed { commit |= 1 << 31 | (missed > 0 ? 1 << 30 : 0) }
      var page = number(start, 8) + number(commit, longSize) + body
      if let missed, missed > 0 { page += number(missed, longSize) }
      missed = nil
      pages += page + [UInt8](repeating: 0, count: 4096 - page.count)
    }
    return pages
  }

  // MARK: Files

  private var headers: [UInt8] {
    let page = """
      \tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
      \tfield: local_t commit;\toffset:8;\tsize:\(longSize);\tsigned:1;
      \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
      \tfield: char data;\toffset:\(8 + longSize);\tsize:4080;\tsigned:1;

      """
    let event = "# compressed entry header\n"
    return string("header_page") + number(UInt64(page.utf8.count), 8) + Array(page.utf8)
      + string("header_event") + number(UInt64(event.utf8.count), 8) + Array(event.utf8)
  }

  private var eventFormats: [UInt8] {
    var bytes = number(1, 4) + string("all") + number(UInt64(formats.count), 4)
    for text in formats { bytes += number(UInt64(text.utf8.count), 8) + Array(text.utf8) }
    return bytes
  }

  private var commands: [UInt8] {
    let text = "1 init\n77 kworker/0:1\n"
    return number(UInt64(text.utf8.count), 8) + Array(text.utf8)
  }

  private var initial: [UInt8] {
    [0x17, 0x08, 0x44] + Array("tracing".utf8) + string("\(version)")
      + [isBigEndian ? 1 : 0, UInt8(longSize)] + number(4096, 4)
  }

  /// What perf writes of the formats: the front of a file of version 6, named 0.6.
  var tracingData: [UInt8] {
    [0x17, 0x08, 0x44] + Array("tracing".utf8) + string("0.6")
      + [isBigEndian ? 1 : 0, UInt8(longSize)] + number(4096, 4) + headers + number(0, 4)
      + eventFormats + number(0, 4) + number(0, 4) + commands
  }

  func file() -> [UInt8] {
    let data = cpus.enumerated().map { pages($1, lost: $0 == 0 ? lostBeforeFirstPage : nil) }
    return version == 6 ? sequence(data) : sections(data)
  }

  private func sequence(_ data: [[UInt8]]) -> [UInt8] {
    var bytes = initial + headers + number(0, 4) + eventFormats
    bytes += number(3, 4) + Array("sym".utf8) + number(0, 4) + commands
    let clockText = "local [\(clock)] boot"
    bytes += number(UInt64(data.count), 4) + string("options  ") + number(4, 2)
    bytes += number(UInt64(clockText.utf8.count + 1), 4) + string(clockText)
    for option in options { bytes += self.option(option.identifier, option.content) }
    bytes += number(0, 2)
    bytes += string("flyrecord")
    var offset = (bytes.count + 16 * data.count + 4095) / 4096 * 4096
    for pages in data {
      bytes += number(UInt64(offset), 8) + number(UInt64(pages.count), 8)
      offset += pages.count
    }
    bytes += [UInt8](repeating: 0, count: (4096 - bytes.count % 4096) % 4096)
    return bytes + data.flatMap { $0 }
  }

  private func section(_ identifier: UInt64, _ content: [UInt8]) -> [UInt8] {
    number(identifier, 2) + number(0, 2) + number(0, 4) + number(UInt64(content.count), 8) + content
  }

  private func option(_ identifier: UInt64, _ content: [UInt8]) -> [UInt8] {
    number(identifier, 2) + number(UInt64(content.count), 4) + content
  }

  private func sections(_ data: [[UInt8]]) -> [UInt8] {
    let start = initial + string("none") + string("")
    var bytes: [UInt8] = []
    var options = self.options.flatMap { option($0.identifier, $0.content) }
    func place() -> UInt64 { UInt64(start.count + 8 + bytes.count) }
    for (identifier, content) in [
      (UInt64(16), headers), (17, number(0, 4)), (18, eventFormats), (21, commands),
    ] {
      options += option(identifier, number(place(), 8))
      bytes += section(identifier, content)
    }
    let buffer = place()
    bytes += section(3, data.flatMap { $0 })
    var table = number(buffer, 8) + string("") + string(clock) + number(4096, 4)
    table += number(UInt64(data.count), 4)
    var offset = buffer + 16
    for (cpu, pages) in data.enumerated() {
      table += number(UInt64(cpu), 4) + number(offset, 8) + number(UInt64(pages.count), 8)
      offset += UInt64(pages.count)
    }
    // Two options sections: the first points to the second.
    let second = place()
    bytes += section(0, option(3, table) + option(0, number(0, 8)))
    let first = place()
    bytes += section(0, options + option(0, number(second, 8)))
    return start + number(first, 8) + bytes
  }
}
