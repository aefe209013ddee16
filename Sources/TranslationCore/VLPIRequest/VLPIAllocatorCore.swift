package import EventModel

/// The fast host for requests for vLPIs: the answers, counts and commands of the reference model's
/// `VLPIAllocator`, from flat tables. See there for what each call means and costs.
///
/// | Table | Index | Entry |
/// |---|---|---|
/// | functions | the caller's number | DeviceID, guest, vectors, state |
/// | devices | DeviceID | first event, log2 of the events, guest, functions |
/// | events | first event of the device + EventID | mapping, the host's own LPI, links of its vPE's list |
/// | interrupts | guest, vINTID | event |
/// | vPEs | the caller's number | guest, vPEID, first and last event, links of the waiting list |
/// | vPEIDs | vPEID | a bit: free |
///
/// **Cost.** A request, a release and an event are O(1), whatever is mapped. Plugging with early events
/// kept is linear in the vectors, unplugging in the table, removing a vPE in its events. Nothing but
/// taking a table for a device touches the heap.
///
/// **Limits.** All memory is address space reserved in `init`. A table is refused when all tables
/// together exceed `VLPIHost.tableEntryLimit`, as in the reference; four times as much is reserved, so
/// that fragmentation shows only to callers who plug and unplug tables of very many sizes.
///
/// ```swift
/// var host = VLPIAllocatorCore(VLPIHost())
/// var its = ITSCore(geometry: geometry)
/// try host.addVPE(7, vm: 0)
/// try host.plug(
///   function: 8, deviceID: DeviceID(8), vm: 0, log2Events: 5, vectorCount: 3, commands: &its)
/// let grant = try host.request(request, commands: &its)
/// ```
@safe
package struct VLPIAllocatorCore: ~Copyable {
  package let host: VLPIHost
  package internal(set) var cases = VLPIRequestCases()
  /// Commands posted, SYNC and VSYNC included.
  package internal(set) var commandCount: UInt64 = 0

  let functions: UnsafeMutablePointer<VLPIFunction>
  let devices: UnsafeMutablePointer<VLPIDevice>
  let events: UnsafeMutablePointer<VLPIEvent>
  let interrupts: UnsafeMutablePointer<UInt32>
  let vPEs: UnsafeMutablePointer<VLPIVPE>
  var arena: ITTArena
  var usedEntries: UInt64 = 0
  var nextSerial: UInt64 = 1
  var vPEIDs: VPEIDPool
  var physicalLPIs: PhysicalLPIPool
  /// The vPE that waits longest, and the one that came last; 0: none.
  var firstWaiting: UInt32 = 0
  var lastWaiting: UInt32 = 0

  private let functionPages: ZeroedPages
  private let devicePages: ZeroedPages
  private let eventPages: ZeroedPages
  private let interruptPages: ZeroedPages
  private let vPEPages: ZeroedPages

  /// Traps if `host` is no possible host: `VLPIHost.check`.
  package init(_ host: VLPIHost) {
    host.check()
    self.host = host
    let capacity = min(Int(host.tableEntryLimit) * 4, 1 << 27)
    arena = ITTArena(capacity: capacity)
    functionPages = ZeroedPages(
      byteCount: Int(host.functionCount) * MemoryLayout<VLPIFunction>.stride)
    devicePages = ZeroedPages(
      byteCount: (1 << Int(host.deviceIDBits)) * MemoryLayout<VLPIDevice>.stride)
    eventPages = ZeroedPages(byteCount: capacity * MemoryLayout<VLPIEvent>.stride)
    interruptPages = ZeroedPages(byteCount: Int(host.vmCount) * 4 << Int(host.vINTIDBits))
    vPEPages = ZeroedPages(byteCount: Int(host.vPECount) * MemoryLayout<VLPIVPE>.stride)
    unsafe functions = functionPages.table(of: VLPIFunction.self)
    unsafe devices = devicePages.table(of: VLPIDevice.self)
    unsafe events = eventPages.table(of: VLPIEvent.self)
    unsafe interrupts = interruptPages.table(of: UInt32.self)
    unsafe vPEs = vPEPages.table(of: VLPIVPE.self)
    vPEIDs = VPEIDPool(count: host.vPEIDCount)
    physicalLPIs = PhysicalLPIPool(first: host.firstPhysicalLPI, count: host.physicalLPICount)
  }

  /// Counts a refusal and gives it to be thrown.
  mutating func refuse(_ reason: VLPIRequestCase) -> VLPIRefusal {
    cases.count(reason)
    return VLPIRefusal(reason)
  }
}

// Records. All zero is "nothing there". Links and indices are one more than what they name, so that 0
// names nothing.

struct VLPIFunction: BitwiseCopyable {
  static let plugged: UInt8 = 1
  static let unplugging: UInt8 = 2
  static let gone: UInt8 = 3

  var device: UInt32
  var vectorCount: UInt32
  var vm: UInt16
  /// 0: never plugged.
  var state: UInt8
}

struct VLPIDevice: BitwiseCopyable {
  var first: UInt32
  /// Functions that are plugged or being unplugged, and of these the plugged.
  var functions: UInt32
  var plugged: UInt32
  var vm: UInt16
  /// 0: no table.
  var log2Events: UInt8

  func hasEvent(_ event: UInt32) -> Bool { UInt64(event) >> UInt64(log2Events) == 0 }
}

struct VLPIEvent: BitwiseCopyable {
  /// 0: not mapped.
  var serial: UInt64
  var next: UInt32
  var previous: UInt32
  var function: UInt32
  var vINTID: UInt32
  /// The host's own LPI for early events; 0: none.
  var reserved: UInt32
  /// The host's LPI that signals the eventfd; 0: a vLPI.
  var eventfd: UInt32
  var vPE: UInt16
  var isKept: Bool
}

struct VLPIVPE: BitwiseCopyable {
  var firstEvent: UInt32
  var lastEvent: UInt32
  var eventfds: UInt32
  /// The vPEID and one; 0: none.
  var vPEIDAndOne: UInt32
  var nextWaiting: UInt32
  var previousWaiting: UInt32
  var vm: UInt16
  var exists: Bool
  var isWaiting: Bool
}
