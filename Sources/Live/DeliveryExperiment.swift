import CLivePeer
import CPlatform
import Glibc
package import Measurement
import Replay

/// Interrupts a live guest, one in flight, through one way of delivery and in one state of the vCPU;
/// then in bursts, to count what coalesces. Service times: a closed loop, whose next interrupt waits for
/// the last.
package struct DeliveryExperiment {
  package enum Way: String, Hashable, Sendable, CaseIterable {
    /// eventfd → KVM_IRQFD with an MSI route → guest.
    case irqfd
    /// eventfd → a thread of ours → KVM_SIGNAL_MSI → guest.
    case bounce
    /// As `irqfd`, where the processor then posts to the vCPU that runs (APICv, AVIC). That it did is no
    /// matter of the code: `DirectAvailability.absence(afterProbe:)` asks what KVM counted.
    case posted

    /// Whether the kernel injects, without a thread of ours.
    var hasIRQFD: Bool { self != .bounce }
  }

  package struct Options: Hashable, Sendable {
    /// Interrupts in flight one by one, of the loop in Swift; as many again are those of C.
    package var interrupts = 2_000
    /// Swift and C alternate in blocks of so many.
    package var block = 50
    /// Between the end of one interrupt and the next.
    package var gapNanoseconds: UInt64 = 50_000
    /// For `halted`: the longest halt poll of this VM; nil is the host's own setting.
    package var haltPollNanoseconds: UInt64?
    /// Each interrupt must be there by then.
    package var timeoutNanoseconds: UInt64 = 10_000_000_000
    package var bursts = 20
    package var burstLength = 16
    package init() {}
  }

  /// Durations of one loop's interrupts, ns.
  package struct Latencies: Sendable {
    /// The write to the eventfd.
    package var signal: LatencyHistogram
    /// From before that write until the guest's handler runs, by the guest's stamp. Empty if the stamps
    /// did not fit.
    package var entry: LatencyHistogram
    /// From before that write until the host sees the guest's record.
    package var seen: LatencyHistogram
  }

  package struct Result: Sendable {
    package var swift: Latencies
    package var peer: Latencies
    /// One per round: the median of a Swift block over that of the C block beside it.
    package var ratios: [Double]
    package var account: DeliveryAccount
    /// Offers of the bursts alone. All that coalesced did so in them: one in flight cannot.
    package var burstOffers: UInt64
    /// What KVM counted meanwhile, closed loop only; empty if it counts nothing.
    package var statistics: [String: UInt64]
    /// Interrupts in flight one by one, Swift and C.
    package var closedLoop: UInt64
    /// Guest stamps that do not lie between the host's: then the two clocks are not one.
    package var stampsOutside: UInt64
    /// Whether `blocked` was verified by KVM's own word.
    package var sleepIsVerified: Bool
    package var notes: [String]

    /// How often the vCPU left guest mode for each interrupt in flight one by one; nil where KVM does not
    /// count exits.
    package var exitsPerInterrupt: Double? {
      statistics["exits"].map { Double($0) / Double(max(1, closedLoop)) }
    }
  }

  private let way: Way
  private let state: VCPUState
  private let options: Options
  private static let message = RoutingTable.Message(
    address: 0xFEE0_0000, data: GuestLayout.firstVector)
  private static let warmUp = 20

  package init(_ way: Way, vCPU state: VCPUState, _ options: Options = Options()) {
    precondition(options.interrupts > 0 && options.block > 0 && options.burstLength > 0)
    precondition(options.burstLength < Int(GuestLayout.recordCount))
    self.way = way
    self.state = state
    self.options = options
  }

  /// - Parameter isInterrupted: asked between blocks.
  package func run(until isInterrupted: () -> Bool) throws(LiveError) -> Result {
    let poll: UInt64? =
      switch state {
      case .halted: options.haltPollNanoseconds
      case .running: nil
      case .blocked: 0
      }
    let machine = try GuestMachine(haltPollNanoseconds: poll)
    let signal = try eventfd()
    let peerSignal = try eventfd()
    if way.hasIRQFD {
      try connect(signal.number, in: machine.vm.number)
    } else {
      // No irqfd: KVM_SIGNAL_MSI carries its own message, and the table of routes stays empty.
      try MSIXTrap.clear(vm: machine.vm.number)
    }
    try machine.enter(state == .running ? .spin : .halt)
    let device = InterruptDevice(
      words: machine.words, eventfd: signal.number,
      peerEventfd: way.hasIRQFD ? signal.number : peerSignal.number,
      vector: GuestLayout.firstVector,
      gapTicks: CycleClock.shared.ticks(nanoseconds: options.gapNanoseconds),
      timeoutTicks: CycleClock.shared.ticks(nanoseconds: options.timeoutNanoseconds),
      yields: way == .bounce && BounceThread.sharesDeviceCPU, sleepWord: sleepWord(machine))
    return try withThreads(machine, signal.number, peerSignal.number) {
      () throws(LiveError) in
      try measure(device, machine, until: isInterrupted)
    }
  }

  /// Closing the VM unties it.
  private func connect(_ eventfd: Int32, in vm: Int32) throws(LiveError) {
    var routes = RoutingTable(capacity: 1)
    routes.set(Self.message, gsi: MSIXTrap.firstGSI, at: 0)
    try routes.install(in: vm)
    try MSIXTrap.assign(eventfd, MSIXTrap.firstGSI, in: vm)
  }

  private func eventfd() throws(LiveError) -> Descriptor {
    Descriptor(try checked("eventfd", CPlatform_eventfd()))
  }

  private func sleepWord(_ machine: GuestMachine) -> InterruptDevice.SleepWord? {
    guard state == .blocked, let statistics = machine.statistics?.descriptor.number,
      let offset = machine.statistics?.blockingOffset
    else { return nil }
    return .init(descriptor: statistics, offset: offset)
  }

  /// Starts the vCPU and, for `bounce`, the two threads that inject; ends all of them however `body` ends.
  private func withThreads(
    _ machine: GuestMachine, _ eventfd: Int32, _ peerEventfd: Int32,
    _ body: () throws(LiveError) -> Result
  ) throws(LiveError) -> Result {
    var bounce: BounceThread?
    var peer: OpaquePointer?
    if way == .bounce {
      bounce = try BounceThread(vm: machine.vm.number, eventfd: eventfd, message: Self.message)
      // A thread inherits the CPU of the one that starts it: the same as in Swift.
      _ = ThreadPlacement.pin(toAllowed: BounceThread.cpuIndex)
      unsafe peer = CLivePeer_startBounce(
        machine.vm.number, peerEventfd, UInt32(Self.message.address), Self.message.data)
    }
    let placement = ThreadPlacement.pin(toAllowed: 0)
    defer { ThreadPlacement.unpin() }
    var result: Result?
    var failure: LiveError?
    func keep(_ body: () throws(LiveError) -> Void) {
      do throws(LiveError) { try body() } catch { failure = failure ?? error }
    }
    var thread: VCPUThread?
    keep { () throws(LiveError) in
      if way == .bounce, unsafe peer == nil {
        throw .system(call: "pthread_create", code: EAGAIN)
      }
      thread = try VCPUThread.running(machine)
      result = try body()
    }
    // Why the vCPU or an injecting thread ended explains best why nothing came.
    if let cause = thread?.failure { failure = cause }
    keep { () throws(LiveError) in try bounce?.stop() }
    if let peer = unsafe peer {
      let code = unsafe CLivePeer_stopBounce(peer)
      keep { () throws(LiveError) in try checked("KVM_SIGNAL_MSI in C", code) }
    }
    keep { () throws(LiveError) in
      let shared = try thread?.stop()
      let notes = [shared, placement.map { "device thread not on a CPU of its own: \($0)" }]
      result?.notes += notes.compactMap { $0 }
    }
    if let failure { throw failure }
    guard var result else { preconditionFailure("neither a result nor a failure") }
    // Nobody signals, injects or runs any more: these counts are final.
    let words = machine.words
    result.account = try DeliveryAccount(
      offered: words.offered, delivered: words.delivered, covered: words.covered)
    return result
  }

  private func measure(
    _ device: InterruptDevice, _ machine: GuestMachine, until isInterrupted: () -> Bool
  ) throws(LiveError) -> Result {
    var record = BlockRecord(options.block)
    var warm = BlockRecord(Self.warmUp)
    var end = InterruptDevice.End.done
    if try warm.run(device, inC: false) == .timedOut { end = .timedOut }
    let before = machine.statistics?.all() ?? [:]
    var offered: UInt64 = 0
    let rounds = (options.interrupts + options.block - 1) / options.block
    for round in 0..<rounds where end == .done {
      if isInterrupted() { throw .interrupted }
      // Who comes first alternates, so that neither always inherits the other's caches.
      for isPeer in round % 2 == 0 ? [false, true] : [true, false] where end == .done {
        end = try record.run(device, inC: isPeer)
        offered += UInt64(record.lastCount)
      }
    }
    let statistics = (machine.statistics?.all() ?? [:]).merging(before) { $0 &- $1 }
    let closedOffers = device.words.offered
    for _ in 0..<options.bursts where end == .done {
      if isInterrupted() { throw .interrupted }
      try device.burst(options.burstLength)
      if !device.quiesce() { end = .timedOut }
    }
    // What an injecting thread still had to do, it does now.
    usleep(1_000)
    return Result(
      swift: record.swift.latencies(record.stampsOutside == 0),
      peer: record.peer.latencies(record.stampsOutside == 0), ratios: record.ratios,
      account: DeliveryAccount(), burstOffers: device.words.offered - closedOffers,
      statistics: statistics, closedLoop: offered, stampsOutside: record.stampsOutside,
      sleepIsVerified: device.sleepWord != nil,
      notes: end == .timedOut ? ["ended early: an interrupt did not come in time"] : [])
  }
}
