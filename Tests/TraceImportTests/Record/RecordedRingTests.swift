import EventModel
import Testing

@testable import TraceImport

/// Pages that a kernel made, against the text that it printed of them.
@Suite struct RecordedRingTests {
  private struct Recording {
    var events: [TraceEvent] = []
    var report: RecordReport
  }

  private static func read() throws -> Recording {
    var reader = try RecordedRing.reader()
    var events: [TraceEvent] = []
    try reader.finish { span in for index in span.indices { events.append(span[index]) } }
    return Recording(events: events, report: reader.report())
  }

  /// The lines of the text, without its comments.
  private static func lines() throws -> [String] {
    var input = try CaptureInput(path: RecordedRing.path + "/trace.zst")
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      // Safety: the span covers the array for the time of the call.
      let got = unsafe try block.withUnsafeMutableBytes { buffer in
        var span = unsafe OutputRawSpan(buffer: buffer, initializedCount: 0)
        let got = try input.read(into: &span)
        _ = unsafe span.finalize(for: buffer)
        return got
      }
      if got == 0 { break }
      bytes += block[..<got]
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
      .filter { !$0.hasPrefix("#") }
  }

  /// What both the text and a trace event say.
  private struct Line: Equatable {
    var microseconds: UInt64
    var cpu: UInt16?
    var interrupt: UInt64?
    /// Of an MSI the text shows bits only: destination, vector, delivery mode.
    var message: [UInt64]?
  }

  private static func line(_ event: TraceEvent) -> Line {
    // Rounded as the kernel does it (linux, kernel/trace/trace.c, ns2usecs).
    var line = Line(microseconds: (event.time + 500) / 1_000)
    if event.kind == .mark {
      line.cpu = event.vector
      line.interrupt = event.word0
    } else {
      line.message = [
        event.iova >> 12 & 0xFF, UInt64(event.data & 0xFF), UInt64(event.data >> 8 & 7),
      ]
    }
    return line
  }

  private static let modes = ["Fixed", "LowPrio", "SMI", "Res3", "NMI", "INIT", "SIPI", "ExtINT"]

  private static func line(_ text: String) throws -> Line? {
    let parsed = try #require(FtraceLine(text[...].utf8), "\(text)")
    var line = Line(microseconds: parsed.nanoseconds / 1_000)
    switch String(Substring(parsed.event)) {
    case "irq_handler_entry":
      line.cpu = parsed.cpu
      line.interrupt = parsed.number("irq")
    case "kvm_msi_set_irq":
      // "dst 4 vec 68 (SMI|physical|edge)"; dst is hexadecimal.
      let words = Substring(parsed.text).split { " (|)".contains($0) }
      line.message = [
        try #require(UInt64(words[1], radix: 16)), try #require(UInt64(words[3])),
        UInt64(try #require(modes.firstIndex(of: String(words[4])))),
      ]
    default: return nil
    }
    return line
  }

  @Test func decodedPagesSayWhatTheKernelPrintsOfThem() throws {
    let recording = try Self.read()
    let lines = try Self.lines()
    let expected = try lines.compactMap { try Self.line($0) }
    let found = recording.events.filter { $0.kind != .loss }.map(Self.line)
    #expect(found.count == expected.count)
    let difference = zip(found, expected).first { $0 != $1 }
    #expect(difference == nil, "\(String(describing: difference))")
    #expect(recording.report.records.lineCount == UInt64(lines.count))
    #expect(recording.report.records.notUnderstoodLines == 0)
    #expect(recording.report.records.damagedLines == 0)
    // Deltas of more than 27 bits are among them.
    let gaps = zip(found, found.dropFirst()).map { $1.microseconds - $0.microseconds }
    #expect(gaps.contains { $0 > 1 << 27 / 1_000 })
  }

  /// The program's own addresses and data: 900, of which the ring kept the last ones, 24, and 3.
  @Test func theMessagesAreThoseThatWereSent() throws {
    let recording = try Self.read()
    let messages = recording.events.filter { $0.kind == .msi }
    func sent(_ base: Int, _ count: Int) -> [[UInt64]] {
      (0..<count).map {
        [0xFEE0_0000 | UInt64($0 & 7) << 12, 0x4000 | UInt64((base + $0) & 0xFFF)]
      }
    }
    let pairs: [[UInt64]] = (0..<12).flatMap { sent(1_000 + 2 * $0, 2) }
    let all = sent(0, 900) + pairs + sent(2_000, 3)
    #expect(messages.map { [$0.iova, UInt64($0.data)] } == Array(all.dropFirst(580)))
    #expect(messages.allSatisfy { $0.streamID == TraceEvent.unknownDevice && $0.origin == .host })
  }

  @Test func theGapIsWhereTheRingLostEventsAndAsLargeAsItSays() throws {
    let recording = try Self.read()
    let losses = recording.events.filter { $0.kind == .loss }
    #expect(losses.map(\.word0) == [580])
    #expect(recording.events.first?.kind == .loss)
    #expect(recording.report.lostInGaps == 580)
    let stats = try RecordedRing.folder.text("per_cpu/cpu0/stats")
    #expect(RingLoss(cpu: 0, stats: stats).total == 580)
    #expect(try RingLoss(cpu: 1, stats: RecordedRing.folder.text("per_cpu/cpu1/stats")).total == 0)
  }

  /// Any byte may be wrong: what comes out is counted, and nothing traps or hangs.
  @Test func aPageWithAnyByteChangedNeverTraps() throws {
    let layout = try RecordedRing.formats().page
    let files = try RingFiles(RecordedRing.folder, pageSizeBytes: 4_096)
    let page = try #require(try files.page(0))
    for index in stride(from: 0, to: page.count, by: 3) {
      var bytes = page.bytes
      bytes[index] ^= index % 2 == 0 ? 0xFF : 0x81
      var entries = RingEntries()
      entries.begin(OrderedBytes(bytes, isBigEndian: false), layout)
      var count = 0
      while entries.advance() { count += 1 }
      #expect(count <= 4_080 / 4)
    }
    for size in stride(from: 0, to: page.count, by: 61) {
      var entries = RingEntries()
      entries.begin(OrderedBytes(Array(page.bytes[..<size]), isBigEndian: false), layout)
      while entries.advance() {}
      #expect(entries.damagedPages <= 1)
    }
  }
}
