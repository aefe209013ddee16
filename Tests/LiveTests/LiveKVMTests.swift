import CLivePeer
import CPlatform
import Foundation
import Measurement
import Testing

@testable import Live

/// On a real /dev/kvm, with few interrupts; skipped by name where it is missing. One at a time: each
/// takes the machine's CPUs.
@Suite(.serialized) struct LiveKVMTests {
  private static let obstacle: Comment? = {
    do throws(LiveError) {
      _ = try LiveHost.open()
      return nil
    } catch {
      return "\(error)"
    }
  }()

  private static let ways: [(DeliveryExperiment.Way, VCPUState)] =
    [DeliveryExperiment.Way.irqfd, .bounce].flatMap { way in VCPUState.allCases.map { (way, $0) } }

  /// Of /dev/kvm, VMs and vCPUs: those belong to this suite alone, where other files of the process do not.
  private static func openGuests() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { name in
      // A descriptor may be closed by another suite since it was listed.
      let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + name)
      return file?.contains("kvm") == true
    }
  }

  @Test(.enabled(if: obstacle == nil, obstacle), arguments: ways)
  func everyInterruptIsDeliveredOnce(way: DeliveryExperiment.Way, state: VCPUState) throws {
    var options = DeliveryExperiment.Options()
    options.interrupts = 12
    options.block = 6
    options.bursts = 2
    options.burstLength = 8
    options.timeoutNanoseconds = 10_000_000_000
    let result = try DeliveryExperiment(way, vCPU: state, options).run { false }
    #expect(result.account.isConserved)
    #expect(result.account.lost == 0)
    // 20 to warm up, 12 of each language, 2 bursts of 8, of which each delivers one at least.
    #expect(result.account.offered == 20 + 2 * 12 + 2 * 8)
    #expect(result.account.delivered >= 20 + 2 * 12 + 2)
    #expect(result.closedLoop == 24)
    #expect(result.swift.seen.count == 12 && result.peer.seen.count == 12)
    #expect(result.ratios.count == 2)
    if result.stampsOutside == 0 {
      #expect(result.swift.entry.maximum <= result.swift.seen.maximum)
    }
  }

  private static let postingObstacle: Comment? =
    obstacle
    ?? (DirectAvailability.ofThisHost().processorPosts
      ? "KVM posts here, so that no probe would contradict it" : nil)

  /// A parameter that lies: what KVM counts shows that it injected, and the name `direct` is refused.
  @Test(.enabled(if: postingObstacle == nil, postingObstacle))
  func aProbeRefusesWhatWasNotPosted() throws {
    var options = DeliveryExperiment.Options()
    options.interrupts = 10
    options.block = 5
    options.bursts = 0
    options.timeoutNanoseconds = 10_000_000_000
    let result = try DeliveryExperiment(.posted, vCPU: .running, options).run { false }
    #expect(result.account.isConserved && result.account.lost == 0)
    let claimed = DirectAvailability(
      postingModule: "kvm_intel.enable_apicv", postingParameter: "Y", iommuGroups: 0,
      hasVFIO: false)
    let absence = try #require(claimed.absence(afterProbe: result.exitsPerInterrupt))
    #expect(absence.reason.contains("did not post") || result.exitsPerInterrupt == nil)
  }

  @Test(.enabled(if: obstacle == nil, obstacle))
  func aTrappedTableDeliversWhatTheGuestWroteThere() throws {
    var options = TrappedSetUp.Options()
    options.entries = 5
    options.rounds = 2
    options.timeoutNanoseconds = 10_000_000_000
    let before = try Self.openGuests()
    let result = try TrappedSetUp(options).run { false }
    #expect(try Self.openGuests() <= before)
    // Five accesses an entry, one update of the routes and one eventfd when it is unmasked.
    #expect(result.exits == 25 && result.routingUpdates == 5 && result.assignments == 5)
    #expect(result.swift.count == 2 && result.peer.count == 2)
    #expect(result.account.isConserved && result.account.lost == 0)
    // One of each entry, and one of the first after its mask was taken away.
    #expect(result.account.delivered == 6 && result.account.masked == 3)
    for round in result.swift + result.peer { #expect(round.all > round.routing) }
  }

  /// A guest without a route: nothing comes, and both loops say so in time.
  @Test(.enabled(if: obstacle == nil, obstacle), arguments: [false, true])
  func anInterruptThatDoesNotComeEndsInTime(inC: Bool) throws {
    try Self.withDevice(routedVector: nil) { device in
      let end = try Self.block(device, inC: inC)
      #expect(end.end == .timedOut && end.count == 1)
      let words = device.words
      let account = try DeliveryAccount(
        offered: words.offered, delivered: words.delivered, covered: words.covered)
      #expect(account.lost == 1 && account.isConserved)
    }
  }

  /// A route to another vector than the device expects.
  @Test(.enabled(if: obstacle == nil, obstacle), arguments: [false, true])
  func anotherVectorIsNotCounted(inC: Bool) throws {
    try Self.withDevice(routedVector: GuestLayout.firstVector + 1) { device in
      #expect {
        _ = try Self.block(device, inC: inC)
      } throws: { error in
        "\(error)".contains("of vector 49 ") && "\(error)".contains("of vector 48 ")
      }
    }
  }

  @Test(.enabled(if: obstacle == nil, obstacle)) func aGuestThatDoesNotEndIsStopped() throws {
    let before = try Self.openGuests()
    let machine = try GuestMachine()
    #expect(try Self.openGuests() > before)
    try machine.enter(.halt)
    let thread = try VCPUThread.running(machine)
    #expect(throws: LiveError.deadline(of: "a halted guest", milliseconds: 30)) {
      try thread.finish("a halted guest", withinNanoseconds: 30_000_000)
    }
  }

  /// The host in C is kicked out of KVM_RUN; what is told is the deadline, not the kick.
  @Test(.enabled(if: obstacle == nil, obstacle)) func aHostInCThatDoesNotEndIsStopped() throws {
    var options = TrappedSetUp.Options()
    options.entries = TrappedSetUp.entryLimit
    options.timeoutNanoseconds = 0
    let machine = try GuestMachine()
    let eventfds = try EventfdArray(count: options.entries)
    #expect(throws: LiveError.deadline(of: "programming the table", milliseconds: 0)) {
      _ = try TrappedSetUp(options).programInC(machine, eventfds)
    }
  }

  @Test(.enabled(if: obstacle == nil, obstacle)) func aStoreElsewhereIsNamed() throws {
    let machine = try GuestMachine()
    let host = TrapHost(MSIXTrap(vm: machine.vm.number, eventfds: [0]))
    #expect {
      try host.run(machine, .store(7, at: 0xC100_0000), 10_000_000_000)
    } throws: {
      "\($0)".contains("address 0xc1000000") && "\($0)".contains("data 0x7")
    }
  }

  @Test(.enabled(if: obstacle == nil, obstacle)) func anInterruptedRunClosesEverything() throws {
    let before = try Self.openGuests()
    #expect(throws: LiveError.interrupted) {
      _ = try DeliveryExperiment(.bounce, vCPU: .halted).run { true }
    }
    #expect(try Self.openGuests() <= before)
  }

  private static func withDevice(
    routedVector: UInt32?, _ body: (InterruptDevice) throws -> Void
  ) throws {
    let machine = try GuestMachine()
    let eventfds = try EventfdArray(count: 1)
    if let routedVector {
      var routes = RoutingTable(capacity: 1)
      routes.set(.init(address: 0xFEE0_0000, data: routedVector), gsi: MSIXTrap.firstGSI, at: 0)
      try routes.install(in: machine.vm.number)
      try MSIXTrap.assign(eventfds.numbers[0], MSIXTrap.firstGSI, in: machine.vm.number)
    }
    try machine.enter(.halt)
    let thread = try VCPUThread.running(machine)
    let clock = CycleClock.shared
    let device = InterruptDevice(
      words: machine.words, eventfd: eventfds.numbers[0], peerEventfd: eventfds.numbers[0],
      vector: GuestLayout.firstVector, gapTicks: 0,
      timeoutTicks: clock.ticks(nanoseconds: routedVector == nil ? 30_000_000 : 10_000_000_000),
      yields: false, sleepWord: nil)
    do {
      try body(device)
    } catch {
      try thread.stop()
      throw error
    }
    try thread.stop()
  }

  private static func block(
    _ device: InterruptDevice, inC: Bool
  ) throws -> (end: InterruptDevice.End, count: Int) {
    let stamps = UnsafeMutableBufferPointer<CLivePeerStamps>.allocate(capacity: 2)
    defer { unsafe stamps.deallocate() }
    unsafe stamps.initialize(repeating: CLivePeerStamps())
    var count = 0
    let end =
      inC
      ? try unsafe device.deliverInC(into: stamps, count: &count)
      : try unsafe device.deliver(into: stamps, count: &count)
    return (end, count)
  }
}
