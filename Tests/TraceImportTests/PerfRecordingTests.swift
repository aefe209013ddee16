import EventModel
import Glibc
import Testing

@testable import TraceImport

/// One load of 40 messages into a KVM guest, recorded by three perf at once: as a file, compressed and
/// to a pipe ('perf record -e kvm:kvm_msi_set_irq -e irq:irq_handler_entry -e irq:irq_handler_exit',
/// perf 6.1, Linux 6.18). The recorders started one inside the other, so each saw a little less.
@Suite struct PerfRecordingTests {
  private static let hasPerf = ["/usr/bin/perf", "/usr/local/bin/perf"].contains(
    where: Captures.has)

  /// The plain bytes of a golden file that is stored as zstd.
  private static func plain(_ name: String) throws -> [UInt8] {
    var input = try CaptureInput(path: Golden.path(name))
    return try input.peek(1 << 20)
  }

  private static func imports() throws -> [String: ImportedCapture] {
    [
      "file": try ImportedCapture(plain("kvm.perf.data.zst")),
      "compressed": try ImportedCapture(path: Golden.path("kvm-z.perf.data")),
      "pipe": try ImportedCapture(path: Golden.path("kvm.perf.pipe.zst")),
    ]
  }

  @Test func eachFormHoldsTheMessagesAsTheyWereSent() throws {
    for (name, imported) in try Self.imports() {
      #expect(imported.format == .perfData, "\(name)")
      let messages = imported.events(.msi)
      #expect(
        messages.map(\.iova) == (0..<40).map { 0xFEE0_0000 | UInt64($0 % 4) << 12 }, "\(name)")
      #expect(messages.map(\.data) == (0..<40).map { 0x4000 | (0x40 + UInt32($0)) }, "\(name)")
      #expect(imported.events(.mark).allSatisfy { $0.word0 == 36 }, "\(name)")
      #expect(imported.report.notUnderstoodLines == 0 && imported.report.damagedLines == 0)
      #expect(imported.report.backwardTimes == 0)
      #expect(imported.report.notes.contains("Linux interrupt 36 is virtio1-req.0"))
    }
  }

  /// Three tracers, three times of one event: some microseconds apart.
  @Test func theFormsAgreeOnTheTimes() throws {
    let all = try Self.imports().values.map { $0.events(.msi) }
    for other in all.dropFirst() {
      for (one, two) in zip(all[0], other) {
        let apart = one.time > two.time ? one.time - two.time : two.time - one.time
        #expect(apart < 1_000_000)
      }
    }
  }

  @Test func theTextOfPerfScriptGivesTheSameInterrupts() throws {
    let binary = try ImportedCapture(Self.plain("kvm.perf.data.zst"))
    let text = try ImportedCapture(path: Golden.path("kvm.perf.txt"))
    #expect(text.format == .perfScript)
    #expect(text.events == binary.events(.mark))
    // The text shows parts of a message, not its address and data.
    #expect(text.tally("kvm_msi_set_irq")?.notUnderstood == 40)
  }

  @Test(.enabled(if: hasPerf, "perf is not installed"), arguments: ["kvm-z.perf.data", ""])
  func whatPerfScriptPrintsNowGivesTheSameToo(name: String) throws {
    let bytes = try name.isEmpty ? Self.plain("kvm.perf.data.zst") : Golden.bytes(name)
    try TemporaryCapture.with(bytes) { path in
      let own = try ImportedCapture(path: path)
      // Safety: the command is a constant but for the path; the stream is closed below.
      guard let pipe = unsafe popen("perf script --ns -f -i '\(path)' 2>/dev/null", "r") else {
        Issue.record("popen failed")
        return
      }
      defer { _ = unsafe pclose(pipe) }
      var input = try CaptureInput(descriptor: unsafe fileno(pipe), name: "perf")
      var events: [TraceEvent] = []
      let report = try FtraceTextImporter(origin: .guest).run(source: &input) { span in
        for index in span.indices { events.append(span[index]) }
      }
      #expect(events == own.events(.mark))
      for event in ["kvm_msi_set_irq", "irq_handler_entry", "irq_handler_exit"] {
        let referee = report.names.first { $0.name == event }
        let counted = own.tally(event)
        #expect(
          (referee?.used ?? 0) + (referee?.ignored ?? 0) + (referee?.notUnderstood ?? 0)
            == (counted?.used ?? 0) + (counted?.ignored ?? 0), "\(event)")
      }
    }
  }

  @Test func aFileFormNeedsAFile() throws {
    // A file form that came compressed, as through a pipe.
    #expect(throws: ImportError.self) {
      try ImportedCapture(path: Golden.path("kvm.perf.data.zst"))
    }
  }
}
