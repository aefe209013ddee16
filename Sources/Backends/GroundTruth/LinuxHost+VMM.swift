// The VMM: the emulated MSI-X table, and what its changes ask of VFIO (QEMU 7.2: hw/pci/msix.c,
// hw/vfio/pci.c).

extension LinuxHost {
  /// `msix_table_mmio_write`: only vector control has an effect, and only when the mask changes.
  mutating func storeToTable(_ entry: Int, word: Int, _ value: UInt32) {
    count(.tableTraps)
    guard vectors.indices.contains(entry), word == 3 else { return }
    let wasMasked = isMasked(entry)
    vectors[entry].isMaskedByGuest = value & 1 == 1
    update(entry, wasMasked: wasMasked)
  }

  /// `vfio_pci_write_config` with `vfio_msix_enable` and `vfio_msix_disable`.
  mutating func setControl(isEnabled: Bool, isMasked: Bool) {
    let wasMasked = vectors.indices.map { self.isMasked($0) }
    let wasEnabled = isEnabledByGuest
    isFunctionMasked = isMasked
    if wasEnabled && !isEnabled { switchOff() }
    isEnabledByGuest = isEnabled
    if !wasEnabled && isEnabled { switchOn() }
    guard wasEnabled && isEnabled else { return }
    for entry in vectors.indices { update(entry, wasMasked: wasMasked[entry]) }
  }

  private func isMasked(_ entry: Int) -> Bool {
    isFunctionMasked || vectors[entry].isMaskedByGuest
  }

  private mutating func update(_ entry: Int, wasMasked: Bool) {
    guard isEnabledByGuest, isMasked(entry) != wasMasked else { return }
    if wasMasked { use(entry) } else { putAside(entry) }
  }

  /// The guest enables MSI-X: vector 0 is enabled with an eventfd of the VMM, so that the device is in
  /// MSI-X mode before the guest unmasks anything.
  private mutating func switchOn() {
    enable(1)
    vectors[0].isUsed = true
    setTrigger(0, irqfd: false)
  }

  private mutating func switchOff() {
    for entry in vectors.indices where vectors[entry].isUsed {
      putAside(entry)
      vectors[entry].isUsed = false
      vectors[entry].hasRoute = false
    }
    disable()
  }

  /// `vfio_msix_vector_do_use`. VFIO cannot add a vector to those that are enabled, so that a vector beyond
  /// them disables all and enables all anew.
  private mutating func use(_ entry: Int) {
    vectors[entry].isUsed = true
    vectors[entry].hasRoute = stack.usesIRQFD
    if entry < allocatedCount {
      setTrigger(entry, irqfd: vectors[entry].hasRoute)
      return
    }
    disable()
    enable(entry + 1)
    for index in 0...entry where vectors[index].isUsed {
      setTrigger(index, irqfd: vectors[index].hasRoute && !isMasked(index))
    }
  }

  /// `vfio_msix_vector_release`: a vector with an irqfd goes back to the VMM's own eventfd.
  private mutating func putAside(_ entry: Int) {
    if vectors[entry].hasRoute { setTrigger(entry, irqfd: false) }
  }
}
