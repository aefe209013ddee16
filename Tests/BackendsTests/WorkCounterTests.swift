import EventModel
import Foundation
import Replay
import Testing

@testable import Backends
@testable import TranslationCore

/// Work counters are the same to the bit: run after run, however events are cut into batches, in every
/// experiment, and on every host.
@Suite struct WorkCounterTests {
  /// Each design of each architecture that has it.
  static var cells: [(design: Design, architecture: Architecture)] {
    Architecture.allCases.flatMap { architecture in
      BackendCatalogue.designs.filter {
        $0 != .null && BackendCatalogue.absence(of: $0, on: architecture) == nil
      }.map { ($0, architecture) }
    }
  }

  @Test func howEventsAreCutMakesNoDifference() throws {
    let (events, geometry) = try RecordingTests.events("boot")
    for (design, architecture) in Self.cells {
      let cut = Cuts(events: events, geometry: geometry)
      let counters = Set([1, 7, 64, events.count].map { cut.through(design, architecture, $0) })
      #expect(counters.count == 1, "\(design) \(architecture.rawValue)")
      #expect(counters.first.map { $0.accesses > 0 && $0.smmuCommands > 0 } == true)
    }
  }

  @Test func everyRunAndExperimentDoesTheSameWork() throws {
    let (events, geometry) = try RecordingTests.events("boot")
    let answers = ReferenceAnswers(events, geometry: geometry)
    for (design, architecture) in Self.cells {
      let runner = try #require(
        BackendCatalogue.runner(of: design, geometry: geometry, architecture: architecture))
      let cell = "\(design) \(architecture.rawValue)"
      let first = runner.prove(answers)
      let again = runner.prove(answers)
      #expect(first.setUpCounters == again.setUpCounters, "\(cell)")
      #expect(first.deliveryCounters == again.deliveryCounters, "\(cell)")
      var options = CoreExperiment.Options()
      options.coldPasses = 2
      options.warmSamples = 1
      options.warmNanoseconds = 0
      options.trafficPasses = 0
      options.thrashPasses = 0
      let core = runner.core(events, options)
      #expect(core.isRepeatable, "\(cell)")
      #expect(core.coldCounters == first.setUpCounters + first.deliveryCounters, "\(cell)")
      let stream = try runner.proveStream(ErasedSource(ArraySource(events)))
      #expect(stream.deliveryCounters == first.deliveryCounters, "\(cell)")
    }
  }

  /// The numbers that stand in `Golden/work-counters.txt`, made on another host. A change of them is a
  /// change of what a design does, and has to be meant.
  @Test func everyHostDoesTheSameWork() throws {
    let (events, geometry) = try RecordingTests.events("boot")
    let answers = ReferenceAnswers(events, geometry: geometry)
    var lines: [String] = []
    for (design, architecture) in Self.cells {
      let runner = try #require(
        BackendCatalogue.runner(of: design, geometry: geometry, architecture: architecture))
      let check = runner.prove(answers)
      for (part, counters) in [
        ("set-up", check.setUpCounters), ("delivery", check.deliveryCounters),
      ] {
        let counts = WorkCounters.fields.compactMap { field -> String? in
          let count = counters[keyPath: field.path]
          return count == 0 ? nil : "\(field.name)=\(count)"
        }
        lines.append(
          "\(architecture.rawValue) \(design) \(part): " + counts.joined(separator: " "))
      }
    }
    let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Golden/work-counters.txt")
    let expected = try String(contentsOf: golden, encoding: .utf8)
      .split(separator: "\n").map(String.init)
    guard lines != expected else { return }
    let found = NSTemporaryDirectory() + "/work-counters.txt"
    try (lines.joined(separator: "\n") + "\n").write(
      toFile: found, atomically: true, encoding: .utf8)
    for (line, other) in zip(lines, expected) where line != other {
      Issue.record("found    \(line)\nexpected \(other)")
    }
    Issue.record("if the change is meant: cp \(found) \(golden.path)")
  }

  /// One trace, given to fresh backends piece by piece.
  private struct Cuts {
    let events: [TraceEvent]
    let geometry: TableGeometry

    func through(_ design: Design, _ architecture: Architecture, _ size: Int) -> WorkCounters {
      let counters =
        switch architecture {
        case .armGICv3, .armGICv4: design.accept(Arm<ITSCore>(cuts: self, size: size))
        case .gicv5: design.accept(Arm<GICv5Host>(cuts: self, size: size))
        case .x86Intel: design.accept(X86<IntelRemapper>(cuts: self, size: size))
        case .x86AMD: design.accept(X86<AMDRemapper>(cuts: self, size: size))
        }
      return counters!
    }

    func counters<Backend: TranslationBackend & ~Copyable>(
      _ backend: consuming Backend, _ size: Int
    ) -> WorkCounters {
      var backend = backend
      var tally = PassTally()
      // Safety: pieces lie within the array, whose storage lives during the call.
      unsafe events.withUnsafeBufferPointer { all in
        for start in stride(from: 0, to: all.count, by: size) {
          unsafe replay(
            UnsafeBufferPointer(rebasing: all[start..<min(start + size, all.count)]),
            through: &backend, &tally)
        }
      }
      return backend.counters
    }
  }

  private struct Arm<Host: HostInterruptController & ~Copyable>: DesignVisitor {
    let cuts: Cuts
    let size: Int
    func visit<Choice: DesignChoice>(_: Choice.Type) -> WorkCounters {
      cuts.counters(
        ArmBackend<Choice, Host>(geometry: cuts.geometry, smmu: SMMUOptions()), size)
    }
  }

  private struct X86<Remapper: InterruptRemapper & ~Copyable>: DesignVisitor {
    let cuts: Cuts
    let size: Int
    func visit<Choice: DesignChoice>(_: Choice.Type) -> WorkCounters {
      cuts.counters(
        X86Backend<Choice, Remapper>(geometry: cuts.geometry, smmu: SMMUOptions()), size)
    }
  }
}
