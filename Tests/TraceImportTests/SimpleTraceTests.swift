import EventModel
import TestSupport
import Testing

@testable import TraceImport

/// What an import of a simpletrace gives, all at once.
private struct ImportedSimpleTrace {
  var events: [TraceEvent] = []
  var report = ImportReport()

  init(_ bytes: [UInt8], _ declarations: String, pieceBytes: Int = 1 << 20) throws {
    var source = TextSource(bytes, pieceBytes: pieceBytes)
    report = try SimpleTraceImporter()
      .run(source: &source, EventDeclarations(declarations)) { span in
        for index in span.indices { events.append(span[index]) }
      }
  }

  func tally(_ name: String) -> ImportReport.NameTally? {
    report.names.first { $0.name == name }
  }
}

@Suite struct SimpleTraceTests {
  static let shapes: [(version: UInt64, isBigEndian: Bool)] = [
    (3, false), (3, true), (4, false), (4, true),
  ]

  /// Each line as a record with its arguments, and the format put together from the declarations.
  @Test(arguments: shapes) func aLogAsRecordsGivesTheEventsOfTheLog(
    version: UInt64, isBigEndian: Bool
  ) throws {
    for name in ["commands.log", "translation.log"] {
      let text = String(decoding: try Golden.bytes(name), as: UTF8.self)
      let lines = text.split(separator: "\n").filter { $0.first?.isNumber == true }
      try expectEqual(lines.joined(separator: "\n") + "\n", version, isBigEndian)
    }
  }

  @Test(
    .enabled(if: Captures.has(Captures.path("boot.qemu.log.zst")), "boot.qemu.log.zst is not there")
  )
  func aRecordedBootAsRecordsGivesTheEventsOfItsLog() throws {
    var input = try CaptureInput(path: Captures.path("boot.qemu.log.zst"))
    let text = String(decoding: try input.peek(64 << 20), as: UTF8.self)
    let lines = text.split(separator: "\n").filter { LineShape.isTraceLine($0) }
    try #require(lines.count > 10_000)
    try expectEqual(lines.joined(separator: "\n") + "\n", 4, false)
  }

  private func expectEqual(_ log: String, _ version: UInt64, _ isBigEndian: Bool) throws {
    let expected = try Imported(Array(log.utf8))
    let made = LogAsSimpleTrace(log, version: version, isBigEndian: isBigEndian)
    let found = try ImportedSimpleTrace(made.trace.bytes, made.declarations, pieceBytes: 1_000)
    try #require(!expected.events.isEmpty)
    #expect(found.events.count == expected.events.count)
    let difference = zip(found.events, expected.events).first { $0 != $1 }
    #expect(difference == nil)
    #expect(found.report.lineCount == expected.report.lineCount)
    #expect(found.report.usedLines == expected.report.usedLines)
    #expect(found.report.notUnderstoodLines == expected.report.notUnderstoodLines)
    #expect(found.report.geometry == expected.report.geometry)
  }

  private static let acknowledge =
    "gicv3_icc_iar1_read(uint32_t cpu, uint64_t val) \"ICC_IAR1 read cpu 0x%x value 0x%\" PRIx64\n"

  @Test(arguments: shapes) func droppedEventsBecomeALossInTheirPlace(
    version: UInt64, isBigEndian: Bool
  ) throws {
    var trace = SimpleTraceBuilder(version: version, isBigEndian: isBigEndian)
    if version == 4 { trace.name(0, "gicv3_icc_iar1_read") }
    trace.event(0, nanoseconds: 5_000, [.number(1), .number(0x2005)])
    trace.dropped(17, nanoseconds: 5_700)
    trace.event(0, nanoseconds: 6_001, [.number(2), .number(0x2006)])
    let found = try ImportedSimpleTrace(trace.bytes, Self.acknowledge)
    #expect(found.events.map(\.kind) == [.acknowledge, .loss, .acknowledge])
    #expect(found.events.map(\.time) == [0, 700, 1_001])
    #expect(found.events[1].word0 == 17)
    #expect(found.tally("dropped")?.used == 1)
    #expect(found.report.clockResolutionNanoseconds == 1)
  }

  @Test func aRecordWhoseArgumentsAreNotThoseDeclaredIsCountedAndNamed() throws {
    var trace = SimpleTraceBuilder(version: 4)
    trace.name(7, "gicv3_icc_iar1_read")
    trace.name(8, "gicv3_icc_eoir_write")
    trace.event(7, nanoseconds: 1_000, [.number(1)])
    trace.event(7, nanoseconds: 1_000, [.number(1), .number(0x2005), .number(3)])
    trace.event(8, nanoseconds: 1_000, [.number(1)])
    trace.event(9, nanoseconds: 1_000, [.text("unnamed")])
    trace.event(7, nanoseconds: 1_000, [.number(1), .number(0x2005)])
    let found = try ImportedSimpleTrace(trace.bytes, Self.acknowledge)
    #expect(found.events.count == 1)
    #expect(found.tally("gicv3_icc_iar1_read")?.notUnderstood == 2)
    #expect(found.tally("gicv3_icc_eoir_write")?.notUnderstood == 1)
    #expect(found.tally("event_number_9_without_a_name")?.notUnderstood == 1)
    #expect(
      found.report.notes.contains(
        "gicv3_icc_eoir_write: its arguments are not those that are declared"))
  }

  @Test(arguments: shapes) func aFileWithAnyByteChangedOrCutIsReadOrRefusedButNeverTraps(
    version: UInt64, isBigEndian: Bool
  ) throws {
    let text = String(decoding: try Golden.bytes("translation.log"), as: UTF8.self)
    let made = LogAsSimpleTrace(
      text.split(separator: "\n").prefix(12).joined(separator: "\n"), version: version,
      isBigEndian: isBigEndian)
    let bytes = made.trace.bytes
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= index % 2 == 0 ? 0xFF : 0x81
      _ = try? ImportedSimpleTrace(damaged, made.declarations)
      _ = try? ImportedSimpleTrace(Array(bytes[..<index]), made.declarations)
    }
    let cut = try ImportedSimpleTrace(Array(bytes.dropLast()), made.declarations)
    #expect(cut.report.damage.map(\.damage) == [.unterminated])
  }

  @Test func withoutDeclarationsTheErrorSaysWhereTheyWereLookedFor() throws {
    try TemporaryCapture.with(SimpleTraceBuilder(version: 4).bytes) { path in
      let named = CaptureImporter(declarations: "/no/such/trace-events-all")
      #expect(throws: ImportError.self) { try ImportedCapture(path: path, named) }
      #expect(CaptureFormat(head: SimpleTraceBuilder(version: 3).bytes) == .simpleTrace)
    }
    let error = ImportError.missingDeclarations(name: "a.trace", lookedFor: ["x", "y"])
    #expect(error.description.contains("found none at x, y"))
  }
}

private enum LineShape {
  /// "PID@SECONDS.MICROS:name …" and nothing that another thread wrote into it.
  static func isTraceLine(_ line: Substring) -> Bool {
    let parts = line.split(separator: " ", maxSplits: 1)
    guard let head = parts.first?.split(whereSeparator: { "@.:".contains($0) }), head.count == 4
    else { return false }
    return head.prefix(3).allSatisfy { UInt64($0) != nil } && !line.dropFirst(30).contains("@1")
  }
}

/// Formats of C's printf, against the C library.
@Suite struct PrintFormatTests {
  private func printed(_ format: String, _ value: UInt64, bits: UInt64) -> String? {
    guard let parsed = PrintFormat(Array(format.utf8)) else { return nil }
    var text: [UInt8] = []
    for piece in parsed.pieces {
      switch piece {
      case .literal(let bytes): text += bytes
      case .conversion(let conversion): conversion.print(value, bits: bits, into: &text)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  @Test func numbersArePrintedAsTheyAreInC() {
    // Format, value, bits, and what printf(3) gives.
    let cases: [(String, UInt64, UInt64, String)] = [
      ("%d", UInt64(bitPattern: -5), 32, "-5"), ("%u", UInt64(bitPattern: -5), 32, "4294967291"),
      ("%x", UInt64(bitPattern: -1), 16, "ffff"), ("0x%08x", 0x1F, 32, "0x0000001f"),
      ("%02x:%02x", 7, 8, "07:07"), ("%#x", 0x1F, 32, "0x1f"), ("%#x", 0, 32, "0"),
      ("%#06x", 0x1F, 32, "0x001f"), ("%5d|", 42, 32, "   42|"), ("%-5d|", 42, 32, "42   |"),
      ("%.8x", 0xABC, 32, "00000abc"), ("%2.2x", 0xA, 8, "0a"), ("%X", 0xABC, 32, "ABC"),
      ("%p", 0, 64, "(nil)"), ("%p", 0x55, 64, "0x55"), ("%c", 65, 8, "A"), ("100%%", 1, 8, "100%"),
      ("%lld", UInt64(bitPattern: .min), 64, "-9223372036854775808"), ("%o", 8, 32, "10"),
      ("%06d", UInt64(bitPattern: -5), 32, "-00005"),
    ]
    for (format, value, bits, expected) in cases {
      #expect(printed(format, value, bits: bits) == expected, "\(format)")
    }
  }

  @Test func whatIsNoFormatIsRefused() {
    for format in ["%", "%q", "%*d", "%5", "%.", "%99999999999d", "%.300x"] {
      #expect(PrintFormat(Array(format.utf8)) == nil, "\(format)")
    }
  }

  @Test func declarationsAreTakenApart() throws {
    let event = try #require(
      EventDeclaration(
        #"disable ev(const char *n, uint16_t sid, int64_t *p, bool b) "%s sid=0x%"PRIx16" %p \"%d\"""#
      ))
    #expect(event.name == "ev" && event.isDisabled)
    #expect(event.arguments == [.text, .number(bits: 16), .number(bits: 64), .number(bits: 8)])
    #expect(event.format?.conversionCount == 4)
    #expect(EventDeclaration("ev(void) \"nothing\"")?.arguments == [])
    #expect(EventDeclaration("ev(uint8_t x) \"no conversion\"")?.format == nil)
    #expect(EventDeclaration("ev(hwaddr x) \"0x%\" HWADDR_PRIx")?.format?.conversionCount == 1)
    #expect(EventDeclaration("# ev(int x) \"%d\"") == nil)
    #expect(EventDeclaration("") == nil)
  }
}
