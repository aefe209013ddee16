// Live: the designs on a real kernel, as far as the host has the parts.
//
// What it is: a guest of one vCPU that Doorbell assembles itself (`GuestImage`), and the loops that
// interrupt it through KVM: `eventfd` (eventfd → irqfd → guest), `bounce` (eventfd → thread →
// KVM_SIGNAL_MSI → guest), and the set-up of `trapped` (the guest's stores to an MSI-X table come back
// as MMIO exits, the host rewrites its routes). Without KVM: what a trapped store costs by SIGSEGV and
// by userfaultfd. Beside each loop runs the same loop in C (`CLivePeer`), in alternating blocks.
// `direct` is the same eventfd where the processor posts to the vCPU (APICv, AVIC), if a probe shows it.
// What it is not: it imitates nothing. What the host lacks is a `LiveAbsence`, by name and reason.
//
//   let host = try LiveHost.open()
//   let result = try DeliveryExperiment(.irqfd, vCPU: .halted).run(until: { false })
//
// Invariants: every delivery is verified in the guest (vector, sequence, which offers it covers) before
// its time counts; offered = delivered + coalesced + masked + lost, or the run is void; every wait has
// a deadline; when a run ends, however it ends, its threads have ended and its descriptors are closed.
//
// Threads: the device is the caller's thread, on the first allowed CPU; the vCPU has a thread on the
// second; a bounce thread on the third, or with the device where there are but two.

/// A live part that cannot run on this host: never a failure of the run, always named.
package struct LiveAbsence: Error, Hashable, Sendable, CustomStringConvertible {
  /// A design, or a mechanism.
  package var part: String
  package var reason: String

  package init(_ part: String, _ reason: String) {
    self.part = part
    self.reason = reason
  }

  package var description: String { "\(part): not available: \(reason)" }
}

/// What ends a live run without a result.
package enum LiveError: Error, Hashable, Sendable {
  /// A system call failed.
  case system(call: String, code: Int32)
  /// The vCPU came back from guest mode for a reason that this guest has none for (KVM_EXIT_…).
  case unexpectedExit(reason: UInt32, address: UInt64, data: UInt64)
  /// The guest took an exception.
  case guestException(number: UInt8)
  /// The guest's handler recorded another interrupt than the one that was offered.
  case wrongDelivery(expected: String, found: String)
  /// The guest took more interrupts than were offered.
  case spurious(offered: UInt64, delivered: UInt64)
  /// Something did not end in time.
  case deadline(of: String, milliseconds: UInt64)
  /// The caller asked to end.
  case interrupted
  /// This host does not have the part.
  case absent(LiveAbsence)
}

extension LiveError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .system(let call, let code):
      "\(call) failed: \(reason(ofError: code))"
    case .unexpectedExit(let reason, let address, let data):
      "the vCPU left guest mode with exit reason \(reason) (address 0x\(String(address, radix: 16)), "
        + "data 0x\(String(data, radix: 16))), for which this guest has no cause; run it again, and if "
        + "it stays, this KVM cannot run the guest"
    case .guestException(let number):
      "the guest took exception \(number), which its program cannot cause; this KVM cannot run it"
    case .wrongDelivery(let expected, let found):
      "the guest recorded \(found) where \(expected) was offered; nothing of this run was reported"
    case .spurious(let offered, let delivered):
      "the guest took \(delivered) interrupts of \(offered) offered; the run is void"
    case .deadline(let part, let milliseconds):
      "\(part) did not end within \(milliseconds) ms; is the host overloaded? Try a longer --timeout"
    case .interrupted: "interrupted"
    case .absent(let absence): absence.description
    }
  }
}
