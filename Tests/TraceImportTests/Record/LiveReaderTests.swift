import EventModel
import TestSupport
import Testing

@testable import TraceImport

/// Rings read while they fill: pages in every shape that the kernel makes, and the order of CPUs.
@Suite struct LiveReaderTests {
  private static let slack = LiveMerge.slackNanoseconds

  @Test func everyKindOfRingEntryKeepsTheTime() throws {
    var rings = try PipedRings(cpus: [0])
    var page = RingPageBuilder(at: 1_000)
    page.record(PipedRings.interrupt(1), at: 1_000)
    page.discard(24, after: 5)
    page.record(PipedRings.interrupt(2), at: 1_010, isLong: true)
    page.extend(by: 1 << 40 + 77)
    page.record(PipedRings.interrupt(3), at: page.time + 3)
    page.record(PipedRings.interrupt(4), at: page.time + 1 << 30)
    page.stamp(1 << 58 + 9)
    page.record(PipedRings.interrupt(5), at: 1 << 58 + 9)
    page.pad()
    try rings.write(page.page(), to: 0)
    let events = try rings.finish()
    let extended: UInt64 = 1_010 + 1 << 40 + 77 + 3
    #expect(events.map(\.word0) == [1, 2, 3, 4, 5])
    #expect(
      events.map(\.time) == [1_000, 1_010, extended, extended + 1 << 30, 1 << 58 + 9])
    #expect(events.allSatisfy { $0.kind == .mark && $0.origin == .host })
  }

  /// 59 bits last for 18 years; the rest comes from the page's own time.
  @Test func anAbsoluteTimeTakesItsHighBitsFromThePage() throws {
    var rings = try PipedRings(cpus: [0])
    let start: UInt64 = 3 << 59 | 1_000
    var page = RingPageBuilder(at: start)
    page.stamp(start + 500)
    page.record(PipedRings.interrupt(1), at: start + 500)
    try rings.write(page.page(), to: 0)
    #expect(try rings.finish().map(\.time) == [start + 500])
  }

  @Test func gapsAreMarkedWhereTheyAreWithTheirSizeWhereItIsKnown() throws {
    var rings = try PipedRings(cpus: [3])
    try rings.write(PipedRings.page(1, at: 100), to: 0)
    try rings.write(PipedRings.page(2, at: 200, lost: 17), to: 0)
    try rings.write(PipedRings.page(3, at: 300, lost: 0), to: 0)
    let events = try rings.finish()
    #expect(events.map(\.kind) == [.mark, .loss, .mark, .loss, .mark])
    #expect(events.map(\.word0) == [1, 17, 2, 0, 3])
    #expect(events.map(\.time) == [100, 200, 200, 300, 300])
    #expect(events.allSatisfy { $0.vector == 3 })
    let report = rings.reader.report()
    #expect(report.lostInGaps == 17)
    #expect(report.unknownGaps == 1)
  }

  /// A full page has no room for the count.
  @Test func aFullPageWithAGapGivesAllItsEvents() throws {
    var rings = try PipedRings(cpus: [0])
    var page = RingPageBuilder(at: 10)
    var count: UInt32 = 0
    while page.hasRoom(for: PipedRings.interrupt(count)) {
      page.record(PipedRings.interrupt(count), at: page.time + 1)
      count += 1
    }
    try rings.write(page.page(lost: 0), to: 0)
    let events = try rings.finish()
    #expect(events.map(\.word0) == [0] + (0..<UInt64(count)).map { $0 })
    #expect(count > 100)
  }

  @Test func aPageThatContradictsItselfIsAGapAndTheNextOneGoesOn() throws {
    var rings = try PipedRings(cpus: [0])
    var torn = RingPageBuilder(at: 100)
    torn.record(PipedRings.interrupt(1), at: 100)
    var bytes = torn.page()
    // A second record, longer than what is committed.
    bytes[8] += 8
    bytes.replaceSubrange((16 + torn.body.count)..., with: [28, 0, 0, 0, 0, 0, 0, 0])
    bytes += [UInt8](repeating: 0, count: RingPageBuilder.size - bytes.count)
    try rings.write(bytes, to: 0)
    try rings.write(PipedRings.page(2, at: 200), to: 0)
    // The count of committed bytes is more than a page.
    var huge = PipedRings.page(3, at: 300)
    huge[10] = 1
    try rings.write(huge, to: 0)
    let events = try rings.finish()
    #expect(events.map(\.kind) == [.mark, .loss, .mark, .loss])
    #expect(events.map(\.word0) == [1, 0, 2, 0])
    let report = rings.reader.report()
    #expect(report.records.damagedLines == 2)
    #expect(report.unknownGaps == 2)
  }

  @Test func aBusyCPUWaitsUntilAQuietOneCanHaveNothingEarlier() throws {
    var rings = try PipedRings(cpus: [0, 1])
    let time = 5 * Self.slack
    rings.clock.time = time + 1
    try rings.write(PipedRings.page(1, at: time), to: 0)
    #expect(try rings.take().isEmpty)
    // CPU 1 stamped its event before, and commits it now.
    try rings.write(PipedRings.page(2, at: time - 10), to: 1)
    #expect(try rings.take().map(\.word0) == [2])
    rings.clock.time = time + Self.slack
    #expect(try rings.take().isEmpty)
    rings.clock.time = time + Self.slack + 1
    #expect(try rings.take().map(\.word0) == [1])
    #expect(try rings.finish().isEmpty)
    #expect(rings.reader.report().records.backwardTimes == 0)
  }

  @Test func atTheSameTimeTheLowerCPUGoesFirst() throws {
    var rings = try PipedRings(cpus: [2, 5, 9])
    for ring in [2, 0, 1] {
      try rings.write(PipedRings.page(UInt32(ring), at: 100), to: ring)
    }
    let events = try rings.finish()
    #expect(events.map(\.word0) == [0, 1, 2])
    #expect(events.map(\.vector) == [2, 5, 9])
  }

  /// Rings that fill at random, read at random moments: the order is that of the times, whatever
  /// the moments, as long as no event is committed later than the slack allows.
  @Test(arguments: [UInt64](1...24)) func anyInterleavingGivesTheOrderOfTimes(
    seed: UInt64
  ) throws {
    var generator = SeededGenerator(seed: seed)
    let cpuCount = Int.random(in: 1...5, using: &generator)
    let isLate = seed % 4 == 0
    var rings = try PipedRings(cpus: (0..<UInt16(cpuCount)).map { $0 })
    /// Event, and when its page can be read.
    var waiting: [(time: UInt64, number: UInt32, ring: Int, due: UInt64)] = []
    var expected: [(time: UInt64, ring: Int, number: UInt32)] = []
    var given: [TraceEvent] = []
    var number: UInt32 = 0
    // Before the clock has run for the slack, nothing is known of anybody.
    var time = 2 * Self.slack
    for _ in 0..<200 {
      time += UInt64.random(in: 1...(Self.slack / 4), using: &generator)
      for _ in 0..<Int.random(in: 0...4, using: &generator) {
        let ring = Int.random(in: 0..<cpuCount, using: &generator)
        let most = isLate ? 4 * Self.slack : Self.slack - 1
        let delay = UInt64.random(in: 0...most, using: &generator)
        // One CPU's events become readable in their order.
        let due = max(time + delay, waiting.last { $0.ring == ring }?.due ?? 0)
        waiting.append((time, number, ring, due))
        expected.append((time, ring, number))
        number += 1
        time += UInt64.random(in: 0...1, using: &generator)
      }
      rings.clock.time = time
      for event in waiting where event.due <= time {
        try rings.write(PipedRings.page(event.number, at: event.time), to: event.ring)
      }
      waiting.removeAll { $0.due <= time }
      if Bool.random(using: &generator) { given += try rings.take() }
    }
    for event in waiting {
      try rings.write(PipedRings.page(event.number, at: event.time), to: event.ring)
    }
    given += try rings.finish()
    #expect(given.count == expected.count)
    #expect(zip(given, given.dropFirst()).allSatisfy { $0.time <= $1.time })
    if isLate {
      #expect(Set(given.map(\.word0)) == Set(expected.map { UInt64($0.number) }))
    } else {
      let order = expected.sorted { ($0.time, $0.ring, $0.number) < ($1.time, $1.ring, $1.number) }
      #expect(given.map(\.word0) == order.map { UInt64($0.number) })
      #expect(rings.reader.report().records.backwardTimes == 0)
    }
  }
}
