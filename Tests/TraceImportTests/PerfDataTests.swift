import EventModel
import TestSupport
import Testing

@testable import TraceImport

/// perf.data in every shape, made by `PerfBuilder`.
@Suite struct PerfDataTests {
  static let shapes: [(form: PerfBuilder.Form, isBigEndian: Bool)] =
    PerfBuilder.Form.allCases.flatMap { form in [(form, false), (form, true)] }

  private static func builder(_ form: PerfBuilder.Form, _ isBigEndian: Bool) -> PerfBuilder {
    var builder = PerfBuilder()
    builder.form = form
    builder.dat.isBigEndian = isBigEndian
    return builder
  }

  @Test(arguments: shapes) func everyFormAndByteOrderGivesTheSameEventsInTheOrderOfTime(
    form: PerfBuilder.Form, isBigEndian: Bool
  ) throws {
    var builder = Self.builder(form, isBigEndian)
    let dat = builder.dat
    builder.items = [
      .command(time: 10, process: 1, name: "task"),
      .sample(cpu: 0, dat.interrupt(1_000, irq: 25, name: "nvme0q1")),
      .sample(cpu: 0, dat.other(1_500)),
      .sample(cpu: 0, dat.map(5_000, iova: 0x1000, address: 0x2000, size: 0x1000)),
      // Another CPU's buffer, written later but recorded before.
      .sample(cpu: 1, dat.injection(2_000, address: 0x809_0040, data: 3, device: 8)),
      .sample(cpu: 1, dat.interrupt(3_000, irq: 26, name: "nvme0q2")),
      .lost(cpu: 1, time: 3_500, count: 17),
      .endOfRound,
      .sample(cpu: 0, dat.interrupt(6_000, irq: 25, name: "nvme0q1")),
      .endOfRound,
    ]
    let imported = try ImportedCapture(builder.file())
    #expect(imported.format == .perfData)
    #expect(imported.events.map(\.time) == [1_000, 2_000, 3_000, 3_500, 5_000, 6_000])
    #expect(imported.events.map(\.kind) == [.mark, .msi, .mark, .loss, .map, .mark])
    #expect(imported.events[0].word0 == 25 && imported.events[0].target == .pe(0))
    #expect(imported.events[1].iova == 0x809_0040 && imported.events[1].data == 3)
    #expect(imported.events[1].deviceID == 8)
    #expect(imported.events[2].word0 == 26 && imported.events[2].target == .pe(1))
    #expect(imported.events[3].word0 == 17 && imported.events[3].target == .pe(1))
    #expect(imported.events[4].iova == 0x1000 && imported.events[4].outputAddress == 0x2000)
    #expect(imported.report.backwardTimes == 0)
    #expect(imported.report.notUnderstoodLines == 0)
    #expect(imported.report.notes.contains("Linux interrupt 26 is nvme0q2"))
    #expect(imported.tally("sched_switch")?.ignored == 1)
  }

  /// Each bit of the sample type alone and some together, with every layout of counter values.
  @Test(arguments: [false, true]) func everySampleTypeIsTakenApart(isBigEndian: Bool) throws {
    typealias Sample = PerfAttribute.Sample
    let optional = [
      Sample.ip, Sample.task, Sample.address, Sample.id, Sample.stream, Sample.period,
      Sample.callChain,
    ]
    for mask in 0..<1 << optional.count {
      for identifier in [0, Sample.identifier] {
        var type = Sample.time | Sample.cpu | Sample.raw | identifier
        for (bit, flag) in optional.enumerated() where mask >> bit & 1 != 0 { type |= flag }
        try expectOneMark(type, readFormat: 0, isBigEndian)
      }
    }
    for readFormat in UInt64(0)..<32 {
      try expectOneMark(
        Sample.time | Sample.cpu | Sample.raw | Sample.identifier | Sample.read,
        readFormat: readFormat, isBigEndian)
    }
  }

  private func expectOneMark(
    _ type: UInt64, readFormat: UInt64, _ isBigEndian: Bool
  ) throws {
    var builder = Self.builder(.pipe, isBigEndian)
    builder.sampleType = type
    builder.readFormat = readFormat
    builder.items = [
      .sample(cpu: 3, builder.dat.interrupt(1_000, irq: 25, name: "nvme0q1")),
      .lost(cpu: 2, time: 2_000, count: 4),
    ]
    let imported = try ImportedCapture(builder.file())
    #expect(imported.events.map(\.kind) == [.mark, .loss], "type \(type), read \(readFormat)")
    #expect(imported.events.map(\.time) == [1_000, 2_000])
    #expect(imported.events.map(\.target) == [.pe(3), .pe(2)])
  }

  @Test func roundsOfManyCPUsComeOutInTheOrderOfTime() throws {
    var generator = SeededGenerator(seed: 11)
    var builder = Self.builder(.compressed, false)
    var time: UInt64 = 1_000
    var times: [UInt64] = []
    for _ in 0..<20 {
      var round: [(cpu: Int, time: UInt64)] = []
      for _ in 0..<Int.random(in: 0...60, using: &generator) {
        time += UInt64.random(in: 1...9, using: &generator)
        // A buffer that was written just after it had been read comes in the next round.
        round.append((Int.random(in: 0..<4, using: &generator), time))
      }
      times += round.map(\.time)
      for cpu in 0..<4 {
        builder.items += round.filter { $0.cpu == cpu }.map { item in
          .sample(cpu: cpu, builder.dat.interrupt(item.time, irq: UInt32(cpu), name: "x"))
        }
      }
      builder.items.append(.endOfRound)
    }
    let imported = try ImportedCapture(builder.file())
    #expect(imported.events.map(\.time) == times)
    #expect(imported.report.backwardTimes == 0)
  }

  @Test(arguments: shapes) func aFileWithAnyByteChangedOrCutIsReadOrRefusedButNeverTraps(
    form: PerfBuilder.Form, isBigEndian: Bool
  ) throws {
    var builder = Self.builder(form, isBigEndian)
    builder.items = [
      .sample(cpu: 0, builder.dat.interrupt(1_000, irq: 25, name: "a")),
      .lost(cpu: 1, time: 1_500, count: 1), .endOfRound,
    ]
    let bytes = builder.file()
    let first = PerfBuilder.Form.allCases.firstIndex(of: form) ?? 0
    for index in stride(from: first, to: bytes.count, by: 3) {
      var damaged = bytes
      damaged[index] ^= index % 2 == 0 ? 0xFF : 0x81
      _ = try? ImportedCapture(damaged)
    }
    for length in stride(from: 0, to: bytes.count, by: 41) {
      _ = try? ImportedCapture(Array(bytes[..<length]))
    }
  }

  @Test func aRecordingThatWasCutOffSaysSo() throws {
    var builder = Self.builder(.pipe, false)
    builder.items = [
      .sample(cpu: 0, builder.dat.interrupt(1_000, irq: 25, name: "a")),
      .sample(cpu: 0, builder.dat.interrupt(2_000, irq: 25, name: "a")),
    ]
    let bytes = builder.file()
    let cut = try ImportedCapture(Array(bytes.dropLast(5)))
    #expect(cut.events.map(\.time) == [1_000])
    #expect(cut.report.damage.map(\.damage) == [.unterminated])

    // perf was killed: no size in the head, no features at the end.
    builder.form = .file
    var killed = builder.file()
    killed.removeLast(builder.dat.tracingData.count + 16)
    for index in 48..<56 { killed[index] = 0 }
    let report = try ImportedCapture(killed).report
    #expect(report.eventCount == 0)
    #expect(report.notes.contains { $0.contains("did not come to its end") })
  }
}
