import CLive

/// The VM's table of routes from GSIs to messages, as KVM_SET_GSI_ROUTING takes it
/// (Documentation/virt/kvm/api.rst, 4.52): a header of 8 bytes, then 48 bytes a route.
///
///     0  gsi      4  type (2: MSI)   8  flags   12  pad
///    16  address, low   20  address, high   24  data   28  DeviceID (arm64)   32  padding
///
/// The ioctl replaces the whole table each time, so its cost grows with the routes that are there.
@safe struct RoutingTable: ~Copyable {
  /// Where a message goes: what a device would write, and for a vITS who writes it.
  struct Message: Hashable {
    var address: UInt64
    var data: UInt32
    /// Absent on x86, where the message alone says all.
    var deviceID: UInt32?
  }

  static let headerBytes = 8
  static let routeBytes = 48

  // Safety: `headerBytes + capacity × routeBytes` bytes, this value's alone, until `deinit`.
  private let memory: UnsafeMutableRawPointer
  let capacity: Int
  private(set) var count = 0

  /// Room for `capacity` routes, 4,096 at most (KVM_MAX_IRQ_ROUTES).
  init(capacity: Int) {
    precondition((1...4096).contains(capacity), "KVM takes 1…4096 routes")
    precondition(MemoryLayout<kvm_irq_routing_entry>.stride == Self.routeBytes)
    let bytes = Self.headerBytes + capacity * Self.routeBytes
    unsafe memory = .allocate(byteCount: bytes, alignment: 8)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    self.capacity = capacity
  }

  deinit {
    // Safety: nobody else has the pointer.
    unsafe memory.deallocate()
  }

  /// Adds a route at the end, or replaces the one at `index`. O(1).
  mutating func set(_ message: Message, gsi: UInt32, at index: Int) {
    precondition(index <= count && index < capacity, "routes are added in order")
    count = max(count, index + 1)
    var entry = kvm_irq_routing_entry()
    entry.gsi = gsi
    entry.type = UInt32(KVM_IRQ_ROUTING_MSI)
    unsafe entry.u.msi.address_lo = UInt32(truncatingIfNeeded: message.address)
    unsafe entry.u.msi.address_hi = UInt32(message.address >> 32)
    unsafe entry.u.msi.data = message.data
    if let deviceID = message.deviceID {
      entry.flags = UInt32(KVM_MSI_VALID_DEVID)
      unsafe entry.u.msi.devid = deviceID
    }
    // Safety: the index is below the capacity.
    unsafe memory.storeBytes(
      of: entry, toByteOffset: Self.headerBytes + index * Self.routeBytes,
      as: kvm_irq_routing_entry.self)
  }

  /// Gives KVM the table as it is.
  func install(in vm: Int32) throws(LiveError) {
    writeHeader()
    // Safety: the header is followed by as many routes as it says.
    let header = unsafe memory.assumingMemoryBound(to: kvm_irq_routing.self)
    try checked("KVM_SET_GSI_ROUTING", unsafe CLive_setRoutes(vm, header))
  }

  /// Count of routes, and flags, of which there are none.
  private func writeHeader() {
    // Safety: the header is the first eight bytes.
    unsafe memory.storeBytes(of: UInt32(count), as: UInt32.self)
    unsafe memory.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
  }

  /// What the ioctl would be given.
  var bytes: [UInt8] {
    writeHeader()
    let count = Self.headerBytes + count * Self.routeBytes
    // Safety: so many bytes are initialised.
    return unsafe [UInt8](UnsafeRawBufferPointer(start: memory, count: count))
  }
}
