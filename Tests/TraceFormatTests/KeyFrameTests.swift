import EventModel
import Testing

@testable import TraceFormat

@Suite struct KeyFrameTests {
  private static func options(_ interval: Int, frame: Int = 4096) -> TraceWriter.Options {
    var options = SampleTrace.options(.lz4, frame: frame)
    options.eventsBetweenKeyFrames = interval
    return options
  }

  /// At each key frame the state is that of a walk from the beginning, and the events go on from it.
  private func check(_ events: [TraceEvent], _ geometry: TableGeometry, _ bytes: [UInt8]) throws
    -> Int
  {
    var reader = try TraceReader(bytes: bytes, name: "key frames")
    let read = try SampleTrace.rest(of: &reader, batch: 4096)
    #expect(read == events)
    let keyFrames = try reader.keyFrames()
    var state = ConfigurationState(geometry: geometry)
    var position = 0
    for keyFrame in keyFrames {
      while position < Int(keyFrame.ordinal) {
        state.apply(events[position])
        position += 1
      }
      let records = try reader.seek(toKeyFrame: keyFrame)
      #expect(records == state.records(at: keyFrame.time), "key frame \(keyFrame.ordinal)")
      let after = try SampleTrace.next(50, of: &reader)
      #expect(after == Array(events[position..<min(position + 50, events.count)]))
    }
    let totals = try reader.verify()
    #expect(totals.events == UInt64(events.count))
    return keyFrames.count
  }

  @Test(arguments: ConfigurationStateTests.recordings)
  func everyKeyFrameOfARecordingHoldsTheStateBeforeIt(recording: String) throws {
    var reader = try TraceReader(path: ConfigurationStateTests.path(recording))
    let description = reader.header.description
    let events = Array(try SampleTrace.rest(of: &reader, batch: 4096).prefix(30_000))
    let interval = max(100, events.count / 8)
    let bytes = try SampleTrace.bytes(events, Self.options(interval), description: description)
    let count = try check(events, description.geometry, bytes)
    #expect(count >= 4)
  }

  @Test(arguments: 1...6)
  func everyKeyFrameOfARandomLifeHoldsTheStateBeforeIt(seed: Int) throws {
    var world = RandomLife(seed: UInt64(seed), hasVPEs: true)
    let events = world.events(1200)
    var description = SampleTrace.description()
    description.geometry = world.geometry
    let options = Self.options([1, 7, 50][seed % 3], frame: 64)
    let bytes = try SampleTrace.bytes(events, options, description: description)
    let count = try check(events, world.geometry, bytes)
    #expect(count > 1200 / 100)
  }

  @Test func aKeyFrameWaitsForAnInvalidationButNotForEver() throws {
    func page(_ number: UInt64, _ time: UInt64) -> TraceEvent {
      .map(
        time: time, streamID: 8, asid: 1, iova: 0x10_0000 + number << 12,
        outputAddress: 0x8000_0000,
        log2SizeBytes: 12, level: 3, granule: .kib4, descriptor: 0xFC7)
    }
    func unmapped(_ time: UInt64) -> TraceEvent {
      .unmap(
        time: time, streamID: 8, asid: 1, iova: 0x10_0000, log2SizeBytes: 12, level: 3,
        granule: .kib4)
    }
    var events = [StreamConfiguration().event(time: 0, streamID: 8), page(0, 1), unmapped(2)]
    events += (3..<60).map { TraceEvent(time: $0, kind: .mark) }
    for (flush, expected) in [(nil, 20), (14, 15)] as [(Int?, UInt64)] {
      var events = events
      if let flush { events[flush] = .smmuCommand(time: UInt64(flush), 0x30, 0) }
      let bytes = try SampleTrace.bytes(events, Self.options(10))
      var reader = try TraceReader(bytes: bytes, name: "waits")
      #expect(try reader.keyFrames()[1].ordinal == expected)
    }
  }

  @Test func aSnapshotOfTheCallerIsWhereTheWriterGoesOn() throws {
    let stream = StreamConfiguration().event(time: 0, streamID: 8)
    let file = try TemporaryFile()
    var writer = try TraceWriter(
      path: file.path, description: SampleTrace.description(), options: Self.options(10))
    try writer.appendSnapshot([stream])
    for time: UInt64 in 0..<25 { try writer.append(TraceEvent(time: time, kind: .mark)) }
    _ = try writer.finish()
    var reader = try TraceReader(path: file.path)
    let keyFrames = try reader.keyFrames()
    #expect(keyFrames.map(\.ordinal) == [0, 10, 20])
    for keyFrame in keyFrames {
      let records = try reader.seek(toKeyFrame: keyFrame)
      #expect(records.map(\.kind) == [.streamConfiguration])
      #expect(reader.ordinal == keyFrame.ordinal)
    }
  }

  @Test func theStateBeforeAnyEventComesFromTheKeyFrameBeforeIt() throws {
    var world = RandomLife(seed: 99, hasVPEs: true)
    let events = Array(world.events(500).prefix(500))
    var description = SampleTrace.description()
    description.geometry = world.geometry
    for options in [SampleTrace.options(.none, frame: 33), Self.options(60, frame: 33)] {
      let bytes = try SampleTrace.bytes(events, options, description: description)
      var reader = try TraceReader(bytes: bytes, name: "state")
      for target in [0, 1, 59, 60, 61, 250, 499, 500] {
        let state = try reader.seek(withStateToOrdinal: UInt64(target))
        var walked = ConfigurationState(geometry: world.geometry)
        for event in events.prefix(target) { walked.apply(event) }
        #expect(state.records(at: 5) == walked.records(at: 5), "event \(target)")
        let next = try SampleTrace.next(3, of: &reader)
        #expect(next == Array(events[target...].prefix(3)))
      }
      let error = #expect(throws: TraceError.self) {
        _ = try reader.seek(withStateToOrdinal: 501)
      }
      #expect(error?.kind == .usage)
    }
  }

  /// What the trace starts with: of several snapshots the last, of a long one every part.
  @Test func theRecordsBeforeTheFirstEventComeFirst() throws {
    func records(_ count: Int, _ base: UInt64) -> [TraceEvent] {
      (0..<count).map { TraceEvent(time: 3, kind: .map, word0: (base + UInt64($0)) << 12) }
    }
    let long = records(TraceLimits.eventsPerFrame + 5, 1)
    let events = (0..<40).map { TraceEvent(time: 4 + UInt64($0), kind: .mark) }
    for snapshots in [[], [records(3, 7)], [records(9, 1), records(2, 50)], [long]] {
      let file = try TemporaryFile()
      var writer = try TraceWriter(
        path: file.path, description: SampleTrace.description(),
        options: SampleTrace.options(.lz4, frame: 16))
      for snapshot in snapshots { try writer.appendSnapshot(snapshot) }
      try writer.append(contentsOf: events.prefix(20))
      try writer.appendSnapshot(records(4, 90))
      try writer.append(contentsOf: events.dropFirst(20))
      #expect(try writer.finish().keyFrames == UInt64(snapshots.count + 1))
      var reader = try TraceReader(path: file.path)
      #expect(try reader.openingRecords() == snapshots.last ?? [])
      #expect(reader.ordinal == 0)
      #expect(try SampleTrace.rest(of: &reader, batch: 7) == events)
    }
  }

  @Test func aDamagedSnapshotBeforeTheFirstEventIsAnErrorThatStays() throws {
    let file = try TemporaryFile()
    var writer = try TraceWriter(
      path: file.path, description: SampleTrace.description(), options: SampleTrace.options(.none))
    try writer.appendSnapshot([StreamConfiguration().event(time: 0, streamID: 8)])
    try writer.append(TraceEvent(time: 1, kind: .mark))
    _ = try writer.finish()
    var reader = try TraceReader(path: file.path)
    let offset = Int(try reader.index().entries[0].offset) + FrameHeader.fixedSize + 20
    var bytes = try file.read()
    bytes[offset] ^= 1
    var damaged = try TraceReader(bytes: bytes, name: "damaged")
    for _ in 0..<2 {
      let error = #expect(throws: TraceError.self) { _ = try damaged.openingRecords() }
      #expect(error?.kind == .damaged && error?.subject == "payload checksum")
    }
  }

  @Test func aPlaceWithoutKeyFrameIsRefused() throws {
    let bytes = try SampleTrace.bytes(SampleTrace.events(), SampleTrace.options(.none))
    var reader = try TraceReader(bytes: bytes, name: "none")
    #expect(try reader.keyFrames() == [KeyFrame(ordinal: 0, time: 0)])
    let error = #expect(throws: TraceError.self) {
      _ = try reader.seek(toKeyFrame: KeyFrame(ordinal: 5, time: 0))
    }
    #expect(error?.subject == "key frame")
  }

  @Test func framesAreFoundByKindOrdinalAndTime() throws {
    var events = (0..<100).map { TraceEvent(time: UInt64($0) * 10, kind: .mark) }
    events[42].kind = .loss
    let bytes = try SampleTrace.bytes(events, SampleTrace.options(.none, frame: 10))
    var reader = try TraceReader(bytes: bytes, name: "index")
    let index = try reader.index()
    #expect(index.positions(mayHold: [.loss]) == [4])
    #expect(index.positions(mayHold: [.msi]) == [])
    #expect(index.positions(ordinals: 19..<31) == [1, 2, 3])
    #expect(index.positions(times: 95...100) == [1])
    #expect(index.positions(mayHold: [.loss, .mark], ordinals: 30..<50, times: 400...5000) == [4])
    try reader.seek(toFrame: 4)
    #expect(try SampleTrace.next(3, of: &reader) == Array(events[40..<43]))
    #expect(throws: TraceError.self) { try reader.seek(toFrame: 10) }
  }
}
