import EventModel
import TranslationCore

/// VT-d: one table for all devices, posted-interrupt descriptors, one per vCPU.
///
/// A vCPU's life costs one compare-exchange of its descriptor, whatever the number of its interrupts
/// (Linux, arch/x86/kvm/vmx/posted_intr.c); an interrupt's change of vector or vCPU costs an entry and
/// an invalidation of the interrupt entry cache (drivers/iommu/intel/irq_remapping.c, modify_irte).
struct IntelRemapper: InterruptRemapper, ~Copyable {
  private static let entryCount: UInt32 = 1 << 16
  private static let runningVector: UInt8 = 0xF2
  private static let wakeUpVector: UInt8 = 0xF1

  private var unit: VTdCore
  private var nextIndex: UInt32 = 0
  private var entryWrites: UInt64 = 0
  private var descriptorUpdates: UInt64 = 0
  private var notifications: UInt64 = 0
  private var wakeUps: UInt64 = 0
  /// vCPUs on a wake-up list.
  private var blocked: Set<UInt32> = []
  private var anyIsBlocked = false

  init() {
    unit = VTdCore(log2CacheEntries: 12, descriptorCount: X86Layout.vcpuLimit)
    for vcpu in 0..<X86Layout.vcpuLimit { update(vcpu, .running(on: vcpu)) }
  }

  mutating func allocate(requester: UInt16) -> UInt32? {
    guard nextIndex < Self.entryCount else { return nil }
    defer { nextIndex += 1 }
    return nextIndex
  }

  /// The table is the unit's, not the device's: a guest's index means another guest's entry.
  mutating func claim(requester: UInt16, index: UInt32) -> Bool { false }

  mutating func routeToHost(requester: UInt16, index: UInt32, interrupt: UInt32) {
    let low =
      1 | UInt64(HostInterrupt.vector(interrupt)) << 16
      | UInt64(HostInterrupt.destination(interrupt)) << 32
    store(low, Self.source(requester), index)
  }

  mutating func routeToGuest(requester: UInt16, index: UInt32, vcpu: UInt32, vector: UInt8) {
    let descriptor = VTdCore.descriptorAddress(vcpu)
    // URG = 0, as KVM always writes it.
    let low = 1 | 1 << 15 | UInt64(vector) << 16 | (descriptor >> 6 & 0x3FF_FFFF) << 38
    store(low, Self.source(requester) | (descriptor >> 32) << 32, index)
  }

  mutating func remove(requester: UInt16, index: UInt32) { store(0, 0, index) }

  /// SVT = 1, SQ = 0: the requester and nobody else.
  private static func source(_ requester: UInt16) -> UInt64 { UInt64(requester) | 1 << 18 }

  private mutating func store(_ low: UInt64, _ high: UInt64, _ index: UInt32) {
    guard unit.write(low: low, high: high, at: index) else { return }
    entryWrites += 1
    unit.invalidate(index: index)
  }

  /// Remappable format with SHV = 1 and subhandle 0 (Linux, fill_msi_msg).
  @inline(__always)
  mutating func request(requester: UInt16, index: UInt32) -> X86Translation {
    let address =
      X86Layout.doorbell | UInt64(index & 0x7FFF) &<< 5 | 0x18 | UInt64(index &>> 15) &<< 2
    let found = unit.request(address: address, data: 0, requester: requester)
    if found.kind == .posted && found.notified { notified(found.destination) }
    return found
  }

  @inline(__always)
  private mutating func notified(_ vcpu: UInt32) {
    notifications &+= 1
    if anyIsBlocked && blocked.contains(vcpu) { wakeUps &+= 1 }
  }

  mutating func post(vcpu: UInt32, vector: UInt8) -> Bool {
    let posted = unit.descriptor(vcpu).postBySoftware(vector: vector)
    if posted.contains(.notified) { notified(vcpu) }
    return posted.contains(.coalesced)
  }

  mutating func acknowledge(vcpu: UInt32, vector: UInt8) -> Bool {
    unit.descriptor(vcpu).acknowledge(vector: vector)
  }

  mutating func setState(vcpu: UInt32, _ state: VCPUState) {
    update(vcpu, state)
    descriptorUpdates += 1
    if state == .blocked { blocked.insert(vcpu) } else { blocked.remove(vcpu) }
    anyIsBlocked = !blocked.isEmpty
  }

  private mutating func update(_ vcpu: UInt32, _ state: VCPUState) {
    let descriptor = unit.descriptor(vcpu)
    let control = descriptor.word(4)
    let destination = UInt32(truncatingIfNeeded: control >> 32)
    switch state {
    case .running(let cpu):
      descriptor.setControl(
        suppress: false, notificationVector: Self.runningVector, destination: cpu, notifies: true)
    case .preempted:
      descriptor.setControl(
        suppress: true, notificationVector: UInt8(truncatingIfNeeded: control >> 16),
        destination: destination, notifies: false)
    case .blocked:
      descriptor.setControl(
        suppress: false, notificationVector: Self.wakeUpVector, destination: destination,
        notifies: false)
    }
  }

  mutating func takeWakeUps() -> UInt64 {
    defer { wakeUps = 0 }
    return wakeUps
  }

  func addCounters(to work: inout WorkCounters) {
    work.irteWrites += entryWrites
    work.irteReads += unit.entryReads
    work.entryCacheInvalidations += unit.invalidations
    work.descriptorUpdates += descriptorUpdates
    work.notifications += notifications
  }
}
