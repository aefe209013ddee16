import EventModel

/// The MSI-X tables of all devices as the host sees them, with the host's EventID beside each entry.
///
/// A device has 4,096 places: 2,048 for MSI-X entries, and 2,048 for messages whose entry is unknown, by
/// their data. What the device's hardware would send is then one indexed load.
struct VectorTable {
  struct Entry {
    var address: UInt64 = 0
    var data: UInt32 = 0
    var control: UInt32 = 1
    /// Which of the words the trace has shown: bit 0 address low, 1 high, 2 data.
    var written: UInt8 = 0
    var hostINTID: UInt32 = 0
    /// The guest's EventID to which the host's entry is forwarded; nil: not forwarded.
    var forwarded: UInt32?

    var isComplete: Bool { written & 0b101 == 0b101 }

    /// A guest's store. Words 0 and 4 are the address, 8 the data, 12 the vector control (PCIe 6.0,
    /// §7.7.2.5…8); an 8-byte store writes two.
    mutating func store(_ event: TraceEvent) {
      let size = UInt32(event.word3 >> 32)
      store(UInt32(truncatingIfNeeded: event.value), at: event.tableOffset & 12)
      if size == 8 { store(UInt32(event.value >> 32), at: event.tableOffset & 12 | 4) }
    }

    private mutating func store(_ value: UInt32, at word: UInt32) {
      switch word {
      case 0:
        address = address & ~0xFFFF_FFFF | UInt64(value)
        written |= 1
      case 4:
        address = address & 0xFFFF_FFFF | UInt64(value) << 32
        written |= 2
      case 8:
        data = value
        written |= 4
      default: control = value
      }
    }
  }

  static let placesPerDevice = 4_096
  private static let deviceLimit = 4_096

  private var slots = [UInt16](repeating: 0, count: 65_536)
  /// Host EventID, or 0 for none (the host's start at `HostLayout.firstEvent`); on x86 the entry's index
  /// + 1.
  private var hostEvents: [UInt32] = []
  private var entries: [[UInt32: Entry]] = []
  private var nextEvent: [UInt32] = []

  /// The place of the MSI-X entry that sent an MSI.
  @inline(__always)
  static func place(_ event: TraceEvent) -> UInt32 {
    event.vector < 2_048 ? UInt32(event.vector) : 2_048 | (event.data & 2_047)
  }

  /// Host EventID of a place, 0 if the host has none yet.
  @inline(__always)
  func hostEvent(_ device: UInt32, _ place: UInt32) -> UInt32 {
    guard device < 65_536 else { return 0 }
    let slot = Int(slots[Int(device)])
    return slot == 0 ? 0 : hostEvents[(slot - 1) &* Self.placesPerDevice &+ Int(place)]
  }

  /// The device's slot, made if there is room.
  private mutating func slot(_ device: UInt32) -> Int? {
    guard device < 65_536 else { return nil }
    if slots[Int(device)] == 0 {
      guard entries.count < Self.deviceLimit else { return nil }
      entries.append([:])
      nextEvent.append(HostLayout.firstEvent)
      hostEvents += repeatElement(0, count: Self.placesPerDevice)
      slots[Int(device)] = UInt16(entries.count)
    }
    return Int(slots[Int(device)]) - 1
  }

  func hasDevice(_ device: UInt32) -> Bool { device < 65_536 && slots[Int(device)] != 0 }

  subscript(device: UInt32, place: UInt32) -> Entry {
    get {
      guard device < 65_536, slots[Int(device)] != 0 else { return Entry() }
      return entries[Int(slots[Int(device)]) - 1][place] ?? Entry()
    }
    set {
      guard let slot = slot(device) else { return }
      entries[slot][place] = newValue
    }
  }

  /// Takes an MSI for what its entry holds, where the trace shows no store to the entry, or does not say
  /// which entry it was. True if that changes the entry.
  mutating func adopt(_ event: TraceEvent) -> Bool {
    let place = Self.place(event)
    var entry = self[event.deviceID, place]
    let isOther =
      event.vector >= 2_048 && (entry.address != event.iova || entry.data != event.data)
    guard !entry.isComplete || isOther else { return false }
    entry.address = event.iova
    entry.data = event.data
    entry.written = 7
    entry.control = 0
    self[event.deviceID, place] = entry
    return true
  }

  /// Gives a place its host EventID. Nil when the device has no more, or no device more has room.
  mutating func allocateEvent(_ device: UInt32, _ place: UInt32) -> UInt32? {
    guard let slot = slot(device), nextEvent[slot] < HostLayout.eventsPerDevice else { return nil }
    defer { nextEvent[slot] += 1 }
    hostEvents[slot * Self.placesPerDevice + Int(place)] = nextEvent[slot]
    return nextEvent[slot]
  }

  /// Gives a place a number that the caller chose; 0 takes it away. False when no device more has room.
  mutating func assign(_ number: UInt32, _ device: UInt32, _ place: UInt32) -> Bool {
    guard let slot = slot(device) else { return false }
    hostEvents[slot * Self.placesPerDevice + Int(place)] = number
    return true
  }

  /// Places of a device that are forwarded to one guest event, or to any.
  func forwarded(_ device: UInt32, toEvent event: UInt32?) -> [UInt32] {
    guard device < 65_536, slots[Int(device)] != 0 else { return [] }
    return entries[Int(slots[Int(device)]) - 1].filter { _, entry in
      guard let forwarded = entry.forwarded else { return false }
      return event == nil || forwarded == event
    }.keys.sorted()
  }
}
