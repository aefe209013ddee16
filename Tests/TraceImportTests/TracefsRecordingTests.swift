import EventModel
import Glibc
import Testing

@testable import TraceImport

/// The real recordings of a guest and of KVM hosts, against each other and against trace-cmd.
@Suite struct TracefsRecordingTests {
  private static let dat = Captures.path("nvme.guest.trace.dat")
  private static let hasDat = Captures.has(dat)
  private static let hasTraceCommand = ["/usr/bin", "/usr/local/bin", "/bin"].contains {
    Captures.has($0 + "/trace-cmd")
  }

  private struct Recording {
    var events: [TraceEvent] = []
    var report = ImportReport()
  }

  private static func readDat(_ path: String) throws -> Recording {
    var result = Recording()
    result.report = try TraceDatImporter(path: path, origin: .guest).run { span in
      for index in span.indices { result.events.append(span[index]) }
    }
    return result
  }

  private static func readText(_ input: consuming CaptureInput, _ origin: EventOrigin) throws
    -> Recording
  {
    var result = Recording()
    result.report = try FtraceTextImporter(origin: origin).run(source: &input) { span in
      for index in span.indices { result.events.append(span[index]) }
    }
    return result
  }

  /// Read once for all tests.
  private static let guestText = Result {
    try readText("nvme.guest.ftrace.txt.zst", .guest)
  }

  private static func readText(_ name: String, _ origin: EventOrigin) throws -> Recording {
    try readText(CaptureInput(path: Captures.path(name)), origin)
  }

  @Test(.enabled(if: hasDat, "nvme.guest.trace.dat is not there"))
  func everyRecordOfTheFileIsCountedAndNoneIsLost() throws {
    let result = try Self.readDat(Self.dat)
    // As many as 'trace-cmd report' gives lines of events.
    #expect(result.report.lineCount == 162_290)
    #expect(result.report.notUnderstoodLines == 0)
    #expect(result.report.lineCount == result.report.usedLines + result.report.ignoredLines)
    #expect(result.report.count(.loss) == 0)
    #expect(result.report.notes.contains("Linux interrupt 25 is nvme0q1"))
    #expect(result.report.damage.isEmpty)
    #expect(zip(result.events, result.events.dropFirst()).allSatisfy { $0.time <= $1.time })
  }

  /// Both buffers saw each event, some microseconds apart, and the trace.dat holds a part of the time.
  /// An interrupt may come between the two writes, so the order holds within a kind only.
  @Test(
    .enabled(if: hasDat, "nvme.guest.trace.dat is not there"),
    arguments: [EventKind.mark, .map, .unmap])
  func theTextOfTheSameMomentGivesTheSameEventsOnEachCPU(kind: EventKind) throws {
    let binary = try Self.readDat(Self.dat).events.filter { $0.kind == kind }
    let text = try Self.guestText.get().events.filter { $0.kind == kind }
    /// Without the device, which only the text's probes name, and without the time.
    func shape(_ event: TraceEvent) -> TraceEvent {
      var event = event
      event.time = 0
      if event.kind != .mark { event.word2 = 0 }
      return event
    }
    for cpu in UInt16(0)..<4 {
      let part = binary.filter { $0.vector == cpu }
      let all = text.filter { $0.vector == cpu }
      try #require(!part.isEmpty && part.count <= all.count)
      let wanted = part.map(shape)
      let found = all.map(shape)
      let offset = try #require(
        (0...found.count - wanted.count).first { offset in
          found[offset..<offset + wanted.count].elementsEqual(wanted)
        }, "CPU \(cpu): not a part of the text")
      for (one, other) in zip(part, all[offset...]) {
        let apart = one.time > other.time ? one.time - other.time : other.time - one.time
        #expect(apart < 20_000_000, "CPU \(cpu) at \(one.time)")
      }
    }
  }

  @Test(.enabled(if: hasDat, "nvme.guest.trace.dat is not there"))
  func everyMappingOfTheTextKnowsItsDevice() throws {
    let text = try Self.guestText.get()
    // 14,443 maps: 12,093 by the probed function, and the rest by scatter lists, which it misses.
    let maps = text.events.filter { $0.kind == .map }
    #expect(Set(maps.map(\.streamID)) == [0x100, TraceEvent.unknownDevice])
    #expect(text.report.notUnderstoodLines == 0 && text.report.damagedLines == 0)
  }

  @Test(
    .enabled(if: hasDat, "nvme.guest.trace.dat is not there"),
    .enabled(if: hasTraceCommand, "trace-cmd is not installed"))
  func whatTraceCommandReportsGivesTheSameEventsToTheNanosecond() throws {
    let own = try Self.readDat(Self.dat)
    // Safety: the command is a constant but for the path; the stream is closed below.
    guard let pipe = unsafe popen("trace-cmd report -t '\(Self.dat)' 2>/dev/null", "r") else {
      Issue.record("popen failed")
      return
    }
    defer { _ = unsafe pclose(pipe) }
    let descriptor = unsafe fileno(pipe)
    let referee = try Self.readText(
      CaptureInput(descriptor: descriptor, name: "trace-cmd"), .guest)
    #expect(own.events.count == referee.events.count)
    let difference = zip(own.events, referee.events).first { $0 != $1 }
    #expect(difference == nil)
    #expect(own.report.lineCount == referee.report.lineCount - 1, "its first line is 'cpus=4'")
  }

  /// Counts that the recordings' description and their own lines state: one MSI per interrupt of the
  /// handler, whichever way it took.
  @Test(
    .enabled(if: Captures.has(Captures.path("nested-irqfd.host.ftrace.txt.zst"))),
    arguments: [("nested-irqfd", 2_687), ("nested-userspace", 2_672), ("nested-v4", 0)])
  func aHostsProbesGiveOneMessagePerInjection(name: String, messages: Int) throws {
    let result = try Self.readText("\(name).host.ftrace.txt.zst", .host)
    #expect(result.report.count(.msi) == UInt64(messages))
    #expect(result.report.notUnderstoodLines == 0 && result.report.damagedLines == 0)
    #expect(result.report.origin == .host)
    let devices = Set(result.events.filter { $0.kind == .msi }.map(\.deviceID))
    #expect(devices.isSubset(of: [8]))
  }
}
