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
  }

  private(set) var deviceEvents: [UInt32: UInt32] = [:]
  private(set) var mappings: [UInt64: Mapping] = [:]
  private(set) var collections: [UInt32: InterruptTarget] = [:]
  private var disabledPEs: Set<UInt16> = []
  var isEnabled = true

  static func key(_ device: UInt32, _ event: UInt32) -> UInt64 {
    UInt64(device) << 32 | UInt64(event)
  }

  static func collection(ofVPE vpe: UInt16) -> UInt32 { 0x1_0000 | UInt32(vpe) }

  enum Resolved {
    case interrupt(intid: UInt32, target: InterruptTarget)
    case lost(OutcomeClass)
  }

  /// What the guest's own ITS would make of the message.
  func resolve(_ device: UInt32, _ event: UInt32) -> Resolved {
    guard isEnabled else { return .lost(.itsDisabled) }
    guard let count = deviceEvents[device] else { return .lost(.unmappedDevice) }
    guard event < count else { return .lost(.eventIDOutOfRange) }
    guard let mapping = mappings[Self.key(device, event)] else { return .lost(.unmappedEvent) }
    guard let target = collections[mapping.collection] else {
      return .lost(mapping.collection & 0x1_0000 == 0 ? .unmappedCollection : .unmappedVPE)
    }
    guard target.isVPE || !disabledPEs.contains(target.number) else { return .lost(.lpisDisabled) }
    return .interrupt(intid: mapping.intid, target: target)
  }

  func mapping(_ device: UInt32, _ event: UInt32) -> Mapping? {
    mappings[Self.key(device, event)]
  }

  /// Events of a device, or of a collection, in rising order.
  func events(ofDevice device: UInt32) -> [UInt32] {
    mappings.keys.filter { UInt32($0 >> 32) == device }.map { UInt32(truncatingIfNeeded: $0) }
      .sorted()
  }

  func events(ofCollection collection: UInt32) -> [(device: UInt32, event: UInt32)] {
    mappings.filter { $0.value.collection == collection }.map(\.key).sorted()
      .map { (UInt32($0 >> 32), UInt32(truncatingIfNeeded: $0)) }
  }

  mutating func mapDevice(_ device: UInt32, eventCount: UInt32?) {
    for event in events(ofDevice: device) { mappings[Self.key(device, event)] = nil }
    deviceEvents[device] = eventCount
  }

  mutating func map(_ device: UInt32, _ event: UInt32, _ mapping: Mapping) {
    mappings[Self.key(device, event)] = mapping
  }

  mutating func discard(_ device: UInt32, _ event: UInt32) {
    mappings[Self.key(device, event)] = nil
  }

  mutating func move(_ device: UInt32, _ event: UInt32, collection: UInt32) {
    mappings[Self.key(device, event)]?.collection = collection
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
