import CLivePeer
import CPlatform
import Glibc
package import Measurement

/// What one trapped store costs without KVM: the set-up of `trapped` for a device whose table user space
/// keeps in memory of its own.
///
/// One trapped store is: a store to a protected page faults; the host opens the page; the store lands; the
/// host takes the value and protects the page again. `trapped` is the time until the store has landed,
/// `closed` that of protecting again.
package struct TrapExperiment {
  package enum Mechanism: String, Hashable, Sendable, CaseIterable {
    /// mprotect(2) and a handler of SIGSEGV, in the thread that stored.
    case sigsegv
    /// userfaultfd(2) in write-protect mode, and a thread that opens.
    case userfaultfd
  }

  package struct Costs: Sendable {
    package var trapped: LatencyHistogram
    package var closed: LatencyHistogram
  }

  package struct Result: Sendable {
    package var swift: Costs
    package var peer: Costs
    /// One per round: the median of a Swift block over that of the C block beside it.
    package var ratios: [Double]
  }

  private let mechanism: Mechanism
  private let rounds: Int
  private let block: Int

  /// Measures `rounds` × `block` stores of each language.
  package init(_ mechanism: Mechanism, rounds: Int, block: Int = 100) {
    precondition(rounds > 0 && block > 0)
    self.mechanism = mechanism
    self.rounds = rounds
    self.block = block
  }

  /// - Throws: `LiveError.absent` where the system does not allow the mechanism.
  package func run(until isInterrupted: () -> Bool) throws(LiveError) -> Result {
    var swift = Recorders()
    var peer = Recorders()
    var ratios: [Double] = []
    // The first round warms up.
    for round in 0...rounds {
      if isInterrupted() { throw .interrupted }
      var medians: [Double] = [0, 0]
      for isPeer in round % 2 == 0 ? [false, true] : [true, false] {
        let traps = try isPeer ? blockInC() : blockInSwift()
        medians[isPeer ? 1 : 0] = Summary(traps.map { Double($0.trapped + $0.closed) }).median
        guard round > 0 else { continue }
        if isPeer { peer.record(traps) } else { swift.record(traps) }
      }
      if round > 0 { ratios.append(medians[0] / max(1, medians[1])) }
    }
    return Result(swift: swift.costs, peer: peer.costs, ratios: ratios)
  }

  private func blockInSwift() throws(LiveError) -> [CLivePeerTrap] {
    switch mechanism {
    case .sigsegv: try SignalTrap.block(of: block)
    case .userfaultfd:
      try UserfaultTrap(absence: absence(ofError:)).block(of: block)
    }
  }

  private func blockInC() throws(LiveError) -> [CLivePeerTrap] {
    var traps = [CLivePeerTrap](repeating: CLivePeerTrap(), count: block)
    // Safety: the array has room for as many as are asked for.
    let error =
      switch mechanism {
      case .sigsegv: unsafe CLivePeer_trapSignal(&traps, block)
      case .userfaultfd: unsafe CLivePeer_trapUserfault(&traps, block)
      }
    guard error == 0 else { throw .system(call: "\(mechanism) in C", code: -error) }
    return traps
  }

  /// Nil for errors that are no absence.
  private func absence(ofError code: Int32) -> LiveAbsence? {
    switch code {
    case EPERM, EACCES:
      LiveAbsence(
        mechanism.rawValue,
        "not permitted; run as root, or set vm.unprivileged_userfaultfd to 1")
    case ENOSYS: LiveAbsence(mechanism.rawValue, "this kernel has no userfaultfd")
    case EOPNOTSUPP, EINVAL:
      LiveAbsence(mechanism.rawValue, "this kernel's userfaultfd does not write-protect")
    default: nil
    }
  }

  private struct Recorders: ~Copyable {
    var trapped = LatencyRecorder()
    var closed = LatencyRecorder()

    mutating func record(_ traps: [CLivePeerTrap]) {
      let clock = CycleClock.shared
      for trap in traps {
        trapped.record(clock.nanoseconds(from: 0, to: trap.trapped))
        closed.record(clock.nanoseconds(from: 0, to: trap.closed))
      }
    }

    var costs: Costs { Costs(trapped: trapped.histogram, closed: closed.histogram) }
  }
}
