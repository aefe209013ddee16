import History
import Live
import Measurement

/// Cells of a run record from what `Live` measured. Every figure stands twice: of the loop in Swift and,
/// with "-c" behind its name, of the loop in C.
enum LiveCell {
  /// SHA-256 of the guest's memory before its first instruction: runs of different guests are not
  /// comparable.
  static var guestImage: String { SHA256.hex(LiveGuest.image) }

  static func delivery(
    _ way: DeliveryExperiment.Way, _ state: VCPUState, _ options: DeliveryExperiment.Options,
    haltPoll: UInt64?, _ result: DeliveryExperiment.Result
  ) -> RunRecord.Cell {
    let (design, setUp) =
      switch way {
      case .irqfd: ("eventfd", "trapped")
      case .bounce: ("trapped+bounce", "trapped")
      case .posted: ("direct", "owned")
      }
    var cell = cell(
      design, setUp: setUp, delivery: way.rawValue, experiment: "live-\(state.rawValue)")
    cell.parameters = [
      "time": "service time", "in-flight": "1", "vcpu": state.rawValue,
      "gap-ns": "\(options.gapNanoseconds)", "block": "\(options.block)",
      "halt-poll-ns": state == .blocked ? "0" : haltPoll.map { "\($0)" } ?? "unknown",
      "burst-length": "\(options.burstLength)",
    ]
    if state == .blocked {
      cell.parameters["sleep-verified-by"] = result.sleepIsVerified ? "kvm statistic" : "gap"
    }
    cell.ledger = ledger(result.account)
    for (suffix, loop) in [("", result.swift), ("-c", result.peer)] {
      for (name, histogram) in [
        ("signal", loop.signal), ("guest-entry", loop.entry), ("seen-by-host", loop.seen),
      ] where histogram.count > 0 {
        cell.distributions.append(.init(name: name + suffix, unit: "ns", histogram))
      }
    }
    cell.metrics = [ratio(result.ratios)]
    cell.metrics += [
      figure("closed-loop-interrupts", Double(result.closedLoop)),
      figure("burst-offers", Double(result.burstOffers)),
      figure("burst-coalesced", Double(result.account.coalesced)),
    ]
    // What KVM counted depends on the host's moment: metrics, not work counters.
    for (name, value) in result.statistics.sorted(by: { $0.key < $1.key }) where value > 0 {
      cell.metrics.append(figure("kvm-\(name)", Double(value)))
    }
    return cell
  }

  static func setUp(
    _ options: TrappedSetUp.Options, _ result: TrappedSetUp.Result
  ) -> RunRecord.Cell {
    var cell = cell("trapped", delivery: "irqfd", experiment: "live-set-up-\(options.entries)")
    cell.parameters = ["vectors": "\(options.entries)", "rounds": "\(options.rounds)"]
    cell.setUpCounters = [
      "msix-traps": result.exits, "route-updates": result.routingUpdates,
      "irqfd-assignments": result.assignments,
    ]
    cell.ledger = ledger(result.account)
    for (suffix, rounds) in [("", result.swift), ("-c", result.peer)] {
      for (name, samples) in [
        ("set-up-ns-per-vector", rounds.map(\.all)),
        ("routing-ns-per-vector", rounds.map(\.routing)),
        ("irqfd-ns-per-vector", rounds.map(\.assigning)),
        ("guest-ns-per-vector", rounds.map(\.guest)),
      ] {
        cell.metrics.append(
          .init(
            name: name + suffix, unit: "ns", lowerIsBetter: true, value: Summary(samples).median,
            samples: samples))
      }
    }
    cell.metrics.append(ratio(result.ratios))
    return cell
  }

  static func traps(
    _ mechanism: TrapExperiment.Mechanism, _ result: TrapExperiment.Result
  ) -> RunRecord.Cell {
    var cell = cell("trapped", delivery: "none", experiment: "live-trap-\(mechanism.rawValue)")
    for (suffix, costs) in [("", result.swift), ("-c", result.peer)] {
      cell.distributions.append(.init(name: "trapped-store\(suffix)", unit: "ns", costs.trapped))
      cell.distributions.append(.init(name: "protect-again\(suffix)", unit: "ns", costs.closed))
    }
    cell.metrics = [ratio(result.ratios)]
    return cell
  }

  private static func cell(
    _ design: String, setUp: String = "trapped", delivery: String, experiment: String
  ) -> RunRecord.Cell {
    var cell = RunRecord.Cell(
      design: design, setUp: setUp, delivery: delivery, experiment: experiment, mode: "live")
    #if arch(x86_64)
      cell.architecture = "x86-64"
    #else
      cell.architecture = "arm64"
    #endif
    return cell
  }

  /// The median of the rounds, each the median of a Swift block over that of the C block beside it.
  private static func ratio(_ samples: [Double]) -> RunRecord.Metric {
    .init(
      name: "swift-to-c", unit: "ratio", lowerIsBetter: true, value: Summary(samples).median,
      samples: samples)
  }

  private static func figure(_ name: String, _ value: Double) -> RunRecord.Metric {
    .init(name: name, unit: "count", lowerIsBetter: true, value: value, samples: [value])
  }

  private static func ledger(_ account: DeliveryAccount) -> RunRecord.LedgerRecord {
    .init(
      offered: account.offered, delivered: account.delivered, coalesced: account.coalesced,
      masked: account.masked,
      lost: account.lost == 0 ? [:] : ["not taken in time": account.lost])
  }
}
