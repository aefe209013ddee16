import EventModel
import Testing

@testable import TraceImport

/// The content of a capture tells its format.
@Suite struct CaptureFormatTests {
  @Test func eachFormatIsKnownByItsFirstLines() throws {
    func format(_ text: String) -> CaptureFormat? { CaptureFormat(head: Array(text.utf8)) }
    #expect(CaptureFormat(head: try Golden.bytes("translation.log")) == .qemuLog)
    #expect(format("qemu: warning: something\n17@5.000001:smmu_x y\n") == .qemuLog)
    #expect(CaptureFormat(head: DatLayout.magic + [0x37, 0]) == .traceDat)
    #expect(format("# tracer: nop\n#\n") == .ftraceText)
    #expect(
      format("cpus=4\ntc:   <idle>-0   [003]   7.684949: irq_handler_entry: irq=1 name=a\n")
        == .ftraceText)
    #expect(
      format("  init     1 [003]     7.684949: irq:irq_handler_entry: irq=1 name=a\n")
        == .perfScript)
    for magic in [PerfLayout.magic, PerfLayout.swappedMagic] {
      #expect(CaptureFormat(head: magic) == .perfData)
    }
    #expect(CaptureFormat(head: SimpleTraceBuilder(version: 4).bytes) == .simpleTrace)
    #expect(
      CaptureFormat(head: SimpleTraceBuilder(version: 3, isBigEndian: true).bytes) == .simpleTrace)
    #expect(format("time,kind\n1,msi\n") == .csv)
    #expect(format("{\"time\":1}\n") == .jsonLines)
    #expect(format("") == nil)
    #expect(format("Dear reader,\nthis is no capture.\n") == nil)
  }
}

/// Lines of tracefs in the shapes that kernels and tools give them.
@Suite struct FtraceLineTests {
  private func parsed(_ text: String) -> FtraceLine? { FtraceLine(text[...].utf8) }

  @Test func theTaskTheCPUAndTheTimeAreFoundInEveryShape() throws {
    let shapes = [
      "          <idle>-0       [003] d.h..     5.315002: irq_handler_entry: irq=2 name=IPI",
      "tc:           <idle>-0     [003]     5.315002: irq_handler_entry:    irq=2 name=IPI",
      "  <idle>-0     (-------) [003] d.h.. 5.315002000: irq_handler_entry: irq=2 name=IPI",
    ]
    for text in shapes {
      let line = try #require(parsed(text), "\(text)")
      #expect(String(Substring(line.task)) == "<idle>")
      #expect(line.pid == 0 && line.cpu == 3 && line.nanoseconds == 5_315_002_000)
      #expect(String(Substring(line.event)) == "irq_handler_entry")
      #expect(line.number("irq") == 2)
    }
    let odd = try #require(
      parsed(" my [1] task-x-77 [012] .... 12.000000001: map: iova=0x10 - 0x20"))
    #expect(odd.pid == 77 && odd.cpu == 12 && odd.nanoseconds == 12_000_000_001)
    #expect(odd.number("iova") == 16)
  }

  @Test func perfWritesABlankForTheDashAndTheSystemBeforeTheEvent() throws {
    let shapes = [
      " kworker/0:1-ev    44 [003] 15120.958687671: irq:irq_handler_entry: irq=31 name=virtio0",
      "kworker/0:1-ev  43/44 [003] 15120.958687671: irq:irq_handler_entry: irq=31 name=virtio0",
      "kworker/0:1-ev    44 [003] 15120.958687671:          1 irq:irq_handler_entry: irq=31",
    ]
    for text in shapes {
      let line = try #require(parsed(text), "\(text)")
      #expect(line.isOfPerf && line.pid == 44 && line.cpu == 3, "\(text)")
      #expect(String(Substring(line.task)) == "kworker/0:1-ev")
      #expect(line.nanoseconds == 15_120_958_687_671 && line.number("irq") == 31)
      #expect(String(Substring(line.event)) == "irq_handler_entry")
    }
    let lost = try #require(parsed("perf  7 [001]  12.000000: PERF_RECORD_LOST lost 17"))
    #expect(String(Substring(lost.event)) == "PERF_RECORD_LOST")
  }

  @Test func aLossAndACallChainInTheTextOfPerfAreNoDamage() throws {
    let text = """
      task  7 [001]  12.000000: irq:irq_handler_entry: irq=3 name=a
      \tffffffff8100 handle_irq ([kernel.kallsyms])

      task  7 [001]  12.000001: PERF_RECORD_LOST lost 17
      task  7 [001]  12.000002: PERF_RECORD_COMM: task:7/7

      """
    let imported = try ImportedCapture(Array(text.utf8))
    #expect(imported.events.map(\.kind) == [.mark, .loss])
    #expect(imported.events[1].word0 == 17 && imported.events[1].time == 12_000_001_000)
    #expect(imported.report.messageLines == 2 && imported.report.damagedLines == 0)
    #expect(imported.report.notUnderstoodLines == 0)
  }

  @Test func fieldsAreWholeWordsAndNumbersWholeNumbers() throws {
    let line = try #require(
      parsed("a-1 [0] 1.0: e: (f+0x0/0x1) myirq=7 irq=0x1f, dev=\"0000:01:02.3\" size=12x unit=9"))
    #expect(line.number("irq") == 31)
    #expect(line.number("myirq") == 7)
    #expect(line.number("size") == nil)
    #expect(line.number("rq") == nil)
    #expect(line.value("dev").flatMap { RequesterID(text: Substring($0))?.value } == 0x113)
  }

  @Test func whatIsNoLineIsRefused() {
    for text in [
      "", "[", "a-1 [0]", "a-1 [0] 1.0", "a-1 [0] 1.0:", "a [0] 1.0: e: x", "a-1 [x] 1.0: e: x",
      "a-1 [0] 1: e: x", "a-1 [0] 1.1234567890: e: x", "a-1 [99999] 1.0: e: x", "a-1 [0] 1.0: : x",
    ] { #expect(parsed(text) == nil, "\(text)") }
  }
}
