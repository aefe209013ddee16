import EventModel
import Glibc
import TestSupport
import Testing

@testable import TraceImport

/// What an import of a trace.dat gives, all at once.
private struct ImportedDat {
  var events: [TraceEvent] = []
  var report = ImportReport()

  init(path: String) throws {
    report = try TraceDatImporter(path: path, origin: .guest).run { span in
      for index in span.indices { events.append(span[index]) }
    }
  }

  init(_ bytes: [UInt8]) throws { self = try TemporaryCapture.with(bytes) { try Self(path: $0) } }

  func events(_ kind: EventKind) -> [TraceEvent] { events.filter { $0.kind == kind } }
}

/// Files in every shape that trace-cmd writes, made by `DatBuilder`.
@Suite struct TraceDatTests {
  /// Version, byte order, long size, gap before the fields.
  static let shapes: [(version: Int, isBigEndian: Bool, longSize: Int, gap: Int)] =
    [6, 7].flatMap { version in
      [false, true].flatMap { order in
        [4, 8].flatMap { long in [0, 4].map { (version, order, long, $0) } }
      }
    }

  private static func builder(
    _ shape: (version: Int, isBigEndian: Bool, longSize: Int, gap: Int)
  ) -> DatBuilder {
    var builder = DatBuilder()
    builder.version = shape.version
    builder.isBigEndian = shape.isBigEndian
    builder.longSize = shape.longSize
    builder.gap = shape.gap
    return builder
  }

  @Test(arguments: shapes) func everyVersionAndByteOrderGivesTheSameEvents(
    version: Int, isBigEndian: Bool, longSize: Int, gap: Int
  ) throws {
    var builder = Self.builder((version, isBigEndian, longSize, gap))
    builder.cpus = [
      [
        builder.interrupt(1_000, irq: 25, name: "nvme0q1"), builder.other(1_500),
        builder.map(5_000_000_000, iova: 0xFFF7_E000, address: 0x4EF8_7000, size: 0x1000),
      ],
      [
        builder.injection(2_000, address: 0x809_0040, data: 3, device: 8),
        builder.interrupt(3_000, irq: 26, name: "nvme0q2"),
      ],
    ]
    let imported = try ImportedDat(builder.file())
    #expect(imported.events.map(\.time) == [1_000, 2_000, 3_000, 5_000_000_000])
    #expect(imported.events.map(\.kind) == [.mark, .msi, .mark, .map])
    #expect(imported.events.map(\.origin) == Array(repeating: .guest, count: 4))
    #expect(imported.events[0].word0 == 25 && imported.events[0].target == .pe(0))
    #expect(imported.events[2].word0 == 26 && imported.events[2].target == .pe(1))
    let message = imported.events[1]
    #expect(message.iova == 0x809_0040 && message.data == 3 && message.deviceID == 8)
    let leaf = imported.events[3]
    #expect(leaf.iova == 0xFFF7_E000 && leaf.outputAddress == 0x4EF8_7000)
    #expect(leaf.log2SizeBytes == 12 && leaf.streamID == TraceEvent.unknownDevice)
    #expect(leaf.flags.contains(.inferred))
    #expect(imported.report.lineCount == 5)
    #expect(imported.report.usedLines == 4 && imported.report.ignoredLines == 1)
    #expect(imported.report.notes.contains("Linux interrupt 25 is nvme0q1"))
    #expect(imported.report.notes.contains("clock mono"))
    #expect(imported.report.geometry.peCount == 2)
  }

  @Test(arguments: shapes) func lostEventsAndFurtherPagesComeThrough(
    version: Int, isBigEndian: Bool, longSize: Int, gap: Int
  ) throws {
    var builder = Self.builder((version, isBigEndian, longSize, gap))
    var generator = SeededGenerator(seed: 4)
    var time: UInt64 = 1_000
    var records: [DatBuilder.Record] = []
    for index in 0..<700 {
      // Some deltas need the time extension.
      time += UInt64.random(in: 1...400_000_000, using: &generator)
      records.append(builder.interrupt(time, irq: UInt32(index), name: "x\(index)"))
    }
    builder.cpus = [records.enumerated().filter { $0.offset % 3 != 0 }.map(\.element)]
    builder.cpus.append(records.enumerated().filter { $0.offset % 3 == 0 }.map(\.element))
    builder.lostBeforeFirstPage = 17
    let imported = try ImportedDat(builder.file())
    #expect(imported.events(.mark).map(\.time) == records.map(\.time))
    #expect(imported.events(.mark).map(\.word0) == (0..<700).map { UInt64($0) })
    #expect(imported.events(.loss).map(\.word0) == [17])
    builder.lostBeforeFirstPage = 0
    #expect(try ImportedDat(builder.file()).events(.loss).map(\.word0) == [0])
  }

  @Test func largeMappingsAreCutIntoTheLeavesThatTheKernelUses() throws {
    var builder = DatBuilder()
    builder.cpus = [
      [
        builder.map(20, iova: 0x1F_F000, address: 0x401F_F000, size: 0x40_2000),
        builder.map(30, iova: 0x4000_0000, address: 0x8000_0000, size: 0x4000_0000),
        builder.map(40, iova: 0x20_0000, address: 0x1000, size: 0x2000),
        builder.map(50, iova: 0x1000, address: 0x1000, size: 0),
        builder.map(60, iova: 0x1001, address: 0x1000, size: 0x1000),
        builder.map(70, iova: 0x1000, address: 0x1000, size: .max & ~0xFFF),
      ]
    ]
    let imported = try ImportedDat(builder.file())
    #expect(
      imported.events.map { "\($0.time) \($0.iova) \($0.outputAddress) \($0.log2SizeBytes)" } == [
        "20 2093056 1075834880 12", "20 2097152 1075838976 21", "20 4194304 1077936128 21",
        "20 6291456 1080033280 12", "30 1073741824 2147483648 30", "40 2097152 4096 12",
        "40 2101248 8192 12",
      ])
    #expect(imported.report.notUnderstoodLines == 3)
  }

  /// Two CPUs whose clocks stand differently to the host's, ticks of 2 to the nanosecond.
  @Test(arguments: [6, 7]) func aGuestsTimesBecomeThoseOfItsHost(version: Int) throws {
    var builder = DatBuilder()
    builder.version = version
    func numbers(_ all: [UInt64], _ size: Int = 8) -> [UInt8] {
      all.flatMap { builder.number($0, size) }
    }
    let shift =
      numbers([77]) + numbers([1, 2], 4)
      // CPU 0: an offset that grows by 100 in 1,000; CPU 1: one offset, of −500.
      + numbers([2], 4) + numbers([1_000, 2_000, 10_000, 10_100, 1, 1])
      + numbers([1], 4) + numbers([1_000, UInt64(bitPattern: -500), 1])
      + numbers([0, 0, 0])
    builder.options = [
      (12, shift), (14, numbers([1, 1], 4) + numbers([0])),
      (13, Array("web\0".utf8) + numbers([99]) + numbers([1, 0, 4_242], 4)),
    ]
    builder.cpus = [
      [builder.interrupt(1_500, irq: 1, name: "a"), builder.interrupt(3_000, irq: 2, name: "a")],
      [builder.interrupt(11_000, irq: 3, name: "a")],
    ]
    let bytes = builder.file()
    try TemporaryCapture.with(bytes) { path in
      let own = try ImportedCapture(path: path)
      #expect(own.events.map(\.time) == [750, 1_500, 5_500])
      #expect(own.report.notes.contains { $0.contains("trace 77, are known") })
      #expect(own.report.notes.contains("guest web of 1 CPUs was recorded too, as trace 99"))
      let host = try ImportedCapture(path: path, CaptureImporter(usesHostClock: true))
      // (1,500 + 10,050) / 2, (11,000 − 500) / 2 and (3,000 + 10,200) / 2: in the host's order.
      #expect(host.events.map(\.time) == [5_250, 5_775, 6_600])
      #expect(host.events.map(\.word0) == [3, 1, 2])
      #expect(host.report.backwardTimes == 0)
      #expect(host.report.notes.contains("times are those of the host with trace 77"))
    }
    builder.options = []
    let without = builder.file()
    _ = try TemporaryCapture.with(without) { path in
      #expect(throws: ImportError.self) {
        try ImportedCapture(path: path, CaptureImporter(usesHostClock: true))
      }
    }
  }

  @Test func aClockOfTheHostThatIsCutOrScaledIsReadAsFarAsItGoes() {
    func clock(_ words: [(UInt64, Int)]) -> GuestClock? {
      let builder = DatBuilder()
      return GuestClock(
        OrderedBytes(words.flatMap { builder.number($0.0, $0.1) }, isBigEndian: false))
    }
    let whole: [(UInt64, Int)] = [
      (7, 8), (0, 4), (1, 4), (2, 4), (100, 8), (200, 8), (5, 8), (6, 8), (3, 8), (3, 8), (1, 8),
      (1, 8),
    ]
    // Scaled by 3/2, without interpolation.
    #expect(clock(whole)?.hostTime(1_000, cpu: 0) == 1_505)
    #expect(clock(whole)?.hostTime(1_000, cpu: 1) == 1_000)
    for length in 3..<whole.count where length != 10 {
      #expect(clock(Array(whole[..<length])) == nil, "\(length) words")
    }
    #expect(clock([(7, 8), (0, 4), (UInt64(UInt32.max), 4)]) == nil)
  }

  @Test(arguments: [6, 7]) func aFileWithAnyByteChangedOrCutIsReadOrRefusedButNeverTraps(
    version: Int
  ) throws {
    var builder = DatBuilder()
    builder.version = version
    builder.cpus = [
      [builder.interrupt(1_000, irq: 25, name: "a")], [builder.other(1_500), builder.other(1_600)],
    ]
    let bytes = builder.file()
    // The rest of a page is not looked at.
    let used = bytes.indices.filter { bytes[$0] != 0 || $0 < 3_000 }
    for index in used {
      var damaged = bytes
      damaged[index] ^= index % 2 == 0 ? 0xFF : 0x81
      _ = try? ImportedDat(damaged)
    }
    for length in stride(from: 0, to: bytes.count, by: 97) {
      #expect(throws: ImportError.self, "cut at \(length)") {
        try ImportedDat(Array(bytes[..<length]))
      }
    }
  }

  @Test func errorsNameFileByteExpectedAndFound() throws {
    try TemporaryCapture.with([0x17, 0x08, 0x44] + Array("tracing9\0".utf8)) { path in
      do {
        _ = try ImportedDat(path: path)
        Issue.record("version 9 was read")
      } catch let error as ImportError {
        #expect(error.description.contains("\(path): version at byte 10: expected 6 or 7, found"))
      }
    }
    #expect(throws: ImportError.unreadable(name: "/no/such.dat", operation: "open", code: ENOENT)) {
      try ImportedDat(path: "/no/such.dat")
    }
  }
}
