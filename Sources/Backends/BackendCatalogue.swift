// Backends: designs composed from the translation core, and the loops of `Replay` specialised for them.
//
// A backend is a type that conforms to `TranslationBackend`. To add a policy, an architecture or a whole
// backend: `Sources/Manual/HowTo/AddADesignInSwift.md`. The switches stand outside all loops; each case gets its
// own copy of them. It is not a measuring tool: a runner hands out what `Replay` measured.
//
//   let runner = BackendCatalogue.runner(of: .direct, geometry: geometry)!
//   let proof = runner.prove(ReferenceAnswers(events, geometry: geometry))
//   let result = runner.core(events, CoreExperiment.Options())
//
// Invariants: every backend delivers the same interrupts to the guest (`EqualityCheck` proves it before
// anything is timed); work is counted exactly.
// Threads: a backend is used by one thread at a time; a runner may be called from any, and makes a backend
// of its own for each call.

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
  ///
  /// - Parameter tlbEntries: of the SMMU's combined TLB, rounded up to a power of two; 0 is none, nil what
  ///   `SMMUOptions` says.
  package static func runner(
    of design: Design, geometry: TableGeometry, architecture: Architecture = .armGICv4,
    tlbEntries: Int? = nil
  ) -> BackendRunner? {
    var smmu = SMMUOptions()
    if let tlbEntries { smmu.tlbEntries = tlbEntries }
    guard absence(of: design, on: architecture) == nil else { return nil }
    if design == .null { return BackendRunner(geometry: geometry) { NullBackend() } }
    return switch architecture {
    case .armGICv3, .armGICv4: design.accept(ArmRunner<ITSCore>(geometry: geometry, smmu: smmu))
    case .gicv5: design.accept(ArmRunner<GICv5Host>(geometry: geometry, smmu: smmu))
    case .x86Intel: design.accept(X86Runner<IntelRemapper>(geometry: geometry, smmu: smmu))
    case .x86AMD: design.accept(X86Runner<AMDRemapper>(geometry: geometry, smmu: smmu))
    }
  }

  private struct ArmRunner<Host: HostInterruptController & ~Copyable>: DesignVisitor {
    let geometry: TableGeometry
    let smmu: SMMUOptions

    @inline(__always)
    func visit<Choice: DesignChoice>(_: Choice.Type) -> BackendRunner {
      BackendRunner(geometry: geometry) { [geometry, smmu] in
        ArmBackend<Choice, Host>(geometry: geometry, smmu: smmu)
      }
    }
  }

  private struct X86Runner<Remapper: InterruptRemapper & ~Copyable>: DesignVisitor {
    let geometry: TableGeometry
    let smmu: SMMUOptions

    @inline(__always)
    func visit<Choice: DesignChoice>(_: Choice.Type) -> BackendRunner {
      BackendRunner(geometry: geometry) { [geometry, smmu] in
        X86Backend<Choice, Remapper>(geometry: geometry, smmu: smmu)
      }
    }
  }
}
