import CLive
import Measurement

/// The host's side of a trapped MSI-X table: takes the guest's stores, and when one unmasks an entry
/// gives KVM the entry's message as a route and ties the entry's eventfd to it, as QEMU does
/// (hw/vfio/pci.c, vfio_msix_vector_do_use). Masking takes the eventfd away; what is signalled then
/// waits in its counter.
struct MSIXTrap: ~Copyable {
  /// What the work was, exactly.
  struct Work: Hashable, Sendable {
    var exits: UInt64 = 0
    var routingUpdates: UInt64 = 0
    var assignments: UInt64 = 0
    var removals: UInt64 = 0
    /// Ticks in the two ioctls.
    var routingTicks: UInt64 = 0
    var assigningTicks: UInt64 = 0
  }

  /// The first GSI that no pin of the IOAPIC has.
  static let firstGSI: UInt32 = 24

  private let vm: Int32
  private let eventfds: [Int32]
  /// Words of the table: address low, address high, data, control (PCI Express, 7.7.2).
  private var table: [UInt32]
  private var routes: RoutingTable
  /// The message that each entry's route has; none before it was first unmasked.
  private var routed: [RoutingTable.Message?]
  private var isAssigned: [Bool]
  private var position: [Int?]
  var work = Work()

  /// One entry for each eventfd, all masked.
  init(vm: Int32, eventfds: [Int32]) {
    self.vm = vm
    self.eventfds = eventfds
    table = [UInt32](repeating: 0, count: 4 * eventfds.count)
    for entry in eventfds.indices { table[4 * entry + 3] = 1 }
    routes = RoutingTable(capacity: eventfds.count)
    routed = Array(repeating: nil, count: eventfds.count)
    isAssigned = Array(repeating: false, count: eventfds.count)
    position = Array(repeating: nil, count: eventfds.count)
  }

  /// Serves one access. True if it belonged to the table.
  @inline(__always)
  mutating func serve(_ exit: CLiveExit, of machine: GuestMachine) throws(LiveError) -> Bool {
    let offset = exit.address &- GuestLayout.msixTable
    guard exit.reason == UInt32(KVM_EXIT_MMIO), exit.bytes == 4, offset % 4 == 0,
      offset < UInt64(4 * table.count)
    else { return false }
    work.exits &+= 1
    let word = Int(offset / 4)
    guard exit.is_write != 0 else {
      machine.answer(table[word])
      return true
    }
    let control = word | 3
    let wasMasked = table[control] & 1 != 0
    table[word] = UInt32(truncatingIfNeeded: exit.data)
    let isMasked = table[control] & 1 != 0
    if wasMasked && !isMasked { try connect(word / 4) }
    if !wasMasked && isMasked { try disconnect(word / 4) }
    return true
  }

  private mutating func connect(_ entry: Int) throws(LiveError) {
    let clock = CycleClock.shared
    let message = RoutingTable.Message(
      address: UInt64(table[4 * entry]) | UInt64(table[4 * entry + 1]) << 32,
      data: table[4 * entry + 2])
    let start = clock.now()
    if routed[entry] != message {
      let index = position[entry] ?? routes.count
      position[entry] = index
      routes.set(message, gsi: Self.firstGSI + UInt32(entry), at: index)
      try routes.install(in: vm)
      routed[entry] = message
      work.routingUpdates &+= 1
    }
    let hasRoute = clock.now()
    try Self.assign(eventfds[entry], Self.firstGSI + UInt32(entry), in: vm)
    isAssigned[entry] = true
    work.assignments &+= 1
    work.routingTicks &+= hasRoute &- start
    work.assigningTicks &+= clock.now() &- hasRoute
  }

  private mutating func disconnect(_ entry: Int) throws(LiveError) {
    try checked(
      "KVM_IRQFD (deassign)",
      CLive_irqfd(vm, eventfds[entry], Self.firstGSI + UInt32(entry), 0))
    isAssigned[entry] = false
    work.removals &+= 1
  }

  /// Takes every eventfd and route away.
  mutating func removeAll() throws(LiveError) {
    for entry in eventfds.indices where isAssigned[entry] { try disconnect(entry) }
    try Self.clear(vm: vm)
  }

  /// Ties an eventfd to a GSI.
  static func assign(_ eventfd: Int32, _ gsi: UInt32, in vm: Int32) throws(LiveError) {
    try checked("KVM_IRQFD", CLive_irqfd(vm, eventfd, gsi, 1))
  }

  /// An empty table of routes: that of a device that no guest has programmed.
  static func clear(vm: Int32) throws(LiveError) {
    let none = RoutingTable(capacity: 1)
    try none.install(in: vm)
  }
}
