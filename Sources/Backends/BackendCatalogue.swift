// Backends: designs composed from the translation core, and the loops of `Replay` specialised for them.
//
// A backend is a type that conforms to `TranslationBackend`. To add one: a folder here, and one line in
// `BackendCatalogue.run`. The switch stands outside all loops; each case gets its own copy of them.
//
// Invariants: every backend delivers the same interrupts to the guest (`EqualityCheck` proves it before
// anything is timed); a backend is used by one thread at a time.

package import EventModel
package import Replay
import TranslationCore

/// What is run with a backend whose type is known only to the catalogue.
package protocol BackendTask {
  associatedtype Result
  mutating func run<Backend: TranslationBackend & ~Copyable>(
    _ makeBackend: @escaping () -> Backend
  ) throws -> Result
}

package enum BackendCatalogue {
  /// Every design that exists, by name.
  package static let designs: [Design] = [
    .trapped, .eventfd, .direct, Design(.trapped, .bounce), Design(.owned, .irqfd),
    Design(.owned, .bounce), .null,
  ]

  /// Runs `task` with the backend of `design`. Nil if there is none.
  package static func run<Task: BackendTask>(
    _ task: inout Task, with design: Design, geometry: TableGeometry
  ) throws -> Task.Result? {
    let smmu = SMMUOptions()
    func arm<Choice: ArmDesign>(_: Choice.Type) throws -> Task.Result {
      try task.run { ArmBackend<Choice>(geometry: geometry, smmu: smmu) }
    }
    switch (design.setUp, design.delivery) {
    case (.trapped, .vlpi): return try arm(TrappedVLPI.self)
    case (.trapped, .irqfd): return try arm(TrappedIRQFD.self)
    case (.trapped, .bounce): return try arm(TrappedBounce.self)
    case (.owned, .vlpi): return try arm(OwnedVLPI.self)
    case (.owned, .irqfd): return try arm(OwnedIRQFD.self)
    case (.owned, .bounce): return try arm(OwnedBounce.self)
    case (.owned, .none): return try task.run { NullBackend() }
    case (.trapped, .none): return nil
    }
  }
}
