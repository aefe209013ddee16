import EventModel

/// Where the modelled host keeps things, and how it numbers them. All of it differs from what a recorded
/// guest sees, so that a design that mixes the two up is caught.
enum HostLayout {
  /// The physical ITS translation page. Any page outside the guest's memory would do.
  static let itsTranslationPage: UInt64 = 0x10_2F10_0000
  static let doorbell: UInt64 = itsTranslationPage + 0x40

  /// The host's doorbell IOVA in the software MSI window (Linux: MSI_IOVA_BASE 0x0800_0000, length
  /// 0x10_0000). Linux hands its pages out from the bottom; the last one never meets a mapping that a
  /// recorded hypervisor made in the same window.
  static let windowPage: UInt64 = 0x080F_F000
  static let windowDoorbell: UInt64 = windowPage + 0x40

  /// The host's EventIDs of a device start here, in the order in which vectors are first programmed.
  static let firstEvent: UInt32 = 32
  /// EventIDs that the host gives a device: 2,048 MSI-X vectors (PCIe 6.0, §7.7.2.2) and the base.
  static let log2Events: UInt32 = 12
  static let eventsPerDevice: UInt32 = 1 << log2Events

  /// The physical ITS: large enough for every guest's numbers and for the host's own.
  static func geometry(for guest: TableGeometry) -> TableGeometry {
    var host = guest
    host.eventIDBits = max(guest.eventIDBits, UInt8(log2Events))
    host.intidBits = max(guest.intidBits, 16)
    return host
  }

  /// ITSs of the host. One is modelled; a migration's VMOVP goes to each (GITS_TYPER.VMOVP = 0).
  static let itsCount = 1

  /// The host's collection for its own interrupts.
  static let collection: UInt16 = 0

  /// Attributes of the identity mapping of the window, as Linux gives an MSI page: valid page
  /// descriptor, AF, outer shareable, read-write, device memory, XN
  /// (drivers/iommu/io-pgtable-arm.c, IOMMU_MMIO).
  static let windowDescriptor: UInt64 = 0x0060_0000_0000_0E4B

  /// "No vPE": never mapped, so that an event of a collection without a target is lost.
  static let noVPE: UInt16 = 0x7FFF
}
