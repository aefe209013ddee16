import CLive
import CPlatform
import Measurement

/// The host that serves a guest's table in a thread of the vCPU. The thread alone uses it until it ended.
final class TrapHost: @unchecked Sendable {
  var trap: MSIXTrap
  /// From entering the guest until its end.
  private(set) var ticks: UInt64 = 0

  init(_ trap: consuming MSIXTrap) { self.trap = trap }

  /// Enters the guest at `entry` and serves it until it says that it is done.
  func run(
    _ machine: GuestMachine, _ entry: GuestMachine.Entry, _ limit: UInt64
  ) throws(LiveError) {
    try machine.enter(entry)
    let thread = try VCPUThread(machine) { [self] machine, isStopping throws(LiveError) in
      let start = CycleClock.shared.now()
      try serve(machine, isStopping)
      ticks = CycleClock.shared.now() &- start
    }
    try thread.finish("programming the table", withinNanoseconds: limit)
  }

  @inline(never)
  private func serve(_ machine: GuestMachine, _ isStopping: () -> Bool) throws(LiveError) {
    while true {
      guard let exit = try machine.run() else {
        if isStopping() { return }
        continue
      }
      if exit.reason == UInt32(KVM_EXIT_IO), exit.address == UInt64(GuestLayout.endPort) { return }
      guard try trap.serve(exit, of: machine) else { throw GuestMachine.failure(at: exit) }
    }
  }
}

/// Eventfds of one device, closed together.
final class EventfdArray: Sendable {
  let numbers: [Int32]

  init(count: Int) throws(LiveError) {
    var numbers: [Int32] = []
    for _ in 0..<count {
      let opened = CPlatform_eventfd()
      guard opened >= 0 else {
        Self.closeAll(numbers)
        throw .system(call: "eventfd", code: -opened)
      }
      numbers.append(opened)
    }
    self.numbers = numbers
  }

  deinit { Self.closeAll(numbers) }

  private static func closeAll(_ numbers: [Int32]) {
    for number in numbers { _ = Descriptor(number) }
  }
}
