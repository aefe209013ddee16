import EventModel
import Glibc
import Testing

@testable import TraceImport

/// Rings that a test fills: pipes, which answer an empty read, a page and `poll` as the kernel's
/// files do. The clock is the test's own.
struct PipedRings: ~Copyable {
  final class Clock { var time: UInt64 = 0 }

  let clock = Clock()
  var reader: LiveReader
  private let writers: [Int32]

  init(cpus: [UInt16]) throws {
    var rings: [RingFiles.Ring] = []
    var writers: [Int32] = []
    for cpu in cpus {
      var ends: [Int32] = [-1, -1]
      // Safety: pipe fills in two numbers.
      try #require(unsafe pipe(&ends) == 0)
      for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
      // F_SETPIPE_SZ (linux, include/uapi/linux/fcntl.h): room for 256 pages.
      try #require(fcntl(ends[1], 1031, Int32(1 << 20)) >= 1 << 20)
      rings.append(RingFiles.Ring(cpu: cpu, path: "cpu\(cpu)", descriptor: ends[0]))
      writers.append(ends[1])
    }
    self.writers = writers
    var formats = TracefsFormats()
    for text in DatBuilder().formats { formats.readFormat(text) }
    let clock = clock
    reader = LiveReader(
      RingFiles(rings, pageSizeBytes: RingPageBuilder.size), formats, origin: .host
    ) { clock.time }
  }

  deinit { for writer in writers { close(writer) } }

  /// Makes a page readable.
  func write(_ page: [UInt8], to ring: Int) throws {
    // Safety: the array's own count is passed.
    try #require(unsafe Glibc.write(writers[ring], page, page.count) == page.count)
  }

  /// What is due by now.
  mutating func take() throws -> [TraceEvent] {
    var events: [TraceEvent] = []
    while try reader.take({ span in for index in span.indices { events.append(span[index]) } }) {}
    return events
  }

  mutating func finish() throws -> [TraceEvent] {
    var events: [TraceEvent] = []
    try reader.finish { span in for index in span.indices { events.append(span[index]) } }
    return events
  }

  /// A record of irq_handler_entry.
  static func interrupt(_ number: UInt32) -> [UInt8] {
    let builder = DatBuilder()
    return builder.bytes(builder.interrupt(0, irq: number, name: "x\(number)"))
  }

  /// A page with one interrupt.
  static func page(_ number: UInt32, at time: UInt64, lost: UInt64? = nil) -> [UInt8] {
    var page = RingPageBuilder(at: time)
    page.record(interrupt(number), at: time)
    return page.page(lost: lost)
  }
}
