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
  /// Every design that exists on some architecture, by name.
  package static let designs: [Design] = [
    .trapped, .eventfd, .direct, Design(.trapped, .bounce), Design(.owned, .irqfd),
    Design(.owned, .bounce), .null,
  ]

  /// Why there is no such design on an architecture; nil if there is one.
  package static func absence(of design: Design, on architecture: Architecture) -> String? {
    if design == .null { return nil }
    if design.delivery == .none { return "set-up without delivery is no design" }
    switch architecture {
    case .armGICv3 where design.delivery == .vlpi:
      return "GICv3 has no virtual entries: an ITS can make physical LPIs pending only"
    case .x86Intel where design.setUp == .owned:
      return "VT-d has one remapping table for all devices of a unit: an index that a guest chose "
        + "would be another guest's entry"
    default: return nil
    }
  }

  /// The runner of a design; nil if there is none.
  package static func runner(
    of design: Design, geometry: TableGeometry, architecture: Architecture = .armGICv4
  ) -> BackendRunner? {
    guard absence(of: design, on: architecture) == nil else { return nil }
    switch architecture {
    case .armGICv3, .armGICv4: return arm(design, geometry, ITSCore.self)
    case .x86Intel: return x86(design, geometry, IntelRemapper.self)
    case .x86AMD: return x86(design, geometry, AMDRemapper.self)
    case .gicv5: return arm(design, geometry, GICv5Host.self)
    }
  }

  private static func null(_ geometry: TableGeometry) -> BackendRunner {
    BackendRunner(geometry: geometry) { NullBackend() }
  }

  @inline(__always)
  private static func arm<Host: HostInterruptController & ~Copyable>(
    _ design: Design, _ geometry: TableGeometry, _: Host.Type
  ) -> BackendRunner? {
    let smmu = SMMUOptions()
    func make<Choice: DesignChoice>(_: Choice.Type) -> BackendRunner {
      BackendRunner(geometry: geometry) {
        ArmBackend<Choice, Host>(geometry: geometry, smmu: smmu)
      }
    }
    switch (design.setUp, design.delivery) {
    case (.trapped, .vlpi): return make(TrappedVLPI.self)
    case (.trapped, .irqfd): return make(TrappedIRQFD.self)
    case (.trapped, .bounce): return make(TrappedBounce.self)
    case (.owned, .vlpi): return make(OwnedVLPI.self)
    case (.owned, .irqfd): return make(OwnedIRQFD.self)
    case (.owned, .bounce): return make(OwnedBounce.self)
    case (_, .none): return null(geometry)
    }
  }

  /// Owned set-up on VT-d is absent: `absence` says why.
  @inline(__always)
  private static func x86<Remapper: InterruptRemapper & ~Copyable>(
    _ design: Design, _ geometry: TableGeometry, _: Remapper.Type
  ) -> BackendRunner? {
    let smmu = SMMUOptions()
    func make<Choice: DesignChoice>(_: Choice.Type) -> BackendRunner {
      BackendRunner(geometry: geometry) {
        X86Backend<Choice, Remapper>(geometry: geometry, smmu: smmu)
      }
    }
    switch (design.setUp, design.delivery) {
    case (.trapped, .vlpi): return make(TrappedVLPI.self)
    case (.trapped, .irqfd): return make(TrappedIRQFD.self)
    case (.trapped, .bounce): return make(TrappedBounce.self)
    case (.owned, .vlpi): return make(OwnedVLPI.self)
    case (.owned, .irqfd): return make(OwnedIRQFD.self)
    case (.owned, .bounce): return make(OwnedBounce.self)
    case (_, .none): return null(geometry)
    }
  }
}
