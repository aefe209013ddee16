/// A range of IOVAs with a meaning of its own, and what follows for whoever wants the device.
///
/// The kinds are Linux's (include/linux/iommu.h, enum iommu_resv_type).
package struct ReservedRegion: Hashable, Sendable {
  package enum Kind: Hashable, Sendable, CaseIterable {
    /// Must be mapped 1:1 at all times.
    case direct
    /// Must be mapped 1:1 until a driver takes over.
    case directRelaxable
    /// Must not be used.
    case reserved
    /// Writes are interrupts, untranslated.
    case hardwareMSI
    /// Software maps the doorbells here.
    case softwareMSI
  }

  package var base: UInt64
  package var length: UInt64
  package var kind: Kind

  package init(base: UInt64, length: UInt64, kind: Kind) {
    self.base = base
    self.length = length
    self.kind = kind
  }
}

/// What a stream is to be attached to.
package enum AttachTarget: Hashable, Sendable, CaseIterable {
  /// The kernel's identity domain, or a DMA domain in which it keeps the direct regions mapped.
  case kernelIdentity
  case kernelDMA
  /// Nothing passes: where a device is parked while its ownership changes.
  case blocking
  /// VFIO or iommufd on behalf of user space, which takes ownership through the blocking domain.
  case userSpace
}

/// Whether an attachment is possible.
package enum AttachVerdict: Hashable, Sendable {
  case allowed
  /// A direct region would stop being mapped.
  case refusedDirectRegion
}

extension AttachTarget {
  /// Linux refuses to block a device that firmware wants mapped 1:1, and so refuses it to VFIO and
  /// iommufd (drivers/iommu/iommu.c, __iommu_device_set_domain on require_direct, which only
  /// IOMMU_RESV_DIRECT sets). This is why RMR-described doorbells end nested assignment.
  package func verdict(_ regions: [ReservedRegion]) -> AttachVerdict {
    let requiresDirect = regions.contains { $0.kind == .direct }
    switch self {
    case .kernelIdentity, .kernelDMA: return .allowed
    case .blocking, .userSpace: return requiresDirect ? .refusedDirectRegion : .allowed
    }
  }
}
