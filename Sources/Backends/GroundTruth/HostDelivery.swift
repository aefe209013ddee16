package import EventModel

/// From the messages that a device sent to the interrupts that somebody took, on the host's own ITS.
///
/// A pending bit holds one interrupt: a message that finds it set is coalesced. A virtual LPI that becomes
/// pending while its vPE is not resident asks for the doorbell of its mapping (IHI 0069, §4.3 and §5.3.20);
/// the host takes it only if it has enabled the doorbell, which Linux does while the vCPU blocks. Times are
/// those of the recording; everything else is predicted.
package struct HostDelivery: Sendable {
  package private(set) var work = HostWork()
  /// Messages that found their pending bit set.
  package private(set) var coalesced = 0
  /// Messages for a vPE that was not resident.
  package private(set) var absent = 0

  private struct Interrupt: Hashable {
    var intid: UInt32
    var isVirtual: Bool
  }

  private struct Doorbell {
    var isEnabled = false
    var isPending = false
  }

  private let proxyDevice: UInt32
  private var pending: Set<Interrupt> = []
  private var residents: Set<InterruptTarget> = []
  private var doorbells: [UInt32: Doorbell] = [:]
  /// Doorbell LPI of each event of the proxy device, and of each virtual mapping.
  private var doorbellOfProxyEvent: [UInt32: UInt32] = [:]
  private var doorbellOfEvent: [UInt32: UInt32] = [:]

  package init(proxyDevice: UInt32) { self.proxyDevice = proxyDevice }

  package mutating func apply(_ event: TraceEvent) {
    switch event.kind {
    case .msi: message(event)
    case .acknowledge: acknowledge(event)
    case .vcpuLoad: residents.insert(event.target)
    case .vcpuPut: residents.remove(event.target)
    case .itsCommand: command(GuestCommand(event), event)
    default: break
    }
  }

  private mutating func message(_ event: TraceEvent) {
    guard event.outcome == .delivered else { return }
    work[.messages] += 1
    let isVirtual = event.target.isVPE
    if isVirtual { work[.virtualMessages] += 1 }
    let isAbsent = isVirtual && !residents.contains(event.target)
    if isAbsent { absent += 1 }
    guard pending.insert(Interrupt(intid: event.intid, isVirtual: isVirtual)).inserted else {
      coalesced += 1
      return
    }
    work[isVirtual ? .acknowledged : .handlers] += 1
    if isAbsent, let doorbell = doorbellOfEvent[event.data] { ring(doorbell) }
  }

  private mutating func acknowledge(_ event: TraceEvent) {
    pending.remove(Interrupt(intid: event.intid, isVirtual: event.target.isVPE))
    doorbells[event.intid]?.isPending = false
  }

  private mutating func ring(_ doorbell: UInt32) {
    guard var state = doorbells[doorbell], !state.isPending else { return }
    state.isPending = true
    if state.isEnabled { work[.doorbells] += 1 }
    doorbells[doorbell] = state
  }

  private mutating func command(_ command: GuestCommand, _ event: TraceEvent) {
    switch command {
    case .map(proxyDevice, let proxyEvent, let intid, _):
      doorbellOfProxyEvent[proxyEvent] = intid
      doorbells[intid] = Doorbell()
    case .map(_, let mapped, _, let collection) where collection & 0x1_0000 != 0:
      doorbellOfEvent[mapped] = UInt32(event.word2 >> 32)
    case .clear(proxyDevice, let proxyEvent):
      if let doorbell = doorbellOfProxyEvent[proxyEvent] { doorbells[doorbell]?.isPending = false }
    case .invalidate(proxyDevice, let proxyEvent):
      // Linux invalidates a doorbell to enable and to disable it, by turns.
      if let doorbell = doorbellOfProxyEvent[proxyEvent] { doorbells[doorbell]?.isEnabled.toggle() }
    default: break
    }
  }
}
