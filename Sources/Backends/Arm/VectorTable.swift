import EventModel
import TranslationCore

/// The MSI-X tables of all devices as the host sees them, with the host's EventID beside each entry.
///
/// A device has 4,096 places: 2,048 for MSI-X entries, and 2,048 for messages whose entry is unknown, by
/// their data. What the device's hardware would send is one 32-byte record: one load of the device's
/// slot, one of the record. A page of records costs memory when it is touched.
@safe
struct VectorTable: ~Copyable {
  struct Entry: BitwiseCopyable {
    var address: UInt64 = 0
    var data: UInt32 = 0
    /// EventID that the host gave; 0: none (the host's start at `HostLayout.firstEvent`).
    var hostEvent: UInt32 = 0
    var hostINTID: UInt32 = 0
    /// The guest's EventID to which the host's entry is forwarded, plus 1; 0: not forwarded.
    var forwardedPlus1: UInt32 = 0
    /// Bit 0 clear: masked, the state after reset (of vector control, the inverse).
    var unmasked: UInt32 = 0
    /// Which of the words the trace has shown: bit 0 address low, 1 high, 2 data.
    var written: UInt32 = 0

    var isComplete: Bool { written & 0b101 == 0b101 }
    var forwarded: UInt32? {
      get { forwardedPlus1 == 0 ? nil : forwardedPlus1 - 1 }
      set { forwardedPlus1 = newValue.map { $0 + 1 } ?? 0 }
    }
  }

  static let placesPerDevice = 4_096
  private static let deviceLimit = 4_096

  private let slotPages: ZeroedPages
  private let entryPages: ZeroedPages
  /// By DeviceID: number of the device, from 1; 0: none.
  private let slots: UnsafeMutablePointer<UInt16>
  private let entries: UnsafeMutablePointer<Entry>
  /// By number: places that have a host EventID, in the order of their EventIDs.
  private var programmed: [[UInt32]] = []

  init() {
    slotPages = ZeroedPages(byteCount: 65_536 * 2)
    entryPages = ZeroedPages(
      byteCount: Self.deviceLimit * Self.placesPerDevice * MemoryLayout<Entry>.stride)
    unsafe slots = slotPages.table(of: UInt16.self)
    unsafe entries = entryPages.table(of: Entry.self)
  }

  /// The place of the MSI-X entry that sent an MSI.
  @inline(__always)
  static func place(_ event: TraceEvent) -> UInt32 {
    event.vector < 2_048 ? UInt32(event.vector) : 2_048 | (event.data & 2_047)
  }

  /// The record of a place; nil for a device without any.
  @inline(__always)
  private func record(_ device: UInt32, _ place: UInt32) -> UnsafeMutablePointer<Entry>? {
    guard device < 65_536 else { return nil }
    // Safety: checked above; a slot is at most `deviceLimit`, and a place below `placesPerDevice`.
    let slot = unsafe Int(slots[Int(device)])
    guard slot != 0 else { return nil }
    return unsafe entries + ((slot &- 1) &* Self.placesPerDevice &+ Int(place & 4_095))
  }

  /// Host EventID of a place, 0 if the host has none yet.
  @inline(__always)
  func hostEvent(_ device: UInt32, _ place: UInt32) -> UInt32 {
    // Safety: `record` gives a valid pointer.
    guard let record = unsafe record(device, place) else { return 0 }
    return unsafe record.pointee.hostEvent
  }

  /// Host EventID for an MSI; 0 if the host has none, or if the MSI's vector is unknown and its
  /// message is not the one for which the host has it.
  @inline(__always)
  func hostEvent(_ event: TraceEvent) -> UInt32 {
    guard let record = unsafe record(event.deviceID, Self.place(event)) else { return 0 }
    // Safety: as above.
    if event.vector >= 2_048 {
      guard unsafe record.pointee.address == event.iova, unsafe record.pointee.data == event.data
      else { return 0 }
    }
    return unsafe record.pointee.hostEvent
  }

  /// The device's number, given if there is room.
  private mutating func number(_ device: UInt32) -> Int? {
    guard device < 65_536 else { return nil }
    // Safety: checked above.
    if unsafe slots[Int(device)] == 0 {
      guard programmed.count < Self.deviceLimit else { return nil }
      programmed.append([])
      unsafe slots[Int(device)] = UInt16(programmed.count)
    }
    return unsafe Int(slots[Int(device)]) - 1
  }

  subscript(device: UInt32, place: UInt32) -> Entry {
    get {
      // Safety: as above.
      guard let record = unsafe record(device, place) else { return Entry() }
      return unsafe record.pointee
    }
    set {
      guard number(device) != nil, let record = unsafe record(device, place) else { return }
      unsafe record.pointee = newValue
    }
  }

  /// Gives a place its host EventID. Nil when the device has no more, or no device more has room.
  mutating func allocateEvent(_ device: UInt32, _ place: UInt32) -> UInt32? {
    guard let number = number(device) else { return nil }
    let event = HostLayout.firstEvent + UInt32(programmed[number].count)
    guard event < HostLayout.eventsPerDevice else { return nil }
    programmed[number].append(place)
    self[device, place].hostEvent = event
    return event
  }

  /// Places of a device that are forwarded to one guest event, or to any.
  func forwarded(_ device: UInt32, toEvent event: UInt32?) -> [UInt32] {
    // Safety: checked in the same expression.
    guard device < 65_536, case let slot = unsafe Int(slots[Int(device)]), slot != 0 else {
      return []
    }
    return programmed[slot - 1].filter {
      guard let forwarded = self[device, $0].forwarded else { return false }
      return event == nil || forwarded == event
    }
  }
}
