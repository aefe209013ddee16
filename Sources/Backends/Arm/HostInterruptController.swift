import EventModel
import TranslationCore

/// The physical ITS of an Arm host with its pending state, as the host's software programs it and a
/// device uses it. vPEs are numbered by `InterruptTarget`: a guest's PE p is vPE p, a recorded vPE v is
/// 0x8000 | v.
protocol HostInterruptController: ~Copyable, SendableMetatype {
  init(geometry: TableGeometry)

  /// Changes go through a command queue, one command and one SYNC each.
  static var hasCommandQueue: Bool { get }
  var isEnabled: Bool { get set }
  /// One above the last INTID.
  var intidEnd: UInt32 { get }

  // Tables.
  mutating func mapDevice(_ device: UInt32, log2Events: UInt32, isValid: Bool)
  mutating func mapCollection(_ icid: UInt16, pe: UInt16, isValid: Bool)
  mutating func mapEvent(_ device: UInt32, _ event: UInt32, intid: UInt32, icid: UInt16)
  mutating func mapVirtualEvent(
    _ device: UInt32, _ event: UInt32, vpe: UInt16, intid: UInt32, doorbell: UInt32)
  mutating func moveVirtualEvent(
    _ device: UInt32, _ event: UInt32, vpe: UInt16, doorbell: UInt32?)
  /// The mapping goes and its pending bit stays.
  mutating func remove(_ device: UInt32, _ event: UInt32)
  func mapping(_ device: UInt32, _ event: UInt32)
    -> (intid: UInt32, isVirtual: Bool, place: UInt16)?
  mutating func mapVPE(_ vpe: UInt16, isValid: Bool)
  mutating func setResident(_ vpe: UInt16, _ isResident: Bool, wantsDoorbell: Bool)

  // State of interrupts. Of a target, the plane counts: pending and enabled are the interrupt's.
  mutating func raise(_ intid: UInt32, _ target: InterruptTarget)
  func acknowledge(_ intid: UInt32, _ target: InterruptTarget)
  func store(configuration: UInt8, _ intid: UInt32, _ target: InterruptTarget)
  func refresh(_ intid: UInt32, _ target: InterruptTarget)
  func refreshConfigurations()

  /// One MSI on a host: see `ITSCore.translateOnHost`.
  mutating func translateOnHost(deviceID: UInt32, eventID: UInt32) -> Outcome
  mutating func translateAgain(deviceID: UInt32, eventID: UInt32) -> Outcome

  func addCounters(to work: inout WorkCounters)
}

extension ITSCore: HostInterruptController {
  init(geometry: TableGeometry) { self.init(geometry: geometry, vPETargetBits: 0) }

  mutating func mapVPE(_ vpe: UInt16, isValid: Bool) {
    mapVPE(vpe, log2INTIDs: 24, isValid: isValid)
  }

  static var hasCommandQueue: Bool { true }
  var intidEnd: UInt32 { pending.count }

  func store(configuration: UInt8, _ intid: UInt32, _ target: InterruptTarget) {
    pending.store(configuration: configuration, intid, target)
  }
  func refresh(_ intid: UInt32, _ target: InterruptTarget) { pending.refresh(intid, target) }
  func refreshConfigurations() { pending.refreshConfigurations() }

  @inline(__always)
  func acknowledge(_ intid: UInt32, _ target: InterruptTarget) {
    pending.acknowledge(intid, target)
  }
}
