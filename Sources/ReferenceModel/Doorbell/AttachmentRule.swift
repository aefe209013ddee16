/// Whether a device whose interrupts go by a doorbell policy can be attached, by whom.
///
/// RMR is firmware's statement about the device's stream in the machine whose kernel attaches it. Under
/// RMR identity, in a guest, it is the statement about the doorbell window itself.
///
/// | Policy | RMR | host driver | VFIO in the host | VFIO in the guest |
/// |---|---|---|---|---|
/// | software window, true nested doorbell, hardware reserved | none | allowed | allowed | allowed |
/// | | fixed | allowed | **refused** | **refused** |
/// | | remappable | allowed | allowed | allowed |
/// | RMR identity | none | allowed | allowed | allowed, doorbell lost |
/// | | fixed | allowed | **refused** | **refused** |
/// | | remappable | allowed | allowed | allowed, doorbell lost |
///
/// Without an IOMMU in the guest, VFIO in the guest has no group and is refused whatever else holds.
///
/// Who says so, in Linux:
///
/// | Verdict | Function |
/// |---|---|
/// | host driver allowed | iommu_create_device_direct_mappings (drivers/iommu/iommu.c): the default domain keeps direct regions mapped, and notes `require_direct` |
/// | VFIO refused for RMR | __iommu_device_set_domain (drivers/iommu/iommu.c): a device with `require_direct` may not be parked on a blocking domain, which taking ownership does |
/// | VFIO allowed | iopt_table_enforce_dev_resv_regions (drivers/iommu/iommufd/io_pagetable.c): reserves the regions' IOVAs, relaxable ones left out |
/// | VFIO refused without group | vfio_group_find_or_alloc (drivers/vfio/group.c) |
///
/// RMR fixed or remappable: iort_get_rmrs (drivers/acpi/arm64/iort.c). Privilege and memory attributes
/// of the node have no say. On x86 the node is an RMRR of the DMAR table and its kind is the kernel's
/// choice by device (drivers/iommu/intel/iommu.c, device_rmrr_is_relaxable).
///
/// "Doorbell lost" is a conclusion, not an observation: the identity mapping is the only way to the
/// ITS that such a host gives, and a domain of user space does not have it.
///
/// So the table says what the argument is about: RMR identity works only with a fixed RMR, and a fixed
/// RMR ends assignment from within the guest, and there only.
package struct AttachmentRule: Hashable, Sendable {
  package enum Attachment: Hashable, Sendable, CaseIterable {
    /// A driver of the host's kernel.
    case hostDriver
    /// VFIO or iommufd in the host, for a guest.
    case vfioInHost
    /// VFIO or iommufd in the guest: nested assignment, or a driver in the guest's user space.
    case vfioInGuest
  }

  package enum Refusal: Hashable, Sendable, CaseIterable {
    /// A direct region would stop being mapped.
    case directRegion
    case noIOMMU
  }

  package enum Verdict: Hashable, Sendable {
    case allowed
    /// The attachment works and the interrupts do not.
    case allowedWithoutDoorbell
    case refused(Refusal)
  }

  package var policy: DoorbellPolicy
  package var attachment: Attachment
  package var reservedMemory: IORT.ReservedMemory?
  package var guestHasIOMMU: Bool

  package init(
    _ policy: DoorbellPolicy, _ attachment: Attachment, reservedMemory: IORT.ReservedMemory? = nil,
    guestHasIOMMU: Bool = true
  ) {
    self.policy = policy
    self.attachment = attachment
    self.reservedMemory = reservedMemory
    self.guestHasIOMMU = guestHasIOMMU
  }

  /// The regions that the attaching kernel finds: its IOMMU driver's MSI window, and firmware's.
  package var regions: [ReservedRegion] {
    let window: DoorbellPolicy =
      if case .hardwareReserved = policy { policy } else { .linuxWindow }
    return window.reservedRegions + (reservedMemory?.regions ?? [])
  }

  package var verdict: Verdict {
    if attachment == .vfioInGuest && !guestHasIOMMU { return .refused(.noIOMMU) }
    let target: AttachTarget = attachment == .hostDriver ? .kernelDMA : .userSpace
    if target.verdict(regions) == .refusedDirectRegion { return .refused(.directRegion) }
    if case .rmrIdentity = policy, attachment == .vfioInGuest { return .allowedWithoutDoorbell }
    return .allowed
  }

  /// The function of Linux that the verdict is read from.
  package var linuxFunction: String {
    switch verdict {
    case .refused(.noIOMMU): "vfio_group_find_or_alloc"
    case .refused(.directRegion): "__iommu_device_set_domain"
    case .allowed, .allowedWithoutDoorbell:
      attachment == .hostDriver
        ? "iommu_create_device_direct_mappings" : "iopt_table_enforce_dev_resv_regions"
    }
  }
}
