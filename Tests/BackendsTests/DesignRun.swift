import EventModel
import Replay

@testable import Backends
@testable import TranslationCore

/// One pass of events through a design, beside the reference model.
struct DesignRun {
  var check: EqualityCheck
  var outcomes: [Outcome] = []
  var counters = WorkCounters()

  private init<Backend: TranslationBackend & ~Copyable>(
    _ events: [TraceEvent], _ geometry: TableGeometry, _ makeBackend: () -> Backend
  ) {
    var oracle = ReferenceOracle(geometry: geometry)
    var checked = makeBackend()
    check = EqualityCheck(events, oracle: &oracle, backend: &checked)
    var backend = makeBackend()
    outcomes = Self.play(events, &backend)
    counters = backend.counters
  }

  private static func play<Backend: TranslationBackend & ~Copyable>(
    _ events: some Sequence<TraceEvent>, _ backend: inout Backend
  ) -> [Outcome] {
    var outcomes: [Outcome] = []
    for event in events {
      switch event.kind {
      case .dma, .msi: outcomes.append(backend.translate(event))
      case .acknowledge: backend.acknowledge(event)
      case .map, .unmap, .smmuCommand: backend.maintain(event)
      default: backend.configure(event)
      }
    }
    return outcomes
  }

  /// What a design on GICv4, or on VT-d, gives for every access of any events, without a judge.
  static func outcomes(
    _ design: Design, onIntel: Bool = false, _ events: [TraceEvent], _ geometry: TableGeometry
  ) -> [Outcome] {
    design.accept(Outcomes(events: events, geometry: geometry, onIntel: onIntel))!
  }

  private struct Outcomes: DesignVisitor {
    let events: [TraceEvent]
    let geometry: TableGeometry
    let onIntel: Bool
    func visit<Choice: DesignChoice>(_: Choice.Type) -> [Outcome] {
      if onIntel {
        var backend = X86Backend<Choice, IntelRemapper>(geometry: geometry, smmu: SMMUOptions())
        return DesignRun.play(events, &backend)
      }
      var backend = ArmBackend<Choice, ITSCore>(geometry: geometry, smmu: SMMUOptions())
      return DesignRun.play(events, &backend)
    }
  }

  /// - Parameters:
  ///   - design: not `null`.
  ///   - architecture: one for which `absence` names no reason.
  static func through(
    _ design: Design, on architecture: Architecture = .armGICv4, _ script: GuestScript
  ) -> DesignRun {
    let run =
      switch architecture {
      case .armGICv3, .armGICv4: design.accept(Arm<ITSCore>(script: script))
      case .gicv5: design.accept(Arm<GICv5Host>(script: script))
      case .x86Intel: design.accept(X86<IntelRemapper>(script: script))
      case .x86AMD: design.accept(X86<AMDRemapper>(script: script))
      }
    return run!
  }

  private struct Arm<Host: HostInterruptController & ~Copyable>: DesignVisitor {
    let script: GuestScript
    func visit<Choice: DesignChoice>(_: Choice.Type) -> DesignRun {
      DesignRun(script.events, GuestScript.geometry) {
        ArmBackend<Choice, Host>(geometry: GuestScript.geometry, smmu: SMMUOptions())
      }
    }
  }

  private struct X86<Remapper: InterruptRemapper & ~Copyable>: DesignVisitor {
    let script: GuestScript
    func visit<Choice: DesignChoice>(_: Choice.Type) -> DesignRun {
      DesignRun(script.events, GuestScript.geometry) {
        X86Backend<Choice, Remapper>(geometry: GuestScript.geometry, smmu: SMMUOptions())
      }
    }
  }

  static let designs = BackendCatalogue.designs.filter { $0 != .null }
}
