// Backends: designs composed from the translation core, and the loops of `Replay` specialised for them.
//
// A backend is a type that conforms to `TranslationBackend`. To add one: a folder here, and one line in
// `BackendCatalogue.runner`. The switch stands outside all loops; each case gets its own copy of them.
//
// Invariants: every backend delivers the same interrupts to the guest (`EqualityCheck` proves it before
// anything is timed); a backend is used by one thread at a time.

package import EventModel
package import Replay
import TranslationCore

package enum BackendCatalogue {
  /// Every design that exists, by name.
  package static let designs: [Design] = [
    .trapped, .eventfd, .direct, Design(.trapped, .bounce), Design(.owned, .irqfd),
    Design(.owned, .bounce), .null,
  ]

  /// The runner of a design; nil if there is none.
  package static func runner(of design: Design, geometry: TableGeometry) -> BackendRunner? {
    let smmu = SMMUOptions()
    func arm<Choice: DesignChoice>(_: Choice.Type) -> BackendRunner {
      BackendRunner(geometry: geometry) { ArmBackend<Choice>(geometry: geometry, smmu: smmu) }
    }
    switch (design.setUp, design.delivery) {
    case (.trapped, .vlpi): return arm(TrappedVLPI.self)
    case (.trapped, .irqfd): return arm(TrappedIRQFD.self)
    case (.trapped, .bounce): return arm(TrappedBounce.self)
    case (.owned, .vlpi): return arm(OwnedVLPI.self)
    case (.owned, .irqfd): return arm(OwnedIRQFD.self)
    case (.owned, .bounce): return arm(OwnedBounce.self)
    case (.owned, .none): return BackendRunner(geometry: geometry) { NullBackend() }
    case (.trapped, .none): return nil
    }
  }
}
