import CZstd
import EventModel
import Testing

@testable import TraceImport

/// Captures that a hostile or defective writer would make. What contradicts its own format is refused
/// with an error that names file, byte, what was expected and what was found; a line that is none is
/// counted. `HostileTests` of TraceFormat asks the same of traces.
@Suite struct HostileCaptureTests {
  /// Expects a complete error.
  private func expect(
    _ bytes: [UInt8], _ subject: String, at byte: UInt64? = nil, expected: String? = nil,
    found: String? = nil
  ) throws {
    try TemporaryCapture.with(bytes) { path in
      let error = try #require(
        #expect(throws: ImportError.self, "\(subject)") { try ImportedCapture(path: path) })
      guard case .malformed(let name, let place, let what, let wanted, let got) = error else {
        Issue.record("\(subject): \(error)")
        return
      }
      #expect(name == path && what == subject)
      #expect(place <= UInt64(bytes.count))
      if let byte { #expect(place == byte, "\(subject)") }
      if let expected { #expect(wanted == expected) }
      if let found { #expect(got == found) }
      #expect(
        error.description.hasPrefix(
          "\(path): \(subject) at byte \(place): expected \(wanted), found \(got); "))
    }
  }

  private static func zstd(_ bytes: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    // Safety: both arrays outlive the call and their true sizes are passed.
    let count = unsafe ZSTD_compress(&output, output.count, bytes, bytes.count, 1)
    return Array(output[..<count])
  }

  // MARK: trace.dat

  private static func dat(_ version: Int) -> [UInt8] {
    var builder = DatBuilder()
    builder.version = version
    builder.cpus = [[builder.interrupt(1_000, irq: 25, name: "a")]]
    return builder.file()
  }

  private static func number(_ value: UInt64, _ size: Int) -> [UInt8] {
    DatBuilder().number(value, size)
  }

  private static func word(_ bytes: [UInt8], at offset: Int) -> Int {
    Int((0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) })
  }

  private static func find(_ text: String, in bytes: [UInt8]) throws -> Int {
    let text = Array(text.utf8)
    return try #require(bytes.indices.last { bytes[$0...].starts(with: text) })
  }

  /// Where version 7 says its first options section is: behind magic, version, order, page size and
  /// the names of the compression.
  private static let firstOptions = 10 + 2 + 2 + 4 + 5 + 1

  @Test func optionsThatLeadBackAreRefused() throws {
    let intact = Self.dat(7)
    let first = Self.word(intact, at: Self.firstOptions)
    let second = Self.word(intact, at: intact.count - 8)
    // The second section, which lies in front of the first, ends with the place of a third.
    for target in [first, second] {
      var bytes = intact
      bytes.replaceSubrange(first - 8..<first, with: Self.number(UInt64(target), 8))
      try expect(
        bytes, "options", at: UInt64(target), expected: "a section that was not read yet",
        found: "a loop")
    }
  }

  @Test func aSectionThatInflatesBeyondItsSizeIsRefused() throws {
    var bytes = Self.dat(7)
    let name = try Self.find("none", in: Array(bytes.prefix(64)))
    bytes.replaceSubrange(name..<name + 4, with: Array("zstd".utf8))
    let section = bytes.count
    bytes.replaceSubrange(
      Self.firstOptions..<Self.firstOptions + 8, with: Self.number(UInt64(section), 8))
    let bomb = Self.zstd([UInt8](repeating: 0, count: 12 << 20))
    for plain: UInt64 in [100, 0xFFFF_FFFF] {
      let content = Self.number(UInt64(bomb.count), 4) + Self.number(plain, 4) + bomb
      let head =
        Self.number(0, 2) + Self.number(1, 2) + Self.number(0, 4)
        + Self.number(UInt64(content.count), 8)
      try expect(
        bytes + head + content, "options", at: UInt64(section + 16),
        expected: plain == 100
          ? "100 bytes of zstd" : "at most \(CaptureFile.pieceLimitBytes) bytes plain",
        found: plain == 100 ? nil : "4294967295")
    }
  }

  @Test func countsOfCPUsThatHaveNoRoomAreRefused() throws {
    var bytes = Self.dat(7)
    // The buffer's option: clock, page size, count.
    let count = try Self.find("mono\0", in: bytes) + 5 + 4
    bytes.replaceSubrange(count..<count + 4, with: Self.number(0xFFFF_FFFF, 4))
    try expect(bytes, "buffer", expected: "1 CPUs", found: "4294967295")
    bytes = Self.dat(6)
    let options = try Self.find("options  \0", in: bytes)
    bytes.replaceSubrange(options - 4..<options, with: Self.number(0xFFFF_FFFF, 4))
    try expect(bytes, "CPU count")
  }

  @Test func dataOutsideOfTheFileIsRefused() throws {
    for version in [6, 7] {
      for (offset, size): (UInt64, UInt64) in [(.max, 8), (0, .max), (1 << 40, 4096)] {
        var bytes = Self.dat(version)
        let place =
          version == 6
          ? try Self.find("flyrecord\0", in: bytes) + 10
          : try Self.find("mono\0", in: bytes) + 5 + 4 + 4 + 4
        bytes.replaceSubrange(
          place..<place + 16, with: Self.number(offset, 8) + Self.number(size, 8))
        try expect(
          bytes, "data of CPU 0", expected: "bytes inside of \(bytes.count)",
          found: "\(size) bytes at \(offset)")
      }
    }
  }

  // MARK: perf.data

  private static func perf(_ form: PerfBuilder.Form) -> [UInt8] {
    var builder = PerfBuilder()
    builder.form = form
    builder.items = [.sample(cpu: 0, builder.dat.interrupt(1_000, irq: 25, name: "a"))]
    return builder.file()
  }

  @Test func attributesThatHaveNoRoomAreRefused() throws {
    for (size, bytes): (UInt64, UInt64) in [(0, 256), (128, .max), (8, 256), (1 << 40, 256)] {
      var file = Self.perf(.file)
      file.replaceSubrange(16..<24, with: Self.number(size, 8))
      file.replaceSubrange(32..<40, with: Self.number(bytes, 8))
      try expect(file, "attributes", at: 16, found: "\(bytes) bytes in entries of \(size)")
    }
    var file = Self.perf(.file)
    file.replaceSubrange(40..<48, with: Self.number(1 << 50, 8))
    try expect(file, "data section", at: 40, found: "\(1 << 50)")
  }

  /// Both attributes' ids are one and the same section, and that is as large as the file can say.
  @Test func idsWithoutEndAreRefused() throws {
    var file = Self.perf(.file)
    for index in 0..<2 {
      let section = 104 + index * 128 + 112
      file.replaceSubrange(section + 8..<section + 16, with: Self.number(.max - 7, 8))
    }
    try expect(file, "ids of attribute 0", expected: "at most 1048576 in all", found: "more")
  }

  /// One compressed record may not hold more than a ring of perf can.
  @Test func aCompressedRecordThatInflatesWithoutEndIsRefused() throws {
    var record = Self.number(3, 4) + Self.number(0, 2) + Self.number(65_528, 2)
    record += [UInt8](repeating: 0, count: 65_528 - 8)
    var plain: [UInt8] = []
    while plain.count <= PerfInflater.plainLimit { plain += record }
    let packed = Self.zstd(plain)
    let head =
      Self.number(81, 4) + Self.number(0, 2) + Self.number(UInt64(packed.count + 8), 2)
    try #require(packed.count < 65_000)
    try TemporaryCapture.with(Self.perf(.pipe) + head + packed) { path in
      let error = try #require(
        #expect(throws: ImportError.self) { try ImportedCapture(path: path) })
      guard case .damagedCompression(let name, _, let reason) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(name == path)
      #expect(reason == "more than \(PerfInflater.plainLimit) plain bytes in one record")
    }
  }

  @Test func aRecordWithoutSizeIsNotReadForEver() throws {
    var file = Self.perf(.pipe)
    let end = file.count
    file += Self.number(9, 4) + Self.number(0, 4)
    try expect(file, "record", at: UInt64(end), expected: "a size of 8 bytes or more", found: "0")
  }

  // MARK: Simpletrace

  @Test func simpletraceLengthsThatNoRecordHasAreRefused() throws {
    let head = SimpleTraceBuilder(version: 4).bytes
    try TemporaryCapture.with([]) { declarations in
      for length: UInt64 in [0, 23, UInt64(256 << 10) + 1, 0xFFFF_FFFF] {
        let bytes =
          head + Self.number(1, 8) + Self.number(7, 8) + Self.number(0, 8) + Self.number(length, 4)
          + Self.number(1, 4)
        _ = try TemporaryCapture.with(bytes) { path in
          #expect(
            throws: ImportError.malformed(
              name: path, byte: UInt64(head.count + 8), subject: "record",
              expected: "a length of 24 to 262144 bytes", found: "\(length)")
          ) { try ImportedCapture(path: path, CaptureImporter(declarations: declarations)) }
        }
      }
    }
  }

  // MARK: Text

  /// In each kind of text two lines that are right, and between them times that are no times.
  @Test func timesThatAreNoNumbersAreCountedNotBelieved() throws {
    let times = ["nan", "NaN", "inf", "-1", "1e9", "0x", "", "99999999999999999999999999"]
    let forms: [(first: String, line: (String) -> String)] = [
      ("", { "5@\($0):gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x2005" }),
      ("# tracer: nop\n", { "  a-1  [000] d.h.. \($0): irq_handler_entry: irq=2 name=b" }),
      ("", { "  a  1 [000] \($0): irq:irq_handler_entry: irq=2 name=b" }),
      ("time,kind\n", { "\($0),mark" }),
      ("", { "{\"time\":\($0),\"kind\":\"mark\",\"number\":1}" }),
    ]
    for (place, form) in forms.enumerated() {
      let isTable = place >= 3
      let (early, late) = isTable ? ("1000000000", "2000000000") : ("1.000000", "2.000000")
      let lines = [early] + times + [late]
      let text = form.first + lines.map { form.line($0) + "\n" }.joined()
      let imported = try ImportedCapture(Array(text.utf8))
      #expect(imported.events.count == 2, "\(form.line("…"))")
      #expect(imported.events.last.map { $0.time - imported.events[0].time } == 1_000_000_000)
      let report = imported.report
      #expect(
        report.notUnderstoodLines + report.damagedLines + report.messageLines
          >= UInt64(times.count), "\(form.line("…"))")
    }
  }

  @Test func textThatInflatesWithoutEndIsOneOverLongLine() throws {
    let good = "5@1.000000:gicv3_icc_iar1_read GICv3 ICC_IAR1 read cpu 0x1 value 0x2005\n"
    let endless = [UInt8](repeating: UInt8(ascii: "x"), count: 8 << 20)
    let packed = Self.zstd(Array(good.utf8) + endless + Array("\n\(good)".utf8))
    try #require(packed.count < 4096)
    let imported = try ImportedCapture(packed)
    #expect(imported.events.count == 2)
    #expect(imported.report.damage.map(\.damage) == [.overLong])
  }
}
