import EventModel
import ReferenceModel

/// A host with two guests: vPEs 1 and 2 of guest 0, vPE 3 of guest 1, and function 8 with three
/// vectors, plugged into guest 0 with a table of 32 EventIDs.
struct VLPIWorld {
  var host: VLPIAllocator
  static let message: UInt64 = 0xFFFF_F040

  init(_ change: (inout VLPIHost) -> Void = { _ in }) throws {
    var options = VLPIHost()
    options.vPEIDCount = 4
    options.physicalLPICount = 64
    change(&options)
    host = VLPIAllocator(options)
    try host.addVPE(1, vm: 0)
    try host.addVPE(2, vm: 0)
    try host.addVPE(3, vm: 1)
    try plug(8)
    _ = host.takeCommands()
  }

  mutating func plug(
    _ function: UInt32, as device: UInt32? = nil, vm: UInt16 = 0, log2: UInt32 = 5
  ) throws {
    try host.plug(
      function: function, deviceID: DeviceID(device ?? function), vm: vm, log2Events: log2,
      vectorCount: 3)
  }

  /// vINTID 8192 + 100 × function + event, unless said.
  mutating func request(
    _ event: UInt32, function: UInt32 = 8, vm: UInt16 = 0, vINTID: UInt32? = nil, vPE: UInt16 = 1
  ) throws -> VLPIGrant {
    try host.request(
      VLPIRequest(
        vm: vm, function: function, eventID: EventID(event),
        vINTID: INTID(vINTID ?? 8192 + 100 * function + event), vPE: vPE,
        message: .init(address: Self.message, data: event)))
  }

  mutating func event(_ event: UInt32, function: UInt32 = 8) -> VLPIEventOutcome {
    host.event(function: function, EventID(event))
  }

  /// Names of the commands posted since the last call.
  mutating func posted() -> [ITSCommand.Opcode] { host.takeCommands().map(\.opcode) }
}

func refusal(_ reason: VLPIRequestCase) -> VLPIRefusal { VLPIRefusal(reason) }
