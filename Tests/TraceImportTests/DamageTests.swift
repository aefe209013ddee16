import EventModel
import TestSupport
import Testing

@testable import TraceImport

/// Logs that are not as QEMU wrote them: each line is counted, none stops the import.
@Suite struct DamageTests {
  private static let good =
    "5@1.000000:gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x2005"

  private func damage(_ imported: Imported, _ kind: LineDamage) -> ImportReport.DamageTally? {
    imported.report.damage.first { $0.damage == kind }
  }

  /// Every line stands in exactly one tally.
  private func expectEveryLineCounted(_ report: ImportReport, _ comment: Comment? = nil) {
    let counted =
      report.usedLines + report.ignoredLines + report.notUnderstoodLines + report.messageLines
      + report.damagedLines
    #expect(counted == report.lineCount, comment)
  }

  @Test func tornLinesAreCountedWithTheFirstLineNumber() throws {
    let torn = [
      "5@1.0000", "5", "5@1.000000:", "5@1.00000x:name text", "5@1:name",
      "5@1.000000:9name", "5@1.000000: text", "11276@1795443076.35: gic",
      "9_read 5@1795443076.353095:gicv3_its_read", "5@1.000000:na-me",
      "5@1.000000:" + String(repeating: "n", count: 65),
    ]
    for line in torn {
      let imported = try Imported([Self.good, line, Self.good])
      #expect(damage(imported, .torn)?.count == 1, "\(line)")
      #expect(damage(imported, .torn)?.firstLine == 2, "\(line)")
      #expect(imported.events.count == 2)
      expectEveryLineCounted(imported.report)
    }
  }

  @Test func aNumberThatRunsIntoOtherTextIsNotUnderstood() throws {
    let texts = [
      "cpu 0x1 value 0x20g5", "cpu 0x1 value 0x2005_", "cpu 0x1 value 0x20051276@5", "cpu 0x1",
      "value 0x2005", "cpu 0x value 0x2005", "cpu 0x1 value 0x", "cpu 0x1 value",
      "cpu -1 value 0x2005",
      "cpu 0x1 value 99999999999999999999999", "cpu 0x1 value 0x11111111111111111", "",
    ]
    for text in texts {
      let imported = try Imported(["5@1.000000:gicv3_icc_iar1_read \(text)", Self.good])
      #expect(imported.events.count == 1, "\(text)")
      #expect(imported.tally("gicv3_icc_iar1_read")?.notUnderstood == 1, "\(text)")
      #expect(imported.tally("gicv3_icc_iar1_read")?.firstNotUnderstoodLine == 1, "\(text)")
    }
  }

  @Test func aLineWithANULByteIsCountedAndSkipped() throws {
    let text = Array("\(Self.good)\n5@1.000000:gicv3_icc\0_iar1_read\n\(Self.good)\n".utf8)
    for block in [8, 70, 100, 1 << 16] {
      let imported = try Imported(text, blockBytes: block)
      #expect(damage(imported, .nulByte)?.count == 1)
      #expect(damage(imported, .nulByte)?.firstLine == 2)
      #expect(imported.events.count == 2)
      expectEveryLineCounted(imported.report)
    }
  }

  @Test func aLineOfAMegabyteIsOneOverLongLine() throws {
    let long = "5@1.000000:gicv3_its_read " + String(repeating: "x", count: 1_000_000)
    let text = Array("\(Self.good)\n\(long)\n\(Self.good)\n".utf8)
    for block in [1000, 1 << 16, 1 << 21] {
      let imported = try Imported(text, blockBytes: block)
      #expect(damage(imported, .overLong)?.count == 1)
      #expect(damage(imported, .overLong)?.firstLine == 2)
      #expect(imported.report.lineCount == 3)
      #expect(imported.events.count == 2)
      expectEveryLineCounted(imported.report)
    }
  }

  @Test func lineLengthDecidesAloneNotWhereABlockEnds() throws {
    let limit = QEMULogImporter.lineLimitBytes
    for (length, isOverLong) in [(limit - 1, false), (limit, false), (limit + 1, true)] {
      let line = "word" + String(repeating: "y", count: length - 4)
      for block in [999, 1 << 16] {
        let imported = try Imported(Array("\(Self.good)\n\(line)\n".utf8), blockBytes: block)
        #expect((damage(imported, .overLong)?.count ?? 0) == (isOverLong ? 1 : 0))
        #expect(imported.report.messageLines == (isOverLong ? 0 : 1))
      }
    }
  }

  @Test func aCarriageReturnBeforeTheLineEndIsNoPartOfTheLine() throws {
    let text = try Golden.bytes("translation.log")
    let withReturns = text.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
    #expect(try Imported(withReturns).events == Imported(text).events)
  }

  @Test func theLastLineWithoutItsEndIsNotUsed() throws {
    let imported = try Imported(Array("\(Self.good)\n\(Self.good)".utf8))
    #expect(imported.events.count == 1)
    #expect(damage(imported, .unterminated)?.firstLine == 2)
    expectEveryLineCounted(imported.report)
  }

  @Test func emptyLinesAndMessagesAreCounted() throws {
    let imported = try Imported([
      Self.good, "", "do_process_its_cmd: invalid command attributes: invalid ITE",
      "do_process_its_cmd: invalid command attributes: eventid 63 >= 8", "\u{1B}[31mred", " blank",
    ])
    #expect(damage(imported, .empty)?.count == 1)
    let messages = imported.report.messages
    #expect(messages.map(\.firstWord) == ["do_process_its_cmd", "?[31mred", " "])
    #expect(messages.map(\.count) == [2, 1, 1])
    #expect(messages.map(\.firstLine) == [3, 5, 6])
    expectEveryLineCounted(imported.report)
  }

  @Test func anEmptyCaptureAndAForeignOneAreRefused() throws {
    #expect(throws: ImportError.empty(name: "text")) { try Imported([UInt8]()) }
    #expect(throws: ImportError.notAQEMULog(lines: 2, bytes: 12)) {
      try Imported(Array("hello\nworld\n".utf8))
    }
    let long = Array(repeating: "no trace line at all", count: 20_000)
    #expect(throws: ImportError.self) { try Imported(long) }
  }

  @Test func timesNeverRunBackwards() throws {
    func line(_ time: String) -> String {
      "5@\(time):gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x2005"
    }
    // A small step back gets the earlier time; a set clock (an hour) shifts what follows.
    let imported = try Imported([
      line("9000.000000"), line("9000.000010"), line("9000.000004"), line("9000.000011"),
      line("5400.000011"), line("5400.000013"),
    ])
    #expect(imported.events.map(\.time) == [0, 10_000, 10_000, 11_000, 11_000, 13_000])
    #expect(imported.report.backwardTimes == 2)
  }

  @Test func manyNamesThreadsAndMessagesStayBounded() throws {
    let lines = (0..<3000).map { number in
      "\(number)@1.000000:event_\(number) text\nmessage\(number): text\n"
        + "\(number)@1.000000:smmuv3_translate_success m sid=0x1 iova=0x1000 translated=0x2000 perm=0x3"
    }
    let imported = try Imported(lines)
    #expect(imported.report.names.count <= NameTable.capacity + 1)
    #expect(imported.report.messages.count <= NameTable.capacity + 1)
    #expect(imported.report.names.contains { $0.name == "(further names)" })
    #expect(imported.events(.dma).count == 3000)
    expectEveryLineCounted(imported.report)
  }

  @Test(arguments: ["translation.log", "commands.log", "versions.log"])
  func everyByteMayBeWrong(_ name: String) throws {
    let text = try Golden.bytes(name)
    var random = SeededGenerator(seed: 7)
    for index in text.indices {
      var damaged = text
      damaged[index] = UInt8.random(in: 0...255, using: &random)
      guard let imported = try? Imported(damaged, blockBytes: 4096) else { continue }
      expectEveryLineCounted(imported.report, "byte \(index) is \(damaged[index])")
    }
  }

  @Test(arguments: ["translation.log", "commands.log", "versions.log"])
  func aLogMayEndAnywhere(_ name: String) throws {
    let text = try Golden.bytes(name)
    for length in 1..<text.count {
      guard let imported = try? Imported(Array(text[..<length]), blockBytes: 4096) else { continue }
      expectEveryLineCounted(imported.report, "cut at \(length)")
    }
  }

  @Test func linesInAnyOrderNeverBreakTheImport() throws {
    var lines: [String] = []
    for name in ["translation.log", "commands.log", "versions.log"] {
      lines += String(decoding: try Golden.bytes(name), as: UTF8.self).split(separator: "\n")
        .map(String.init)
    }
    for seed in 0..<30 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let imported = try Imported(lines.shuffled(using: &random))
      expectEveryLineCounted(imported.report, "seed \(seed)")
      for (before, after) in zip(imported.events, imported.events.dropFirst()) {
        #expect(before.time <= after.time, "seed \(seed)")
      }
    }
  }
}
