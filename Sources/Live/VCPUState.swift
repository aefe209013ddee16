/// What the vCPU does when an interrupt comes: three paths through KVM, never in one figure.
package enum VCPUState: String, Hashable, Sendable, CaseIterable {
  /// The guest executed HLT, and KVM may still be polling for the interrupt in the vCPU's thread: its
  /// halt polling is on, and the gap between two interrupts is shorter than the longest poll. KVM's own
  /// counters say how often it really polled; a host with other work to do does not.
  case halted
  /// The guest executes PAUSE in a loop, in guest mode, interrupts on. Nothing sleeps.
  case running
  /// The guest executed HLT, KVM's halt polling is off for this VM, and each interrupt is offered only
  /// when KVM says that the vCPU's thread sleeps (its statistic `blocking`).
  case blocked
}
