import CLive
import CLivePeer
import CPlatform
import Glibc
import Measurement
import Replay

/// The set-up of `trapped`, live: the guest programs an MSI-X table that is not there, so each of its
/// accesses comes back to user space (KVM_EXIT_MMIO), where the host keeps the table, rewrites its routes
/// and ties an eventfd to each entry that is unmasked. Then one interrupt of every entry is delivered and
/// verified, and one entry is masked and unmasked again.
package struct TrappedSetUp {
  package struct Options: Hashable, Sendable {
    /// Entries of the MSI-X table, 1…192: the vectors that the guest has handlers for.
    package var entries = 64
    /// Times the whole table is programmed, of the host in Swift; as many again are those of C.
    package var rounds = 20
    /// A round, or an interrupt, must have ended by then.
    package var timeoutNanoseconds: UInt64 = 10_000_000_000
    package init() {}
  }

  package static let entryLimit = Int(GuestLayout.vectorCount)

  /// Nanoseconds per entry of one round.
  package struct Round: Hashable, Sendable {
    /// From entering the guest until it says that all is programmed.
    package var all: Double
    /// In KVM_SET_GSI_ROUTING.
    package var routing: Double
    /// In KVM_IRQFD.
    package var assigning: Double
    /// By the guest's own stamps, around an entry's accesses: the median of the entries.
    package var guest: Double
  }

  package struct Result: Sendable {
    package var swift: [Round]
    package var peer: [Round]
    /// Work of one round, exact.
    package var exits: UInt64
    package var routingUpdates: UInt64
    package var assignments: UInt64
    /// One interrupt per entry, then masked ones.
    package var account: DeliveryAccount
    package var notes: [String]

    /// One per round.
    package var ratios: [Double] { zip(swift, peer).map { $0.all / $1.all } }
  }

  private let options: Options

  package init(_ options: Options = Options()) {
    precondition((1...Self.entryLimit).contains(options.entries) && options.rounds > 0)
    self.options = options
  }

  var timeoutNanoseconds: UInt64 { options.timeoutNanoseconds }

  package func run(until isInterrupted: () -> Bool) throws(LiveError) -> Result {
    let machine = try GuestMachine()
    let eventfds = try EventfdArray(count: options.entries)
    var result = Result(
      swift: [], peer: [], exits: 0, routingUpdates: 0, assignments: 0,
      account: DeliveryAccount(), notes: [])
    // The first round of each warms up and is not kept.
    for round in 0...options.rounds {
      if isInterrupted() { throw .interrupted }
      for isPeer in round % 2 == 0 ? [false, true] : [true, false] {
        let run =
          isPeer ? try programInC(machine, eventfds) : try program(machine, eventfds, &result)
        guard round > 0 else { continue }
        if isPeer { result.peer.append(run) } else { result.swift.append(run) }
      }
    }
    try deliver(machine, eventfds, &result)
    return result
  }

  private func perEntry(_ ticks: UInt64) -> Double {
    Double(CycleClock.shared.nanoseconds(from: 0, to: ticks)) / Double(options.entries)
  }

  private func guestMedian(_ machine: GuestMachine) -> Double {
    let words = machine.words
    return Summary(
      (0..<options.entries).map {
        Double(CycleClock.shared.nanoseconds(from: 0, to: words.programmingTicks($0)))
      }
    ).median
  }

  /// One round with the host in Swift. Ends with nothing connected.
  private func program(
    _ machine: GuestMachine, _ eventfds: EventfdArray, _ result: inout Result
  ) throws(LiveError) -> Round {
    let host = TrapHost(MSIXTrap(vm: machine.vm.number, eventfds: eventfds.numbers))
    try MSIXTrap.clear(vm: machine.vm.number)
    try host.run(machine, .program(entries: UInt32(options.entries)), options.timeoutNanoseconds)
    let work = host.trap.work
    let round = Round(
      all: perEntry(host.ticks), routing: perEntry(work.routingTicks),
      assigning: perEntry(work.assigningTicks), guest: guestMedian(machine))
    let counts = (work.exits, work.routingUpdates, work.assignments)
    if !result.swift.isEmpty,
      counts != (result.exits, result.routingUpdates, result.assignments)
    {
      throw .wrongDelivery(
        expected: "\(result.exits) exits, \(result.routingUpdates) updates of the routes",
        found: "\(counts.0) and \(counts.1) in another round")
    }
    (result.exits, result.routingUpdates, result.assignments) = counts
    try host.trap.removeAll()
    return round
  }

  /// One round with the host in C.
  func programInC(
    _ machine: GuestMachine, _ eventfds: EventfdArray
  ) throws(LiveError) -> Round {
    try MSIXTrap.clear(vm: machine.vm.number)
    try machine.enter(.program(entries: UInt32(options.entries)))
    let times = PeerTimes()
    let entries = UInt32(options.entries)
    let thread = try VCPUThread(machine) { machine, isStopping throws(LiveError) in
      let error = unsafe eventfds.numbers.withUnsafeBufferPointer { numbers in
        // Safety: there are as many eventfds as vectors; the machine keeps the run page.
        var setUp = unsafe CLivePeerSetUp(
          vm: machine.vm.number, vcpu: machine.vCPU.number, run: machine.runPagePointer,
          table: GuestLayout.msixTable, vectors: entries, first_gsi: MSIXTrap.firstGSI,
          eventfds: numbers.baseAddress!, end_port: GuestLayout.endPort)
        return unsafe CLivePeer_setUp(&setUp, &times.value)
      }
      // `finish` says why it was stopped.
      if error == -EINTR, isStopping() { return }
      try checked("the host in C", error)
    }
    try thread.finish("programming the table", withinNanoseconds: options.timeoutNanoseconds)
    for (entry, eventfd) in eventfds.numbers.enumerated() {
      try checked(
        "KVM_IRQFD (deassign)",
        CLive_irqfd(machine.vm.number, eventfd, MSIXTrap.firstGSI + UInt32(entry), 0))
    }
    let value = times.value
    return Round(
      all: perEntry(value.all), routing: perEntry(value.routing),
      assigning: perEntry(value.assigning), guest: guestMedian(machine))
  }

  private final class PeerTimes: @unchecked Sendable {
    // Written by the vCPU's thread alone, read when it has ended.
    var value = CLivePeerSetUpTimes()
  }
}
