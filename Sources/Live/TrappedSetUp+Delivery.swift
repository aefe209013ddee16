import CLivePeer
import CPlatform
import Glibc
import Measurement
import Replay

// After the set-up: does every entry deliver what the guest wrote there, and does its mask bit hold?

extension TrappedSetUp {
  /// Signals that are offered to the masked entry.
  private static let maskedOffers: UInt64 = 3

  func deliver(
    _ machine: GuestMachine, _ eventfds: EventfdArray, _ result: inout Result
  ) throws(LiveError) {
    let host = TrapHost(MSIXTrap(vm: machine.vm.number, eventfds: eventfds.numbers))
    let limit = timeoutNanoseconds
    let words = machine.words
    try host.run(machine, .program(entries: UInt32(eventfds.numbers.count)), limit)
    // One interrupt of each entry.
    try halted(machine) { () throws(LiveError) in
      for entry in eventfds.numbers.indices { try one(entry, words, eventfds) }
    }
    // The guest masks the first entry: what is signalled stays in the eventfd's counter.
    let control = GuestLayout.msixTable + 12
    try host.run(machine, .store(1, at: control), limit)
    let delivered = words.delivered
    try halted(machine) { () throws(LiveError) in
      for _ in 0..<Self.maskedOffers { try signal(eventfds.numbers[0]) }
      // An interrupt would take a fraction of this.
      usleep(2_000)
    }
    guard words.delivered == delivered else {
      throw .wrongDelivery(
        expected: "nothing from a masked entry",
        found: "\(words.delivered - delivered) interrupts")
    }
    var masked: UInt64 = 0
    // Safety: the pointer is valid for the call, which does not block: the counter is not 0.
    let error = unsafe CPlatform_eventfdWait(eventfds.numbers[0], &masked)
    guard error == 0 else { throw .system(call: "read of an eventfd", code: error) }
    guard masked == Self.maskedOffers else {
      throw .wrongDelivery(
        expected: "\(Self.maskedOffers) signals waiting behind the mask", found: "\(masked)")
    }
    // Unmasked, it delivers again.
    try host.run(machine, .store(0, at: control), limit)
    try halted(machine) { () throws(LiveError) in try one(0, words, eventfds) }
    try host.trap.removeAll()
    result.account = try DeliveryAccount(
      offered: words.offered, delivered: words.delivered, covered: words.covered, masked: masked)
  }

  /// Lets the vCPU halt while `body` runs.
  private func halted(
    _ machine: GuestMachine, _ body: () throws(LiveError) -> Void
  ) throws(LiveError) {
    try machine.enter(.halt)
    let thread = try VCPUThread.running(machine)
    do throws(LiveError) {
      try body()
    } catch {
      try thread.stop()
      throw error
    }
    try thread.stop()
  }

  private func signal(_ eventfd: Int32) throws(LiveError) {
    let error = CPlatform_eventfdSignal(eventfd)
    guard error == 0 else { throw .system(call: "write to an eventfd", code: error) }
  }

  /// One interrupt of an entry, verified. One that does not come is lost, and the account says so.
  private func one(
    _ entry: Int, _ words: SharedWords, _ eventfds: EventfdArray
  ) throws(LiveError) {
    let before = words.delivered
    words.offered += 1
    try signal(eventfds.numbers[entry])
    let clock = CycleClock.shared
    let start = clock.now()
    while words.delivered == before {
      if clock.nanoseconds(from: start, to: clock.now()) > timeoutNanoseconds { return }
      CPlatform_pause()
    }
    let record = words.record(before + 1)
    let vector = GuestLayout.firstVector + UInt32(entry)
    guard record.vector == UInt64(vector), record.offered == words.offered else {
      throw .wrongDelivery(
        expected: "vector \(vector) for offer \(words.offered)",
        found: "vector \(record.vector) for offer \(record.offered)")
    }
  }
}
