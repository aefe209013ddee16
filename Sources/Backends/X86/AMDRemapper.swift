import EventModel
import TranslationCore

/// AMD: a table per device, guest-mode entries that name the CPU on which their vCPU runs, the GA log.
///
/// So a vCPU's load and put rewrite every entry of its interrupts (Linux, arch/x86/kvm/svm/avic.c,
/// avic_vcpu_load walks ir_list). Those writes touch IsRun and Destination only, which the unit does not
/// cache: no invalidation follows. All other changes are followed by INVALIDATE_INTERRUPT_TABLE.
struct AMDRemapper: InterruptRemapper, ~Copyable {
  private var unit: AMDCore
  private var nextIndex: [UInt16: UInt32] = [:]
  private var states: [VCPUState]
  private var notifications: UInt64 = 0
  private var listSteps: UInt64 = 0

  init() {
    unit = AMDCore(
      deviceCapacity: X86Layout.deviceLimit, vcpuCount: X86Layout.vcpuLimit, logCapacity: 512)
    states = (0..<X86Layout.vcpuLimit).map { .running(on: $0) }
  }

  mutating func allocate(requester: UInt16) -> UInt32? {
    let index = nextIndex[requester, default: 0]
    guard claim(requester: requester, index: index) else { return nil }
    nextIndex[requester] = index + 1
    return index
  }

  mutating func claim(requester: UInt16, index: UInt32) -> Bool {
    index < UInt32(AMDCore.entriesPerDevice) && unit.enable(device: requester)
  }

  mutating func routeToHost(requester: UInt16, index: UInt32, interrupt: UInt32) {
    let destination = UInt64(HostInterrupt.destination(interrupt))
    store(
      1 | (destination & 0xFF_FFFF) << 8,
      UInt64(HostInterrupt.vector(interrupt)) | (destination >> 24) << 56, requester, index)
  }

  /// RemapEn, GALogIntr, GuestMode; IsRun and Destination from the vCPU's state; GATag is its number.
  mutating func routeToGuest(requester: UInt16, index: UInt32, vcpu: UInt32, vector: UInt8) {
    var low = 1 | 1 << 2 | 1 << 7 | UInt64(vcpu) << 32
    var high = UInt64(vector) | AMDCore.backingPage(vcpu)
    if case .running(let cpu) = states[Int(vcpu)] {
      low |= 1 << 6 | UInt64(cpu & 0xFF_FFFF) << 8
      high |= UInt64(cpu >> 24) << 56
    }
    store(low, high, requester, index)
  }

  mutating func remove(requester: UInt16, index: UInt32) { store(0, 0, requester, index) }

  private mutating func store(
    _ low: UInt64, _ high: UInt64, _ requester: UInt16, _ index: UInt32
  ) {
    guard unit.write(low: low, high: high, device: requester, index: index) else { return }
    unit.invalidate(device: requester)
  }

  /// Address 0xFEE0_0000, data = index (Linux, drivers/iommu/amd/iommu.c, fill_msi_msg).
  @inline(__always)
  mutating func request(requester: UInt16, index: UInt32) -> X86Translation {
    let found = unit.request(data: index, device: requester)
    if found.notified { notifications &+= 1 }
    return found
  }

  mutating func post(vcpu: UInt32, vector: UInt8) -> Bool {
    let wasPending = unit.postBySoftware(vcpu: vcpu, vector: vector)
    if !wasPending, case .running = states[Int(vcpu)] { notifications &+= 1 }
    return wasPending
  }

  mutating func acknowledge(vcpu: UInt32, vector: UInt8) -> Bool {
    unit.acknowledge(vcpu: vcpu, vector: vector)
  }

  mutating func setState(vcpu: UInt32, _ state: VCPUState) {
    states[Int(vcpu)] = state
    var cpu: UInt32?
    if case .running(let number) = state { cpu = number }
    listSteps += UInt64(unit.setRunning(tag: vcpu, on: cpu))
  }

  /// The host's handler empties the log: one wake-up per record.
  mutating func takeWakeUps() -> UInt64 {
    guard unit.logCount > 0 else { return 0 }
    var count: UInt64 = 0
    unit.drainLog { _ in count += 1 }
    return count
  }

  func addCounters(to work: inout WorkCounters) {
    work.irteWrites += unit.entryWrites
    work.irteReads += unit.entryReads
    work.entryCacheInvalidations += unit.invalidations
    work.notifications += notifications
    work.gaLogAppends += unit.logAppends
    work.gaLogOverflows += unit.logOverflows
    work.listSteps += listSteps
  }
}
