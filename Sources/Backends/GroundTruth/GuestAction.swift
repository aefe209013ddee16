/// One thing that a guest does about its device's interrupts, or that happens to its vCPUs: the input of
/// the model, the same whatever the host makes of it.
package enum GuestAction: Hashable, Sendable {
  /// A store to word 0…3 of an MSI-X table entry: address low, address high, data, vector control.
  case tableStore(entry: Int, word: Int, value: UInt32)
  /// The MSI-X capability's message control: enable and function mask (PCIe 6.0, §7.7.2.2).
  case messageControl(isEnabled: Bool, isMasked: Bool)

  /// A store to GITS_CWRITER with the commands that it hands over, but their SYNCs.
  case commands([Command])
  /// A store to GICR_INVLPIR, which Linux prefers to INV where GICR_CTLR.IR offers it. Named by the
  /// event whose LPI it is.
  case invalidate(event: Int)

  /// The guest is created with this many vCPUs, and ends.
  case start(vCPUs: Int)
  case end

  /// A vCPU becomes resident on a PE; it leaves its PE to wait for an interrupt (WFI).
  case load(vCPU: Int, pe: Int)
  case block(vCPU: Int)

  /// The device's message is taken by the host's handler (software delivery).
  case handler(event: Int)

  package enum Command: Hashable, Sendable {
    case mapDevice(isValid: Bool)
    case mapCollection
    case invalidateAll
    case map(event: Int)
    case discard(event: Int)
    case move(event: Int)
  }
}
