import EventModel
import Glibc
import TestSupport
import Testing

@testable import TraceImport

/// A machine that two clocks look at: interrupts at irregular times, each seen a little later by one.
private struct TwoViews {
  var fixed: [Sighting] = []
  var moved: [Sighting] = []

  /// - Parameters:
  ///   - offset: nanoseconds added to a moved time at its zero.
  ///   - drift: and what the offset gains per second.
  ///   - losses: shares of the interrupts that a view does not show.
  init(
    count: Int, keys: Int, offset: Int64, drift: Double, jitter: ClosedRange<UInt64>,
    losses: Double, seed: UInt64
  ) {
    var generator = SeededGenerator(seed: seed)
    var time: UInt64 = 1_000_000_000
    for _ in 0..<count {
      // Bursts and pauses.
      let isPause = Int.random(in: 0..<20, using: &generator) == 0
      time += UInt64.random(in: 2_000...(isPause ? 40_000_000 : 400_000), using: &generator)
      let key = UInt64.random(in: 0..<UInt64(keys), using: &generator)
      let delay = UInt64.random(in: jitter, using: &generator)
      if Double.random(in: 0..<1, using: &generator) >= losses {
        moved.append(Sighting(time: time + delay, key: key))
      }
      if Double.random(in: 0..<1, using: &generator) >= losses {
        let gained = Double(time) * drift / 1e9
        fixed.append(
          Sighting(time: UInt64(Int64(time) + offset + Int64(gained.rounded())), key: key))
      }
    }
    moved.sort { $0.time < $1.time }
  }
}

@Suite struct TimelineMatchTests {
  @Test func anOffsetAndADriftAreFoundAgainInSpiteOfLossAndDelay() throws {
    let clocks: [(offset: Int64, drift: Double)] = [
      (0, 0), (1_234_567, 20_000), (400_000_000_000, -100_000), (-900_000_000, -300),
    ]
    for (seed, (offset, drift)) in clocks.enumerated() {
      let views = TwoViews(
        count: 4_000, keys: 5, offset: offset, drift: drift, jitter: 500...4_500, losses: 0.05,
        seed: UInt64(seed) + 1)
      let match = try TimelineMatch(views.moved, to: views.fixed)
      let comment: Comment = "offset \(offset), drift \(drift): \(match.alignment)"
      // The median delay of 2,500 ns is part of the offset.
      for time in [views.moved[0].time, views.moved.last?.time ?? 0] {
        let expected = Int64(time) + offset + Int64(Double(time) * drift / 1e9) - 2_500
        #expect(abs(match.alignment.aligned(time) - expected) < 1_000, comment)
      }
      #expect(abs(match.alignment.driftNanosecondsPerSecond - drift) < 500, comment)
      #expect(match.residual.matched > 3_500, comment)
      #expect(match.residual.p99 < 10_000 && match.residual.median < 1_500, comment)
      #expect(match.residual.onlyMoved < 300 && match.residual.onlyFixed < 300, comment)
    }
  }

  @Test func viewsThatCoverAPartOfEachOtherOnlyAreMatchedThere() throws {
    let views = TwoViews(
      count: 6_000, keys: 3, offset: 5_000_000_000, drift: 1_000, jitter: 0...100, losses: 0,
      seed: 9)
    let match = try TimelineMatch(
      Array(views.moved.prefix(4_000)), to: Array(views.fixed.dropFirst(3_000)))
    #expect(abs(match.residual.matched - 1_000) < 20)
    #expect(match.residual.onlyMoved < 20 && match.residual.onlyFixed < 20)
    #expect(abs(match.alignment.aligned(1_000_000_000) - 6_000_001_000) < 2_000)
  }

  @Test func interruptsOfATimerFitManyOffsetsAndAreRefused() {
    let ticks = (0..<2_000).map { Sighting(time: 1_000_000_000 + UInt64($0) * 4_000_000, key: 1) }
    #expect {
      try TimelineMatch(ticks, to: ticks)
    } throws: { error in
      if case .ambiguous(let offsets)? = error as? AlignmentError { return offsets.count == 2 }
      return false
    }
  }

  @Test func viewsOfDifferentMachinesDoNotMatch() {
    let one = TwoViews(
      count: 3_000, keys: 4, offset: 0, drift: 0, jitter: 0...10, losses: 0, seed: 1)
    let other = TwoViews(
      count: 3_000, keys: 4, offset: 0, drift: 0, jitter: 0...10, losses: 0, seed: 2)
    #expect(throws: AlignmentError.self) { try TimelineMatch(one.moved, to: other.fixed) }
    #expect(throws: AlignmentError.tooFew(moved: 0, fixed: 3_000, needed: 8)) {
      try TimelineMatch([], to: other.fixed)
    }
  }

  @Test func withoutCommonNumbersTheCPUsAreMatched() throws {
    let views = TwoViews(
      count: 2_000, keys: 4, offset: 77_000_000, drift: 0, jitter: 0...1_000, losses: 0.01, seed: 5)
    var moved = InterruptSightings()
    var fixed = InterruptSightings()
    for sighting in views.moved {
      moved.note(
        TraceEvent(
          time: sighting.time, kind: .mark, word0: 25, target: .pe(UInt16(sighting.key))))
    }
    for sighting in views.fixed {
      fixed.note(
        .acknowledge(time: sighting.time, target: .pe(UInt16(sighting.key)), intid: 8_200))
    }
    let match = try TimelineMatch(moved: moved, to: fixed)
    #expect(abs(match.alignment.offsetNanoseconds - 77_000_000) < 1_500)
  }

  /// The guest's tracefs and its emulator, both on one host: two clocks of one oscillator.
  @Test(
    .enabled(
      if: Captures.has(Captures.path("nvme.qemu.log.zst")), "nvme.qemu.log.zst is not there"),
    arguments: [
      ("nvme.guest.ftrace.txt.zst", "nvme.qemu.log.zst", 4_000),
      ("faults.guest.ftrace.txt.zst", "faults.qemu.log.zst", 40),
      ("nested-irqfd.host.ftrace.txt.zst", "nested-irqfd.qemu.log.zst", 2_000),
    ])
  func aGuestsRecordingIsPutOnTheTimelineOfItsEmulator(
    guest: String, emulator: String, least: Int
  ) throws {
    var moved = InterruptSightings()
    var fixed = InterruptSightings()
    _ = try CaptureImporter().run(path: Captures.path(guest), sink: { moved.note($0) })
    _ = try CaptureImporter().run(path: Captures.path(emulator), sink: { fixed.note($0) })
    let match = try TimelineMatch(moved: moved, to: fixed)
    print("\(guest): \(match.alignment); \(match.residual)")
    #expect(match.residual.matched >= least)
    // An emulator's steps: microseconds to tens of them, and now and then a pause of the host.
    #expect(match.residual.median < 100_000)
    #expect(abs(match.alignment.driftNanosecondsPerSecond) < 20_000)
    #expect(10 * match.residual.onlyMoved < match.residual.matched)
  }
}

@Suite struct TimelineMergeTests {
  private static func view(_ events: [TraceEvent], batch: Int) -> TimelineMerge.View {
    var rest = events[...]
    return { output in
      output += rest.prefix(batch)
      rest = rest.dropFirst(batch)
    }
  }

  private static func marks(_ times: [UInt64], _ origin: EventOrigin) -> [TraceEvent] {
    times.map { TraceEvent(time: $0, kind: .mark, origin: origin) }
  }

  private static func merged(
    _ alignment: TimelineAlignment, fixed: [UInt64], moved: [UInt64], batch: Int
  ) throws -> (events: [TraceEvent], merge: TimelineMerge) {
    var merge = TimelineMerge(alignment)
    var events: [TraceEvent] = []
    try merge.run(
      fixed: view(marks(fixed, .host), batch: batch),
      moved: view(marks(moved, .guest), batch: batch)
    ) { span in
      for index in span.indices { events.append(span[index]) }
    }
    return (events, merge)
  }

  @Test func eventsOfBothViewsComeInTheOrderOfTime() throws {
    for batch in 1...5 {
      let (events, merge) = try Self.merged(
        TimelineAlignment(offsetNanoseconds: 100), fixed: [0, 150, 150, 400], moved: [10, 50, 250],
        batch: batch)
      #expect(events.map(\.time) == [0, 110, 150, 150, 150, 350, 400])
      #expect(events.map(\.origin) == [.host, .guest, .host, .host, .guest, .guest, .host])
      #expect(merge.fixedCount == 4 && merge.movedCount == 3 && merge.shift == 0)
    }
  }

  @Test func aMovedViewThatStartsEarlierShiftsAllTimes() throws {
    let (events, merge) = try Self.merged(
      TimelineAlignment(offsetNanoseconds: -1_000), fixed: [0, 10], moved: [400, 1_005, 2_000],
      batch: 2)
    #expect(merge.shift == 600)
    #expect(events.map(\.time) == [0, 600, 605, 610, 1_600])
    let empty = try Self.merged(
      TimelineAlignment(offsetNanoseconds: 5), fixed: [], moved: [1], batch: 1)
    #expect(empty.events.map(\.time) == [6])
  }

  @Test func aDriftStretchesTheMovedView() throws {
    var alignment = TimelineAlignment(offsetNanoseconds: 0)
    alignment.reference = 1_000_000_000
    alignment.driftNanosecondsPerSecond = 50_000
    let (events, _) = try Self.merged(
      alignment, fixed: [], moved: [1_000_000_000, 3_000_000_000], batch: 1)
    #expect(events.map(\.time) == [1_000_000_000, 3_000_100_000])
  }
}

@Suite struct TwoViewImporterTests {
  /// Acknowledges as rows: the guest's clock starts 5 ms after the host's and sees each 2 µs later.
  private static func views() -> (host: String, guest: String) {
    var generator = SeededGenerator(seed: 3)
    var host = "time,kind,target,intid,origin\n"
    var guest = host
    var time: UInt64 = 10_000_000
    for index in 0..<200 {
      time += UInt64.random(in: 5_000...3_000_000, using: &generator)
      let row = "acknowledge,pe\(index % 3),\(8_192 + index % 5)"
      host += "\(time),\(row),host\n"
      guest += "\(time - 5_000_000 + 2_000),\(row),guest\n"
    }
    return (host, guest)
  }

  private func imported(
    _ clocks: TwoViewImporter.Clocks, _ sink: (Span<TraceEvent>) throws -> Void
  ) throws -> ImportReport {
    let (host, guest) = Self.views()
    return try TemporaryCapture.with(Array(host.utf8)) { hostPath in
      try TemporaryCapture.with(Array(guest.utf8)) { guestPath in
        let importer = TwoViewImporter(
          fixed: .init(path: hostPath, importer: CaptureImporter()),
          moved: .init(path: guestPath, importer: CaptureImporter()), clocks: clocks,
          beside: hostPath)
        // What waits has no name, at no moment: a kill leaves nothing.
        return try importer.run { events in
          #expect(!Captures.has(hostPath + ".spool-\(getpid())"))
          try sink(events)
        }
      }
    }
  }

  @Test func matchedViewsComeOutAsPairsAndTheReportStatesTheResidual() throws {
    var events: [TraceEvent] = []
    let report = try imported(.matched) { span in
      for index in span.indices { events.append(span[index]) }
    }
    try #require(events.count == 400)
    for pair in 0..<200 {
      #expect(events[2 * pair].time == events[2 * pair + 1].time)
      #expect(Set([events[2 * pair].origin, events[2 * pair + 1].origin]) == [.host, .guest])
    }
    #expect(report.eventCount == 400 && report.lineCount == 402)
    #expect(report.notes.contains { $0.contains("offset 4998000 ns, drift 0 ns/s") })
    #expect(
      report.notes.contains {
        $0.contains("200 interrupts matched") && $0.contains("min 0, median 0, p99 0, max 0")
      })
  }

  @Test func aDeclaredOffsetIsTakenAsItIs() throws {
    var events: [TraceEvent] = []
    let report = try imported(.declared(5_000_000)) { span in
      for index in span.indices { events.append(span[index]) }
    }
    #expect(events.map(\.time) == events.map(\.time).sorted())
    let host = events.filter { $0.origin == .host }.map(\.time)
    #expect(events.filter { $0.origin == .guest }.map(\.time) == host.map { $0 + 2_000 })
    #expect(report.notes.contains { $0.contains("declared offset 5000000 ns") })
  }

  @Test func aSinkThatFailsLeavesNoFileBehind() {
    struct Stop: Error {}
    #expect(throws: Stop.self) { try imported(.matched) { _ in throw Stop() } }
  }
}
