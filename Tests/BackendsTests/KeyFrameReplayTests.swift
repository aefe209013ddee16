import EventModel
import Foundation
import Replay
import Testing
import TraceFormat
import TraceImport

@testable import Backends

/// A replay that starts at a key frame gives for every access behind it what a replay from the beginning
/// gives there: in the reference model and in the designs.
@Suite struct KeyFrameReplayTests {
  private static let designs: [(design: Design, onIntel: Bool)] = [
    (.direct, false), (.trapped, false), (.eventfd, false), (.trapped, true),
  ]

  /// How many events of a recording, and the events from one key frame to the next.
  @Test(arguments: [
    ("boot", 2_482, 150), ("faults", 1_613, 200), ("rebind", 9_000, 1_500), ("nvme", 12_000, 2_000),
    ("nested-v4", 9_000, 1_500), ("nested-irqfd", 9_000, 1_500), ("nested-userspace", 9_000, 1_500),
  ])
  func everyKeyFrameOfARecordingReplaysTheSame(name: String, count: Int, interval: Int) throws {
    let (events, geometry) = try RecordingTests.events(name)
    try check(Array(events.prefix(count)), geometry, interval: interval, name)
  }

  @Test(arguments: [Scenario.errorMix, .hotPlug, .overcommit])
  func everyKeyFrameOfAScenarioReplaysTheSame(scenario: Scenario) throws {
    var options = SynthesisOptions()
    options.events = 6_000
    let generator = try ScenarioGenerator(scenario, options)
    var events: [TraceEvent] = []
    try generator.run { span in for index in span.indices { events.append(span[index]) } }
    try check(events, generator.geometry, interval: 1_000, scenario.rawValue)
  }

  private func check(
    _ events: [TraceEvent], _ geometry: TableGeometry, interval: Int, _ name: String
  ) throws {
    let path = NSTemporaryDirectory() + "doorbell-\(UUID().uuidString).dbtrace"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var description = TraceDescription()
    description.geometry = geometry
    var options = TraceWriter.Options()
    options.codec = .lz4
    options.level = 1
    options.eventsBetweenKeyFrames = interval
    var writer = try TraceWriter(path: path, description: description, options: options)
    try writer.append(contentsOf: events)
    let written = try writer.finish().keyFrames
    var reader = try TraceReader(path: path)
    let keyFrames = try reader.keyFrames()
    #expect(keyFrames.count == Int(written) + 1 && written >= events.count / interval / 2)
    let whole = ReferenceAnswers(events, geometry: geometry).outcomes
    let wholeOfDesigns = Self.designs.map {
      DesignRun.outcomes($0.design, onIntel: $0.onIntel, events, geometry)
    }
    for keyFrame in keyFrames {
      let place = "\(name), key frame before event \(keyFrame.ordinal)"
      let records = try reader.seek(toKeyFrame: keyFrame)
      let rest = events[Int(keyFrame.ordinal)...]
      let answers = ReferenceAnswers(records + rest, geometry: geometry).outcomes
      #expect(answers.prefix(records.count).allSatisfy { $0 == nil }, "\(place): records only")
      let accesses = answers.compactMap(\.self)
      compare(accesses, whole.compactMap(\.self), "\(place), reference model")
      for ((design, onIntel), whole) in zip(Self.designs, wholeOfDesigns) {
        let outcomes = DesignRun.outcomes(design, onIntel: onIntel, records + rest, geometry)
        #expect(outcomes.count == accesses.count)
        if onIntel {
          compare(
            withoutNotification(outcomes), withoutNotification(whole), "\(place), \(design) on VT-d"
          )
        } else {
          compare(outcomes, whole, "\(place), \(design)")
        }
      }
    }
  }

  /// Whether a posted descriptor had a notification outstanding is the host's affair, and in no snapshot.
  private func withoutNotification(_ outcomes: [Outcome]) -> [Outcome] {
    outcomes.map { outcome in
      var outcome = outcome
      outcome.flags = 0
      return outcome
    }
  }

  /// The outcomes from a key frame on against the last as many of all.
  private func compare(_ found: [Outcome], _ whole: [Outcome], _ place: String) {
    let expected = whole.suffix(found.count)
    let difference = zip(expected, found).enumerated().first { $0.element.0 != $0.element.1 }
    let text = difference.map {
      "access \($0.offset): \($0.element.0) from the beginning, \($0.element.1) from here"
    }
    #expect(text == nil, "\(place)")
  }
}
