import Backends
import EventModel

/// A guest's actions as the records of a trace, for the designs.
struct GuestEvents {
  private(set) var events: [TraceEvent] = []
  private static let device = HostRecording.device
  private static let table: UInt64 = 0x80_0000_2000
  private var collections: UInt64 = 0

  init(_ actions: [GuestAction]) {
    var stream = StreamConfiguration()
    stream.config = 4
    events.append(stream.event(time: 0, streamID: Self.device))
    for action in actions { add(action) }
  }

  private mutating func add(_ action: GuestAction) {
    switch action {
    case .tableStore(let entry, let word, let value):
      let offset = UInt32(entry * 16 + word * 4)
      events.append(
        .msixTableWrite(
          time: 0, streamID: Self.device, deviceID: Self.device, gpa: Self.table + UInt64(offset),
          offset: offset, value: UInt64(value)))
    case .messageControl(let isEnabled, let isMasked):
      events.append(
        .msixControl(
          time: 0, streamID: Self.device, deviceID: Self.device, enabled: isEnabled,
          masked: isMasked))
    case .commands(let commands):
      for command in commands { add(command) }
      events.append(TraceEvent(time: 0, kind: .itsRegisterWrite, word0: 0x88))
    case .invalidate(let event): command(0x0C, UInt64(event), 0)
    case .start, .end, .load, .block, .handler: break
    }
  }

  private mutating func add(_ action: GuestAction.Command) {
    switch action {
    case .mapDevice(let isValid): command(0x08, 4, (isValid ? 1 << 63 : 0) | 0x4259_0000)
    case .mapCollection:
      events.append(.itsCommand(time: 0, 0x09, 0, 1 << 63 | collections << 16 | collections))
      collections += 1
    case .invalidateAll: events.append(.itsCommand(time: 0, 0x0D, 0, collections - 1))
    case .map(let event): command(0x0A, UInt64(event) | UInt64(8192 + event) << 32, 0)
    case .discard(let event): command(0x0F, UInt64(event), 0)
    case .move(let event): command(0x01, UInt64(event), 1)
    }
  }

  private mutating func command(_ opcode: UInt64, _ dword1: UInt64, _ dword2: UInt64) {
    events.append(.itsCommand(time: 0, opcode | UInt64(Self.device) << 32, dword1, dword2))
  }
}
