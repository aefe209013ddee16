import EventModel

/// What the guest wants: its own mappings, as its commands state them. Slow and small; asked at set-up
/// and when a message has to be resolved in software, never on a hot path.
///
/// The commands of a recorded hypervisor (VMAPTI, …) are intents too: an event that goes to a vPE. Both
/// kinds of target have one name here: an ICID, or 0x10000 | vPEID.
struct GuestIntent {
  struct Mapping: Hashable {
    var intid: UInt32
    var collection: UInt32
    var isVirtual: Bool { GuestIntent.isVPE(collection) }
    /// Any target of the plane that the interrupt is in.
    var plane: InterruptTarget { isVirtual ? .vpe(0) : .pe(0) }
  }

  private struct Device {
    var eventCount: UInt32
    var mappings: [UInt32: Mapping] = [:]
  }

  private var devices: [UInt32: Device] = [:]
  private var mappingCount = 0
  private(set) var collections: [UInt32: InterruptTarget] = [:]
  private var disabledPEs: Set<UInt16> = []
  var isEnabled = true

  /// More mappings than this are not kept, so that no trace makes the host's memory grow for ever.
  static let mappingLimit = 1 << 22

  static func collection(ofVPE vpe: UInt16) -> UInt32 { 0x1_0000 | UInt32(vpe) }
  static func isVPE(_ collection: UInt32) -> Bool { collection & 0x1_0000 != 0 }

  enum Resolved {
    case interrupt(intid: UInt32, target: InterruptTarget)
    case lost(OutcomeClass)
  }

  /// What the guest's own ITS would make of the message.
  func resolve(_ device: UInt32, _ event: UInt32) -> Resolved {
    guard isEnabled else { return .lost(.itsDisabled) }
    guard let device = devices[device] else { return .lost(.unmappedDevice) }
    guard event < device.eventCount else { return .lost(.eventIDOutOfRange) }
    guard let mapping = device.mappings[event] else { return .lost(.unmappedEvent) }
    guard let target = collections[mapping.collection] else {
      return .lost(mapping.isVirtual ? .unmappedVPE : .unmappedCollection)
    }
    guard lpisAreEnabled(target) else { return .lost(.lpisDisabled) }
    return .interrupt(intid: mapping.intid, target: target)
  }

  func mapping(_ device: UInt32, _ event: UInt32) -> Mapping? { devices[device]?.mappings[event] }

  /// A mapping that leads to a target. Commands about an event fail without one.
  func targeted(_ device: UInt32, _ event: UInt32) -> Mapping? {
    mapping(device, event).flatMap { collections[$0.collection] == nil ? nil : $0 }
  }

  /// Whether a MAPTI of the event finds its device and its place in the table.
  func hasEvent(_ device: UInt32, _ event: UInt32) -> Bool {
    devices[device].map { event < $0.eventCount } ?? false
  }

  /// Events of a device, in rising order.
  func events(ofDevice device: UInt32) -> [UInt32] { devices[device]?.mappings.keys.sorted() ?? [] }

  /// All mapped events, in rising order of device and event.
  var events: [(device: UInt32, event: UInt32)] {
    devices.keys.sorted().flatMap { device in events(ofDevice: device).map { (device, $0) } }
  }

  /// Events of a collection, in rising order. O(all mappings), as KVM's walk for MAPC is.
  func events(ofCollection collection: UInt32) -> [(device: UInt32, event: UInt32)] {
    devices.keys.sorted().flatMap { device in
      devices[device]!.mappings.filter { $0.value.collection == collection }.keys.sorted()
        .map { (device, $0) }
    }
  }

  mutating func mapDevice(_ device: UInt32, eventCount: UInt32?) {
    mappingCount -= devices[device]?.mappings.count ?? 0
    devices[device] = eventCount.map { Device(eventCount: $0) }
  }

  /// - Returns: false at the limit.
  mutating func map(_ device: UInt32, _ event: UInt32, _ mapping: Mapping) -> Bool {
    if devices[device]?.mappings[event] == nil {
      guard mappingCount < Self.mappingLimit else { return false }
      mappingCount += 1
    }
    devices[device]?.mappings[event] = mapping
    return true
  }

  mutating func discard(_ device: UInt32, _ event: UInt32) {
    if devices[device]?.mappings.removeValue(forKey: event) != nil { mappingCount -= 1 }
  }

  mutating func move(_ device: UInt32, _ event: UInt32, collection: UInt32) {
    devices[device]?.mappings[event]?.collection = collection
  }

  mutating func mapCollection(_ collection: UInt32, _ target: InterruptTarget?) {
    collections[collection] = target
  }

  mutating func setLPIs(enabled: Bool, pe: UInt16) {
    if enabled { disabledPEs.remove(pe) } else { disabledPEs.insert(pe) }
  }

  func lpisAreEnabled(_ target: InterruptTarget) -> Bool {
    target.isVPE || !disabledPEs.contains(target.number)
  }
}
