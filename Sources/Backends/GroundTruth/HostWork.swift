/// What a real stack did, or what the model says that it does, figure by figure.
///
/// The two sides of a comparison fill one `HostWork` each, so a figure has one name and one meaning.
package struct HostWork: Hashable, Sendable {
  package enum Figure: Int, CaseIterable, Sendable {
    /// The guest's stores to its own MSI-X table: each is a trap to the VMM.
    case tableTraps
    /// The guest's stores to its GITS_CWRITER and GICR_INVLPIR: traps that the kernel serves.
    case commandTraps, invalidationTraps
    /// The host's times of switching MSI-X on in the device, and its stores to the device's table.
    case msixEnables, tableWrites
    /// Commands to the physical ITS about the device.
    case mapd, mapti, discard, inv, vmapti, vmovi
    /// Commands about the vPEs, and about the doorbell LPIs by way of the proxy device.
    case vmapp, vmovp, vinvall, proxyMapd, proxyMapti, proxyMovi, proxyDiscard, proxyInv, proxyClear
    /// Commands about collections.
    case mapc, invall
    /// The barriers behind all of them.
    case sync, vsync
    /// Messages that the device sent and the ITS translated.
    case messages
    /// … of which the ITS found a virtual entry.
    case virtualMessages
    /// Host interrupts taken for the device: the handler of VFIO ran.
    case handlers
    /// Injections into the guest's virtual ITS by software: asked of the translation cache, and those
    /// that went the slow way (a worker of the kernel, or the VMM's ioctl).
    case cacheLookups, slowInjections
    /// Doorbell LPIs that the host took.
    case doorbells
    /// LPIs that the guest acknowledged.
    case acknowledged
  }

  private var counts = [Int](repeating: 0, count: Figure.allCases.count)

  package init() {}

  package subscript(figure: Figure) -> Int {
    get { counts[figure.rawValue] }
    set { counts[figure.rawValue] = newValue }
  }
}
