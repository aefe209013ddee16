import EventModel
import Glibc
import Testing

@testable import TraceImport

/// The running kernel, where a test may trace it. One test at a time: they share the processors.
@Suite(.serialized) struct LiveRecorderTests {
  /// nil if this is root on a tracefs that takes instances; else why the tests are skipped.
  private static let obstacle: Comment? = {
    guard let tracefs = try? TracefsFolder.mounted() else { return "no tracefs, or not root" }
    // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
    guard unsafe access("\(tracefs.path)/instances", W_OK) == 0 else { return "not root" }
    guard Self.canSend, tracefs.has("events/kvm/kvm_msi_set_irq/format")
    else { return "no KVM of an x86 host" }
    return nil
  }()

  private static var canSend: Bool {
    switch MessageSource() {
    case .some: true
    case nil: false
    }
  }

  private static let event = TracepointName("kvm", "kvm_msi_set_irq")

  private static func options(_ name: String) -> LiveRecorder.Options {
    var options = LiveRecorder.Options(instance: "doorbell_test_\(getpid())_\(name)")
    options.events = [event]
    return options
  }

  /// Other programs of this machine may use KVM too: only messages of this address are ours.
  private static func address(_ sent: UInt32) -> UInt32 { 0xFEE0_0000 | (sent & 0x7F) << 12 }

  private static func isOurs(_ event: TraceEvent) -> Bool {
    event.kind == .msi && event.data & 0xFFFF_0000 == 0x5EED_0000
  }

  private struct Recording {
    var events: [TraceEvent] = []
    var report = RecordReport(records: ImportReport())
  }

  /// Records while `count` messages are sent.
  private static func record(
    _ options: LiveRecorder.Options, sending count: UInt32, atOnce: UInt32
  ) throws -> Recording {
    let tracefs = try TracefsFolder.mounted()
    guard let source = MessageSource() else {
      Issue.record("KVM is gone")
      return Recording()
    }
    var recorder = try LiveRecorder(options, tracefs: tracefs)
    var result = Recording()
    var sent: UInt32 = 0
    result.report = try recorder.run(
      until: {
        for _ in 0..<min(atOnce, count - sent) {
          source.send(address: address(sent), data: 0x5EED_0000 | sent & 0xFFFF)
          sent += 1
        }
        return sent == count
      },
      sink: { span in for index in span.indices { result.events.append(span[index]) } },
      pause: { _ in })
    return result
  }

  @Test(.enabled(if: obstacle == nil, obstacle), arguments: TraceClock.allCases)
  func everyMessageIsRecordedAsItWasSentWithinItsTime(clock: TraceClock) throws {
    var options = Self.options("sent_\(clock.rawValue)")
    options.clock = clock
    let before = clock.nanoseconds
    let recording = try Self.record(options, sending: 500, atOnce: 50)
    let after = clock.nanoseconds
    let ours = recording.events.filter(Self.isOurs)
    #expect(
      ours.map { [UInt32($0.iova), $0.data] }
        == (0..<500).map { [Self.address($0), 0x5EED_0000 | $0] })
    #expect(ours.allSatisfy { (before...after).contains($0.time) })
    #expect(zip(ours, ours.dropFirst()).allSatisfy { $0.time <= $1.time })
    #expect(recording.report.lostEvents == 0 && recording.report.losses.isEmpty)
    #expect(recording.report.records.backwardTimes == 0)
  }

  /// More at once than the ring holds: what is not in the trace is in its counts.
  @Test(.enabled(if: obstacle == nil, obstacle))
  func whatARingLosesIsCounted() throws {
    var options = Self.options("lost")
    options.bufferKiBPerCPU = 8
    let recording = try Self.record(options, sending: 5_000, atOnce: 2_500)
    let messages = recording.events.count { $0.kind == .msi }
    let report = recording.report
    #expect(report.lostEvents > 1_000)
    let gaps = recording.events.filter { $0.kind == .loss }
    #expect(report.lostInGaps == gaps.reduce(0) { $0 + $1.word0 })
    #expect(report.lostEvents == report.losses.reduce(0) { $0 + $1.total })
    // Nobody else used KVM, or there are more.
    #expect(UInt64(messages) + report.lostEvents >= 5_000)
    let ours = recording.events.filter(Self.isOurs)
    #expect(zip(ours, ours.dropFirst()).allSatisfy { $0.data < $1.data })
  }

  @Test(.enabled(if: obstacle == nil, obstacle))
  func theInstanceIsGoneWhenTheRecorderIs() throws {
    let tracefs = try TracefsFolder.mounted()
    let options = Self.options("gone")
    let name = "instances/\(options.instance)"
    do {
      let recorder = try LiveRecorder(options, tracefs: tracefs)
      #expect(recorder.events == [Self.event])
      #expect(try tracefs.text("\(name)/tracing_on") == "0\n")
      #expect(try tracefs.text("\(name)/\(Self.event.folder)/enable") == "1\n")
    }
    #expect(!tracefs.has(name))
    #expect(try tracefs.text("\(Self.event.folder)/enable").first == "0")
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      var recorder = try LiveRecorder(options, tracefs: tracefs)
      _ = try recorder.run(until: { false }, sink: { _ in }, pause: { _ in throw Stop() })
    }
    #expect(!tracefs.has(name))
  }

  @Test(.enabled(if: obstacle == nil, obstacle))
  func anInstanceThatExistsIsLeftAlone() throws {
    let tracefs = try TracefsFolder.mounted()
    let options = Self.options("twice")
    let first = try LiveRecorder(options, tracefs: tracefs)
    let path = tracefs.path + "/instances/" + options.instance
    #expect(throws: RecordError.instanceExists(path: path)) {
      _ = try LiveRecorder(options, tracefs: tracefs)
    }
    #expect(try tracefs.text("instances/\(options.instance)/\(Self.event.folder)/enable") == "1\n")
    _ = consume first
    #expect(!tracefs.has("instances/\(options.instance)"))
  }
}
