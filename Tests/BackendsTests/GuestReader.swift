import Backends

/// The guest's intent, read off its trapped stores.
///
/// The commands themselves stand in the guest's memory, which no recording holds; GITS_CWRITER says how
/// many there are, and what the guest does before and after says which. Linux posts MAPD alone and
/// everything else with a SYNC. In this guest: before the device's first MAPD come MAPC and INVALL, for each
/// vCPU in turn; a MAPTI is followed by the message that it allows, a DISCARD comes after the zeroed
/// message; what is left is a MOVI, and only vector 0 moves, because the others' affinity is managed by
/// the guest's kernel.
struct GuestReader {
  /// Where the guest found things: its own machine's map and what its firmware gave the device.
  private static let table: Range<UInt64> = 0x80_0000_2000..<0x80_0000_2050
  private static let messageControl: UInt64 = 0x40_1000_8042
  private static let writerRegister: UInt64 = 0x808_0088
  private static let redistributors: Range<UInt64> = 0x80A_0000..<0x80E_0000

  private(set) var actions: [GuestAction] = []
  /// Where in `actions` each bind of the guest's driver starts.
  private(set) var binds: [Int] = []
  /// What the host's probes counted.
  private(set) var counted = HostWork()
  /// Accesses that fit no rule: none, or the reading above is wrong.
  private(set) var strange = 0

  /// Handlers that ran before the VMM had injected the message before for the same event: only these can
  /// have met in the eventfd. Not all did, since the VMM reads the eventfd some time before it injects.
  private(set) var unread = 0
  private var signalled: Set<UInt64> = []
  /// Handlers of an event whose MSI-X entry the guest had masked.
  private(set) var handledWhileMasked = 0
  private var unmasked: Set<Int> = []

  private var writer: UInt64 = 0
  private var deviceIsMapped = false
  private var hasSeenDevice = false
  private var bootCommands = 0
  private var enables = 0
  private var lastStore: (entry: Int, word: Int, value: UInt32) = (0, 0, 1)
  /// The data that the host last stored for each of its interrupts.
  private var dataOfIRQ: [UInt64: UInt64] = [:]

  init(_ notes: [HostNote]) {
    let stores = notes.indices.filter { if case .store = notes[$0] { true } else { false } }
    var next = stores[...]
    for (index, note) in notes.enumerated() {
      if next.first == index { next = next.dropFirst() }
      switch note {
      case .store(let address, let value):
        store(address, value, next: Self.tableStore(after: next, in: notes))
      case .wakeUp: actions.append(.block(vCPU: 0))
      case .message(let irq, let data): if let data { dataOfIRQ[irq] = data }
      case .handler(let irq):
        counted[.handlers] += 1
        guard let data = dataOfIRQ[irq] else {
          strange += 1
          continue
        }
        if !unmasked.contains(Int(data)) { handledWhileMasked += 1 }
        if !signalled.insert(data).inserted { unread += 1 }
        actions.append(.handler(event: Int(data)))
      case .lookup: counted[.cacheLookups] += 1
      case .slowInjection(let event):
        counted[.slowInjections] += 1
        signalled.remove(event)
      }
    }
  }

  /// The next store, if it goes to the MSI-X table.
  private static func tableStore(
    after stores: ArraySlice<Int>, in notes: [HostNote]
  ) -> (word: Int, value: UInt64, data: UInt64)? {
    guard let first = stores.first, case .store(let address, let value) = notes[first],
      table.contains(address)
    else { return nil }
    var data: UInt64 = 0
    for index in stores.prefix(8) {
      if case .store(address + 8, let stored) = notes[index] {
        data = stored
        break
      }
    }
    return (Int(address & 0xF) / 4, value, data)
  }

  private mutating func store(
    _ address: UInt64, _ value: UInt64, next: (word: Int, value: UInt64, data: UInt64)?
  ) {
    let low = UInt32(truncatingIfNeeded: value)
    if Self.table.contains(address) {
      let offset = Int(address - Self.table.lowerBound)
      lastStore = (offset / 16, offset % 16 / 4, low)
      counted[.tableTraps] += 1
      if lastStore.word == 3 {
        if low & 1 == 0 {
          unmasked.insert(lastStore.entry)
        } else {
          unmasked.remove(lastStore.entry)
        }
      }
      actions.append(.tableStore(entry: offset / 16, word: offset % 16 / 4, value: low))
    } else if address == Self.messageControl {
      let isEnabled = low & 0x8000 != 0
      if isEnabled && low & 0x4000 != 0 {
        if enables % 2 == 0 { binds.append(actions.count) }
        enables += 1
      }
      actions.append(.messageControl(isEnabled: isEnabled, isMasked: low & 0x4000 != 0))
    } else if address == Self.writerRegister {
      counted[.commandTraps] += 1
      let count = (value - writer) / 32
      writer = value
      actions.append(.commands(commands(count, next)))
    } else if Self.redistributors.contains(address), address & 0x1_FFFF == 0xA0 {
      counted[.invalidationTraps] += 1
      // The guest's LPI of event e is 8192 + e; the store follows the mask's change in that entry.
      if lastStore.word != 3 || Int(value) - 8192 != lastStore.entry { strange += 1 }
      actions.append(.invalidate(event: Int(value) - 8192))
    }
  }

  private mutating func commands(
    _ count: UInt64, _ next: (word: Int, value: UInt64, data: UInt64)?
  ) -> [GuestAction.Command] {
    switch count {
    case 0: return []
    case 1:
      deviceIsMapped.toggle()
      hasSeenDevice = true
      return [.mapDevice(isValid: deviceIsMapped)]
    case 2: break
    default:
      strange += 1
      return []
    }
    guard hasSeenDevice else {
      bootCommands += 1
      return [bootCommands % 2 == 1 ? .mapCollection : .invalidateAll]
    }
    if let next, next.word == 0, next.value != 0 { return [.map(event: Int(next.data))] }
    if lastStore.word == 2 && lastStore.value == 0 { return [.discard(event: lastStore.entry)] }
    return [.move(event: 0)]
  }
}
