import EventModel
import TestSupport
import Testing

@testable import TraceImport

/// Events as CSV and JSON lines, out and back.
@Suite struct TableTests {
  private struct Imported {
    var events: [TraceEvent] = []
    var report = ImportReport()

    init(_ bytes: [UInt8], _ form: TableImporter.Form, pieceBytes: Int = 1 << 20) throws {
      var source = TextSource(bytes, pieceBytes: pieceBytes)
      report = try TableImporter(form).run(source: &source) { span in
        for index in span.indices { events.append(span[index]) }
      }
    }

    init(_ lines: [String], _ form: TableImporter.Form) throws {
      try self.init(Array((lines.joined(separator: "\n") + "\n").utf8), form)
    }
  }

  /// Any bits in any word, and every kind.
  private static func anyEvents(seed: UInt64) -> [TraceEvent] {
    var generator = SeededGenerator(seed: seed)
    var time: UInt64 = 0
    return (0..<2_000).map { index in
      time += UInt64.random(in: 0...1_000, using: &generator)
      func word() -> UInt64 {
        switch Int.random(in: 0...3, using: &generator) {
        case 0: 0
        case 1: UInt64.random(in: 0...255, using: &generator)
        default: UInt64.random(in: 0 ... .max, using: &generator)
        }
      }
      return TraceEvent(
        time: time, kind: EventKind.all[index % EventKind.all.count], word0: word(), word1: word(),
        word2: word(), word3: word(),
        target: InterruptTarget(rawValue: UInt16.random(in: 0 ... .max, using: &generator)),
        vector: UInt16.random(in: 0 ... .max, using: &generator),
        flags: EventFlags(rawValue: UInt8.random(in: 0 ... .max, using: &generator)),
        outcome: OutcomeClass(rawValue: UInt8.random(in: 0 ... .max, using: &generator)),
        origin: EventOrigin(rawValue: UInt8.random(in: 0 ... .max, using: &generator)))
    }
  }

  private static func text(_ events: [TraceEvent], _ form: EventText.Form) -> [UInt8] {
    let text = EventText(form)
    var bytes: [UInt8] = []
    text.appendHeading(to: &bytes)
    for (ordinal, event) in events.enumerated() {
      text.append(event, ordinal: UInt64(ordinal), to: &bytes)
    }
    return bytes
  }

  @Test(arguments: [1, 2, 3]) func everyBitOfEveryKindSurvivesBothForms(seed: UInt64) throws {
    let events = Self.anyEvents(seed: seed)
    let csv = try Imported(Self.text(events, .csv), .csv, pieceBytes: 1_000)
    #expect(csv.events == events)
    #expect(csv.report.lineCount == UInt64(events.count + 1))
    let json = try Imported(Self.text(events, .jsonLines), .jsonLines)
    #expect(json.events == events)
    #expect(json.report.usedLines == UInt64(events.count))
  }

  @Test func aLineOfEachFormIsAsItIsDocumented() {
    let event = TraceEvent.msi(
      time: 1_500_000_007, streamID: 8, deviceID: 8, address: 0xFFFF_F040, data: 3,
      vector: 3, expectedINTID: 8195, expectedTarget: .pe(2), outcome: .delivered, origin: .emulator
    )
    func line(_ form: EventText.Form) -> String {
      var bytes: [UInt8] = []
      EventText(form, kinds: [.msi]).append(event, ordinal: 12, to: &bytes)
      return String(decoding: bytes, as: UTF8.self)
    }
    #expect(
      line(.text)
        == "      12      1.500000007 msi stream=0x8 device=0x8 address=0xfffff040 data=0x3 "
        + "intid=8195 target=pe2 vector=3 flags=write outcome=delivered origin=emulator\n")
    #expect(
      line(.jsonLines)
        == "{\"ordinal\":12,\"time\":1500000007,\"kind\":\"msi\",\"stream\":\"0x8\","
        + "\"device\":\"0x8\",\"address\":\"0xfffff040\",\"data\":\"0x3\",\"intid\":8195,"
        + "\"target\":\"pe2\",\"vector\":\"3\",\"flags\":\"write\",\"outcome\":\"delivered\","
        + "\"origin\":\"emulator\"}\n")
    #expect(
      line(.csv)
        == "12,1500000007,msi,emulator,0x8,0x8,0xfffff040,,0x3,8195,pe2,3,write,delivered\n")
  }

  @Test func handWrittenRowsMayLeaveOutWhatIsZero() throws {
    let csv = try Imported(
      ["kind,time,stream,data,address", "msi,5,8,\"0x3\",0xfffff040", "mark,6,,,"], .csv)
    #expect(csv.events.map(\.kind) == [.msi, .mark])
    #expect(csv.events[0].streamID == 8 && csv.events[0].data == 3)
    #expect(csv.events[0].iova == 0xFFFF_F040 && csv.events[0].outcome == .notRecorded)
    let json = try Imported(
      [" { \"kind\" : \"dma\", \"time\" : 7, \"stream\" : 32, \"pa\" : null } "], .jsonLines)
    #expect(json.events.map(\.streamID) == [32])
  }

  @Test func rowsThatAreNotUnderstoodAreCountedAndNeverGuessed() throws {
    let rows = [
      "{\"kind\":\"msi\"}", "{\"time\":1}", "{\"kind\":\"nothing\",\"time\":1}",
      "{\"kind\":\"msi\",\"time\":1,\"iova\":1}", "{\"kind\":\"msi\",\"time\":-1}",
      "{\"kind\":\"msi\",\"time\":1.5}", "{\"kind\":\"msi\",\"time\":1,\"data\":\"0x100000000\"}",
      "{\"kind\":\"msi\",\"time\":1,\"target\":\"pe40000\"}",
      "{\"kind\":\"msi\",\"time\":1,\"flags\":\"quick\"}",
      "{\"kind\":\"msi\",\"time\":1,\"outcome\":\"fine\"}",
      "{\"kind\":\"msi\",\"time\":1", "{\"kind\":[]}", "{}", "[1]", "{\"kind\":\"msi\"} x", "",
    ]
    let imported = try Imported(rows, .jsonLines)
    #expect(imported.events.isEmpty)
    #expect(imported.report.lineCount == UInt64(rows.count))
    #expect(
      imported.report.notUnderstoodLines + imported.report.damagedLines == UInt64(rows.count))
    let csv = try Imported(
      ["time,kind", "1,msi,3", "1,\"msi", "1,m\"si", "x,msi", "2,msi"], .csv)
    #expect(csv.events.map(\.time) == [2])
    #expect(csv.report.lineCount == 6)
  }

  @Test func aHeadingWithoutTimeOrWithAForeignColumnIsRefused() {
    #expect(throws: ImportError.self) { try Imported(["kind,stream", "msi,3"], .csv) }
    #expect(throws: ImportError.self) { try Imported(["time,kind,colour", "1,msi,3"], .csv) }
    #expect(throws: ImportError.self) { try Imported([UInt8](), .csv) }
  }

  @Test func labelsAreDifferentForDifferentValues() {
    let outcomes = (0...UInt8.max).map { OutcomeClass(rawValue: $0) }
    #expect(outcomes.allSatisfy { OutcomeClass(label: "\($0)") == $0 })
    let flags = (0...UInt8.max).map { EventFlags(rawValue: $0) }
    #expect(flags.allSatisfy { EventFlags(label: $0.label) == $0 })
    let targets = (0...UInt16.max).map { InterruptTarget(rawValue: $0) }
    #expect(targets.allSatisfy { InterruptTarget(label: $0.label) == $0 })
  }
}
