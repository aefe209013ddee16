/// What a Linux host does about one assigned MSI-X device, counted: VFIO, the MSI layer and the ITS driver
/// here; the VMM in `LinuxHost+VMM`; KVM in `LinuxHost+Guest`.
///
/// This is not a design of the comparison. It is the ground on which the designs' set-up figures stand:
/// fed with a guest's actions it gives the counts that three recorded hosts gave, so that what a design costs on
/// paper and what a kernel makes of it can be told apart (`Sources/Manual/Explanation/GroundTruth.md` lays them
/// side by side). Example:
///
///     var host = LinuxHost(.vlpi, tableSize: 5)
///     host.apply(.messageControl(isEnabled: true, isMasked: true))
///     host.work[.mapti]  // 1: the VMM enables vector 0 before the guest asks
///
/// Slow and readable; bad input (an entry beyond the table) is ignored, as the device ignores it.
package struct LinuxHost: Sendable {
  struct Vector {
    /// The host's LPI is mapped in the ITS.
    var isActive = false
    /// An eventfd hangs on it and its interrupt is requested; the device's entry is then unmasked.
    var hasTrigger = false
    var isForwarded = false
    /// What the guest sees: its entry's mask bit.
    var isMaskedByGuest = true
    /// The VMM uses the vector; it has a route and an irqfd in KVM.
    var isUsed = false
    var hasRoute = false
  }

  package let stack: HostStack
  package private(set) var work = HostWork()
  var vectors: [Vector]
  /// Vectors that are allocated in the host, which is the VMM's count too.
  var allocatedCount = 0
  var isEnabledByGuest = false
  var isFunctionMasked = false
  /// Events in the translation cache of the guest's ITS.
  var cached: Set<Int> = []
  /// The PE that the ITS sends each vPE's interrupts to.
  var peOfVPE: [Int] = []

  /// - Parameter tableSize: entries of the device's MSI-X table.
  package init(_ stack: HostStack, tableSize: Int) {
    self.stack = stack
    vectors = Array(repeating: Vector(), count: tableSize)
  }

  mutating func count(_ figure: HostWork.Figure, _ number: Int = 1) { work[figure] += number }

  /// A command of the ITS driver and the SYNC or VSYNC behind it. MAPD has none
  /// (irq-gic-v3-its.c, `its_build_mapd_cmd` names no collection to wait for).
  mutating func post(
    _ figure: HostWork.Figure, _ number: Int = 1, for sync: HostWork.Figure = .sync
  ) {
    count(figure, number)
    count(sync, number)
  }

  /// The host's own boot: its collections, and the proxy device of the ITS driver.
  package mutating func boot(peCount: Int) {
    post(.mapc, peCount)
    post(.invall, peCount)
    if stack.needsProxy { count(.proxyMapd) }
  }
}

// The device's MSI-X (drivers/vfio/pci/vfio_pci_intrs.c, drivers/pci/msi/msi.c, irq-gic-v3-its.c).
extension LinuxHost {
  /// `vfio_msi_enable`: all entries of the table masked, an LPI for each of the first `count` vectors
  /// mapped and its message stored at once (the MSI layer's early activation).
  mutating func enable(_ count: Int) {
    self.count(.msixEnables)
    self.count(.mapd)
    self.count(.tableWrites, vectors.count)
    allocatedCount = count
    for index in 0..<count { activate(index) }
  }

  /// `vfio_msi_disable`: every interrupt freed, every allocated entry masked once more, the device
  /// unmapped.
  mutating func disable() {
    for index in 0..<allocatedCount where vectors[index].hasTrigger { release(index) }
    for index in 0..<allocatedCount where vectors[index].isActive { deactivate(index) }
    count(.tableWrites, allocatedCount)
    count(.mapd)
    allocatedCount = 0
  }

  /// `vfio_msi_set_vector_signal`: the old eventfd goes with its interrupt, the cached message is stored,
  /// the interrupt is requested anew.
  ///
  /// - Parameter irqfd: KVM waits on the eventfd, so that irqbypass meets its other half.
  mutating func setTrigger(_ index: Int, irqfd: Bool) {
    if vectors[index].hasTrigger { release(index) }
    storeMessage()
    if !vectors[index].isActive { activate(index) }
    setMask()
    vectors[index].hasTrigger = true
    if irqfd && stack.forwards { forward(index) }
  }

  /// The interrupt is freed: bypass off, entry and LPI masked, LPI unmapped and its message zeroed.
  private mutating func release(_ index: Int) {
    if vectors[index].isForwarded { unforward(index) }
    setMask()
    deactivate(index)
    vectors[index].hasTrigger = false
  }

  /// `its_irq_domain_activate`, and the message into the entry.
  private mutating func activate(_ index: Int) {
    post(.mapti)
    storeMessage()
    vectors[index].isActive = true
  }

  private mutating func deactivate(_ index: Int) {
    post(.discard)
    storeMessage()
    vectors[index].isActive = false
  }

  /// Address low and high, data: the entry is masked whenever VFIO stores a message, so that
  /// `pci_write_msg_msix` need not mask it.
  private mutating func storeMessage() { count(.tableWrites, 3) }

  /// `its_mask_msi_irq` or its opposite: the entry's vector control, and the LPI's configuration byte.
  private mutating func setMask() {
    count(.tableWrites)
    post(.inv)
  }

  /// `its_vlpi_map`: the physical entry goes, the virtual one comes.
  private mutating func forward(_ index: Int) {
    post(.discard)
    post(.vmapti, for: .vsync)
    vectors[index].isForwarded = true
  }

  /// `its_vlpi_unmap`: the way back, and the LPI's own configuration again.
  mutating func unforward(_ index: Int) {
    post(.discard)
    post(.mapti)
    post(.inv)
    vectors[index].isForwarded = false
  }
}
