import EventModel
import Glibc
import Testing

@testable import TraceFormat

@Suite struct ReaderTests {
  private let events = SampleTrace.events(300)

  private func file(snapshotAt: Int? = nil, frame: Int = 64) throws -> TemporaryFile {
    try TemporaryFile(
      SampleTrace.bytes(events, SampleTrace.options(.zstd, frame: frame), snapshotAt: snapshotAt))
  }

  @Test func theHeaderSaysWhatTheAuthorSaid() throws {
    let file = try file()
    let reader = try TraceReader(path: file.path)
    let header = reader.header
    #expect(header.description == SampleTrace.description())
    #expect(header.codec == .zstd)
  }

  @Test func totalsStandInHeaderAndTrailer() throws {
    let file = try file(snapshotAt: 100)
    var reader = try TraceReader(path: file.path)
    let stated = reader.totals
    let totals = try #require(stated)
    #expect(totals.events == 300)
    #expect(totals.earliestTime == events.map(\.time).min())
    #expect(totals.latestTime == events.map(\.time).max())
    #expect(totals.lossGaps == 1 && totals.lostEvents == 7)
    _ = try SampleTrace.rest(of: &reader)
    let atEnd = reader.totals
    #expect(atEnd == totals)
  }

  @Test func rewindingGivesTheSameEventsAgain() throws {
    let file = try file(snapshotAt: 70)
    var reader = try TraceReader(path: file.path)
    for _ in 0..<3 {
      #expect(try SampleTrace.rest(of: &reader) == events)
      try reader.rewind()
    }
    _ = try SampleTrace.next(100, of: &reader)
    try reader.rewind()
    #expect(try SampleTrace.rest(of: &reader) == events)
  }

  @Test func seekingToEveryOrdinalGivesTheRest() throws {
    let file = try file(snapshotAt: 70, frame: 50)
    var reader = try TraceReader(path: file.path)
    for ordinal in stride(from: 300, through: 0, by: -1) {
      try reader.seek(toOrdinal: UInt64(ordinal))
      let reached = reader.ordinal
      #expect(reached == UInt64(ordinal))
      #expect(try SampleTrace.rest(of: &reader) == Array(events[ordinal...]))
    }
    let error = #expect(throws: TraceError.self) { try reader.seek(toOrdinal: 301) }
    #expect(error?.kind == .usage)
  }

  @Test func seekingToATimeMissesNoEventBehindIt() throws {
    let file = try file(frame: 10)
    var reader = try TraceReader(path: file.path)
    for time in events.map(\.time) {
      try reader.seek(toFrameOfTime: time)
      let rest = try SampleTrace.rest(of: &reader)
      #expect(rest.filter { $0.time >= time } == events.filter { $0.time >= time })
    }
    try reader.seek(toFrameOfTime: .max)
    #expect(try SampleTrace.rest(of: &reader).isEmpty)
  }

  @Test func theIndexTellsWhichFramesMayHoldAKind() throws {
    let file = try file(frame: 10)
    var reader = try TraceReader(path: file.path)
    for entry in try reader.index().entries {
      let frame = events[Int(entry.firstOrdinal)..<Int(entry.endOrdinal)]
      for kind in EventKind.all where !entry.kindMask.mayContain(kind) {
        #expect(!frame.contains { $0.kind == kind })
      }
      #expect(frame.allSatisfy { entry.kindMask.mayContain($0.kind) })
    }
  }

  @Test func aSnapshotIsFoundFromItsOrdinalOn() throws {
    let file = try file(snapshotAt: 100)
    var reader = try TraceReader(path: file.path)
    #expect(try reader.snapshot(before: 99) == nil)
    for ordinal: UInt64 in [100, 101, 299] {
      let snapshot = try #require(try reader.snapshot(before: ordinal))
      #expect(snapshot.ordinal == 100)
      #expect(snapshot.records == Array(events.prefix(5)))
    }
    #expect(try SampleTrace.rest(of: &reader) == events)
  }

  @Test func aSnapshotOfSeveralPartsComesBackWhole() throws {
    let records = (0..<(TraceLimits.eventsPerFrame + 10)).map {
      TraceEvent(time: 0, kind: .map, word0: UInt64($0) << 12, word1: UInt64($0) << 13)
    }
    let file = try TemporaryFile()
    var writer = try TraceWriter(
      path: file.path, description: TraceDescription(), options: SampleTrace.options(.lz4))
    try writer.append(contentsOf: events)
    try writer.appendSnapshot(records)
    try writer.append(contentsOf: events)
    _ = try writer.finish()
    var reader = try TraceReader(path: file.path)
    #expect(try reader.snapshot(before: 600)?.records == records)
    #expect(try reader.snapshot(before: 299) == nil)
    #expect(try SampleTrace.rest(of: &reader) == events + events)
  }

  @Test func aPipeCarriesTheSameEvents() throws {
    var ends: [Int32] = [0, 0]
    // Safety: two descriptors of room. The trace is smaller than a pipe's 64 KiB.
    try #require(unsafe pipe(&ends) == 0)
    var writer = try TraceWriter(
      descriptor: ends[1], name: "stdout", description: SampleTrace.description(),
      options: SampleTrace.options(.zstd, frame: 64))
    try writer.append(contentsOf: events)
    let summary = try writer.finish()
    close(ends[1])
    defer { close(ends[0]) }
    var reader = try TraceReader(descriptor: ends[0], name: "stdin")
    let (early, isSeekable) = (reader.totals, reader.isSeekable)
    #expect(early == nil && !isSeekable)
    #expect(try SampleTrace.rest(of: &reader) == events)
    let late = reader.totals
    #expect(late == summary.totals)
    let error = #expect(throws: TraceError.self) { try reader.rewind() }
    #expect(error?.kind == .usage)
  }

  @Test func theFileAppearsOnlyWhenItIsWhole() throws {
    let file = try TemporaryFile([1, 2, 3])
    var writer = try TraceWriter(
      path: file.path, description: TraceDescription(), options: SampleTrace.options(.zstd))
    try writer.append(contentsOf: events)
    try writer.flush()
    #expect(try file.read() == [1, 2, 3])
    var scanner = try TraceScanner(path: file.path + ".partial")
    guard case .frame = try scanner.next() else {
      Issue.record("the partial file holds no whole frame")
      return
    }
    #expect(scanner.events() == events)
    _ = try writer.finish()
    #expect(try SampleTrace.read(file.path) == events)
  }

  @Test func columnSizesAddUpToAboutTheFile() throws {
    let file = try TemporaryFile()
    var options = SampleTrace.options(.none)
    options.measuresColumns = true
    var writer = try TraceWriter(
      path: file.path, description: TraceDescription(), options: options)
    try writer.append(contentsOf: events)
    let summary = try writer.finish()
    let columns = summary.columnSizes.values.reduce(0, +)
    #expect(columns < summary.sizeBytes && columns > summary.sizeBytes / 2)
  }
}
