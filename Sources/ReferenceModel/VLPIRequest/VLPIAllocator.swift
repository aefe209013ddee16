package import EventModel

// Requests for vLPIs: the call that Linux does not have, as a model.
//
// The idea (iommufd list, April 2023). A guest's driver writes its own message, its own doorbell and
// its own EventID, into the device's MSI-X table, and nobody traps it. When the guest's MAPTI reaches
// its virtual ITS, the VMM asks the host: for this function and EventID, make this vINTID pending on
// this vPE. The host maps exactly the guest's EventID, so its table of the device has the size that
// the guest's MAPD said. There is no eventfd in the path, nor a message that a host composes.
//
// What it costs in commands of the host's ITS. Linux puts a SYNC or VSYNC after each but MAPD
// (drivers/irqchip/irq-gic-v3-its.c, its_build_mapd_cmd returns no collection to wait for).
//
// | Call | Early events dropped | Early events pended |
// |---|---|---|
// | plug, first function of a DeviceID | MAPD: 1 | 1 + MAPTI, INV per vector: 4 each |
// | first use of a vPEID | VMAPP, VINVALL: 4 | the same |
// | request, granted as vLPI | VMAPTI: 2 | DISCARD, VMAPTI: 4, as its_vlpi_map |
// | … with an event kept for it | – | INT: 2 more |
// | request, granted as eventfd | MAPTI, INV: 4 | 0: it is mapped |
// | the same again | 0 | 0 |
// | another vPE | VMOVI: 2 | VMOVI: 2 |
// | return from eventfd to vLPI | DISCARD, VMAPTI: 4 | 4 |
// | release of a vLPI | DISCARD: 2 | DISCARD, MAPTI, INV: 6, as its_vlpi_unmap |
// | release of an eventfd | DISCARD: 2 | 0 |
// | unplug | DISCARD per entry: 2 each, then MAPD | the same |
// | vPE removed | as release, each; VMAPP: 1, with GICv4.0 VSYNC: 2 | the same |
//
// Traps of MSI-X entries: none, ever.
//
// What it is not. No time and no concurrency: each call is whole. In real life MSIs arrive between the
// DISCARD of a physical mapping and the VMAPTI after it, and are lost, since a MAPTI over a live
// mapping is UNPREDICTABLE (IHI 0069, §5.3); Linux has the same window. It is also no ITS: the
// commands are handed out, and a test executes them on one.
//
//     var host = VLPIAllocator(VLPIHost())
//     try host.addVPE(7, vm: 0)
//     try host.plug(function: 8, deviceID: DeviceID(8), vm: 0, log2Events: 5, vectorCount: 3)
//     let grant = try host.request(
//       VLPIRequest(
//         vm: 0, function: 8, eventID: EventID(2), vINTID: INTID(8194), vPE: 7,
//         message: .init(address: 0xFFFF_F040, data: 2)))
//     // grant.delivery == .vLPI(vPEID: 0)
//     // host.takeCommands(): MAPD, VMAPP, VSYNC, VINVALL, VSYNC, VMAPTI, VSYNC
//     host.event(function: 8, EventID(2))  // .vLPI(vPEID: 0, vINTID: 8194)

/// The host that answers requests for vLPIs: a dictionary for everything, and the commands it posts.
package struct VLPIAllocator: Sendable {
  package let host: VLPIHost
  package internal(set) var cases = VLPIRequestCases()
  package internal(set) var commands: [ITSCommand] = []
  package internal(set) var commandCount: UInt64 = 0

  var functions: [UInt32: Function] = [:]
  var devices: [UInt32: Device] = [:]
  var vPEs: [UInt16: VPE] = [:]
  /// vPEs without a vPEID that have events on eventfds, in the order in which they came to that.
  var waiting: [UInt16] = []
  /// Which event has a vINTID.
  var interrupts: [Interrupt: Place] = [:]
  var nextSerial: UInt64 = 1

  var freeVPEIDs: Set<UInt16>
  var freePhysicalLPIs: [UInt32] = []
  var nextPhysicalLPI: UInt32

  package init(_ host: VLPIHost) {
    host.check()
    self.host = host
    freeVPEIDs = Set((0..<host.vPEIDCount).map { UInt16($0) })
    nextPhysicalLPI = host.firstPhysicalLPI
  }
}

extension VLPIAllocator {
  struct Function: Hashable, Sendable {
    enum State: Sendable { case plugged, unplugging, gone }
    var deviceID: UInt32
    var vm: UInt16
    var vectorCount: UInt32
    var state = State.plugged
  }

  /// What the ITS knows by one DeviceID: the table that all its functions share.
  struct Device: Hashable, Sendable {
    var vm: UInt16
    var log2Events: UInt32
    /// Those that are plugged or being unplugged.
    var functions: Set<UInt32>
    var events: [UInt32: Event] = [:]
  }

  struct Event: Hashable, Sendable {
    /// The host's own interrupt for early events; it stays for the function's life.
    var reserved: UInt32?
    /// It fired, and nobody has been told.
    var isKept = false
    var mapping: Mapping?
  }

  struct Mapping: Hashable, Sendable {
    var function: UInt32
    var vINTID: UInt32
    var vPE: UInt16
    var serial: UInt64
    /// The host's interrupt that signals the eventfd; nil for a vLPI.
    var eventfd: UInt32?
  }

  struct VPE: Hashable, Sendable {
    var vm: UInt16
    var vPEID: UInt16?
    /// In the order in which they came to this vPE.
    var events: [Place] = []
  }

  struct Place: Hashable, Sendable {
    var device: UInt32
    var event: UInt32
  }

  struct Interrupt: Hashable, Sendable {
    var vm: UInt16
    var vINTID: UInt32
  }

  /// The commands since the last call.
  package mutating func takeCommands() -> [ITSCommand] {
    defer { commands = [] }
    return commands
  }

  func refuse(_ reason: VLPIRequestCase) -> VLPIRefusal { VLPIRefusal(reason) }

  /// Counts a refusal on its way out.
  mutating func counted<Answer>(
    _ body: (inout VLPIAllocator) throws(VLPIRefusal) -> Answer
  ) throws(VLPIRefusal) -> Answer {
    do throws(VLPIRefusal) {
      return try body(&self)
    } catch {
      cases.count(error.reason)
      throw error
    }
  }

  mutating func post(_ command: ITSCommand) {
    commands.append(command)
    commandCount += 1
  }

  /// A command about the host's collection, and its SYNC.
  mutating func postPhysical(_ command: ITSCommand) {
    post(command)
    post(.sync(rdBase: host.rdBase))
  }

  mutating func postVirtual(_ command: ITSCommand, _ vPEID: UInt16) {
    post(command)
    post(.vsync(vPEID: vPEID))
  }
}

extension VLPIAllocator {
  /// The DeviceID that a function has, or had; nil if it was never plugged.
  package func deviceID(ofFunction function: UInt32) -> DeviceID? {
    functions[function].map { DeviceID($0.deviceID) }
  }
}
