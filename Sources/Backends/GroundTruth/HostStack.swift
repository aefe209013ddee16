/// What distinguishes one real stack from another, as far as its counts depend on it.
///
/// All three that are named here are Linux 6.1 with KVM and VFIO under QEMU 7.2; the parameters are what
/// was switched, and what the hardware lacked.
package struct HostStack: Hashable, Sendable {
  /// The VMM gives KVM the eventfd of an unmasked vector (irqfd) and moves the vector to an eventfd of
  /// its own while the guest masks it; each change programs the vector anew. Otherwise (QEMU's
  /// `x-no-kvm-msix=on`) one eventfd serves both, and masking costs the host nothing.
  package var usesIRQFD: Bool
  /// KVM forwards a vector that has an irqfd to the vPE: a virtual entry in the physical ITS (GICv4).
  package var forwards: Bool
  /// The redistributors have no GICR_SETLPIR, CLRLPIR, INVLPIR: the doorbells go by commands for events
  /// of a proxy device (drivers/irqchip/irq-gic-v3-its.c, `vpe_proxy`).
  package var needsProxy = true
  /// A doorbell is cleared once at each load of a vPE (arch/arm64/kvm/vgic/vgic-v4.c, `vgic_v4_load`).
  package var clearsPerLoad = 1
  /// A doorbell is unmasked when its vCPU blocks, and masked when it runs again: two invalidations
  /// (irq-gic-v4.c, `its_make_vpe_non_resident`, `its_make_vpe_resident`).
  package var invalidationsPerBlock = 2

  package static let vlpi = HostStack(usesIRQFD: true, forwards: true)
  package static let irqfd = HostStack(usesIRQFD: true, forwards: false)
  package static let userSpace = HostStack(usesIRQFD: false, forwards: false)
}
