import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TraceFormat

/// A replay that starts with the records of a snapshot ends like one that started at the beginning.
@Suite struct ConfigurationStateTests {
  static let recordings = [
    "boot", "nvme", "rebind", "faults", "nested-v4", "nested-irqfd", "nested-userspace",
  ]

  static func path(_ recording: String) -> String {
    let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return folder.joined(separator: "/") + "/Traces/\(recording).dbtrace"
  }

  /// What the reference model says of every access.
  private struct Replay {
    var machine: ReferenceMachine
    private(set) var outcomes: [Outcome] = []

    init(_ geometry: TableGeometry, _ version: ITS.Version = .v4) {
      machine = ReferenceMachine(geometry, version: version)
    }

    mutating func play(_ events: some Sequence<TraceEvent>) {
      for event in events {
        if let outcome = machine.apply(event) { outcomes.append(outcome) }
      }
    }
  }

  /// State, rebuilt state and outcomes from `ordinal` on, for the next `window` events.
  private func check(
    _ events: [TraceEvent], at ordinal: Int, _ state: ConfigurationState,
    _ machine: ReferenceMachine, window: Int, version: ITS.Version = .v4,
    _ comment: @autoclosure () -> Comment
  ) {
    let records = state.records(at: 7)
    var rebuilt = ConfigurationState(geometry: state.geometry)
    for record in records { rebuilt.apply(record) }
    let again = rebuilt.records(at: 7)
    #expect(again.count == records.count, comment())
    let changed = zip(records, again).first { $0 != $1 }.map { "\($0) became \($1)" }
    #expect(changed == nil, comment())
    let rest = events[ordinal..<min(ordinal + window, events.count)]
    var fromStart = Replay(state.geometry)
    fromStart.machine = machine
    fromStart.play(rest)
    var fromHere = Replay(state.geometry, version)
    for record in records {
      let outcome = fromHere.machine.apply(record)
      #expect(outcome == nil, "a snapshot holds no access")
    }
    fromHere.play(rest)
    let difference = zip(fromStart.outcomes, fromHere.outcomes).enumerated().first {
      $0.element.0 != $0.element.1
    }
    let found = difference.map {
      "access \($0.offset): \($0.element.0) from the start, \($0.element.1) from the snapshot"
    }
    #expect(found == nil, comment())
  }

  @Test(arguments: recordings)
  func everyRecordingReplaysFromAnySnapshot(recording: String) throws {
    var reader = try TraceReader(path: Self.path(recording))
    let geometry = reader.header.description.geometry
    let events = try SampleTrace.rest(of: &reader, batch: 4096)
    var state = ConfigurationState(geometry: geometry)
    var machine = ReferenceMachine(geometry)
    let step = max(1, min(events.count, 24_000) / 6)
    var due = step / 2
    for (ordinal, event) in events.prefix(24_000).enumerated() {
      if ordinal >= due, state.isSettled {
        check(
          events, at: ordinal, state, machine, window: 600,
          "\(recording), snapshot before event \(ordinal)")
        due = ordinal + step
      }
      state.apply(event)
      _ = machine.apply(event)
    }
  }

  @Test(arguments: 1...24)
  func everyRandomLifeReplaysFromAnySnapshot(seed: Int) {
    let version: ITS.Version = seed % 4 == 0 ? .v3 : .v4
    var world = RandomLife(seed: UInt64(seed), hasVPEs: version != .v3)
    let events = world.events(600)
    var state = ConfigurationState(geometry: world.geometry)
    var machine = ReferenceMachine(world.geometry, version: version)
    for (ordinal, event) in events.enumerated() {
      if ordinal % 40 == 39, state.isSettled {
        check(
          events, at: ordinal, state, machine, window: 80, version: version,
          "seed \(seed), snapshot before event \(ordinal)")
      }
      state.apply(event)
      _ = machine.apply(event)
    }
  }
}
