import EventModel
import Replay

@testable import Backends
@testable import TranslationCore

/// One pass of events through a design, beside the reference model.
struct DesignRun {
  var check: EqualityCheck
  var outcomes: [Outcome] = []
  var counters = WorkCounters()

  private init<Choice: ArmDesign>(
    _ events: [TraceEvent], _ geometry: TableGeometry, _: Choice.Type
  ) {
    var oracle = ReferenceOracle(geometry: geometry)
    var checked = ArmBackend<Choice>(geometry: geometry, smmu: SMMUOptions())
    check = EqualityCheck(events, oracle: &oracle, backend: &checked)
    var backend = ArmBackend<Choice>(geometry: geometry, smmu: SMMUOptions())
    for event in events {
      switch event.kind {
      case .dma, .msi: outcomes.append(backend.translate(event))
      case .acknowledge: backend.acknowledge(event)
      case .map, .unmap, .smmuCommand: backend.maintain(event)
      default: backend.configure(event)
      }
    }
    counters = backend.counters
  }

  static func through(_ design: Design, _ script: GuestScript) -> DesignRun {
    let geometry = GuestScript.geometry
    let events = script.events
    return switch (design.setUp, design.delivery) {
    case (.trapped, .vlpi): DesignRun(events, geometry, TrappedVLPI.self)
    case (.trapped, .irqfd): DesignRun(events, geometry, TrappedIRQFD.self)
    case (.trapped, _): DesignRun(events, geometry, TrappedBounce.self)
    case (.owned, .irqfd): DesignRun(events, geometry, OwnedIRQFD.self)
    case (.owned, .bounce): DesignRun(events, geometry, OwnedBounce.self)
    case (.owned, _): DesignRun(events, geometry, OwnedVLPI.self)
    }
  }

  static let designs = BackendCatalogue.designs.filter { $0 != .null }
}
