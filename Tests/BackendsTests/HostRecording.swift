import Backends
import EventModel
import TraceImport

/// One of the three recordings of the same load, from both of its files: the host's own view (ftrace), and
/// the emulator's (the devices, the ITS and the CPUs of the host's machine).
struct HostRecording {
  /// DeviceIDs of the assigned device, and of the ITS driver's proxy.
  static let device: UInt32 = 0x18
  static let proxy: UInt32 = 0xFFFF
  static let tableSize = 5
  static let peCount = 2

  let guest: GuestReader
  /// What the real stack did.
  private(set) var real = HostWork()
  /// vCPU loads, as the redistributors saw them.
  private(set) var loads: [GuestAction] = []
  private(set) var delivery = HostDelivery(proxyDevice: proxy)
  /// Commands and table stores of anything else: none in these recordings.
  private(set) var foreign = 0
  /// Host interrupts of the device that came while the guest had not yet acknowledged the one before for
  /// the same event: only these can have been merged after the host took them. Not all are, since KVM may
  /// hold a second one back while the guest is taking the first. Counted in the emulator's log alone, so on
  /// one clock.
  private(set) var overtaken = 0
  private var outstanding: Set<UInt32> = []
  /// What had been done when each bind of the guest's driver began: a bind maps the device in the ITS four
  /// times, and unmaps it as often.
  private(set) var beforeBind: [HostWork] = []

  init(log: String, trace: String) throws {
    guest = try GuestReader(HostTrace(path: trace).notes)
    for figure in HostWork.Figure.allCases { real[figure] = guest.counted[figure] }
    var input = try CaptureInput(path: log)
    var events: [TraceEvent] = []
    _ = try QEMULogImporter().run(source: &input) { batch in
      for index in batch.indices where batch[index].kind != .dma { events.append(batch[index]) }
    }
    var wasEnabled = false
    for event in events {
      delivery.apply(event)
      switch event.kind {
      case .itsCommand: command(event)
      case .msixTableWrite: real[.tableWrites] += 1
      case .msixControl:
        let isEnabled = event.word3 & 1 == 1
        if isEnabled && !wasEnabled { real[.msixEnables] += 1 }
        wasEnabled = isEnabled
      case .msi:
        real[.messages] += 1
        if event.target.isVPE { real[.virtualMessages] += 1 }
      case .acknowledge where event.target.isVPE: real[.acknowledged] += 1
      case .acknowledge:
        real[.doorbells] += 1
        if !outstanding.insert(event.intid).inserted { overtaken += 1 }
      case .mark where event.word0 == ImportMark.guestAcknowledge:
        real[.acknowledged] += 1
        // Both sides number the LPIs of event e as 8192 + e.
        outstanding.remove(event.intid)
      case .vcpuLoad:
        loads.append(.load(vCPU: Int(event.target.number), pe: Int(event.vector)))
      default: break
      }
    }
    // Without virtual entries the host's LPIs are the device's, not doorbells.
    if real[.virtualMessages] == 0 { real[.doorbells] = 0 }
  }

  private mutating func command(_ event: TraceEvent) {
    let isProxy = event.word0 >> 32 == UInt64(Self.proxy)
    let isDevice = event.word0 >> 32 == UInt64(Self.device)
    let figure: HostWork.Figure
    switch (event.word0 & 0xFF, isDevice, isProxy) {
    case (0x08, true, _): figure = .mapd
    case (0x0A, true, _): figure = .mapti
    case (0x0C, true, _): figure = .inv
    case (0x0F, true, _): figure = .discard
    case (0x2A, true, _): figure = .vmapti
    case (0x21, true, _): figure = .vmovi
    case (0x08, _, true): figure = .proxyMapd
    case (0x0A, _, true): figure = .proxyMapti
    case (0x01, _, true): figure = .proxyMovi
    case (0x0F, _, true): figure = .proxyDiscard
    case (0x0C, _, true): figure = .proxyInv
    case (0x04, _, true): figure = .proxyClear
    case (0x05, _, _): figure = .sync
    case (0x25, _, _): figure = .vsync
    case (0x09, _, _): figure = .mapc
    case (0x0D, _, _): figure = .invall
    case (0x29, _, _): figure = .vmapp
    case (0x22, _, _): figure = .vmovp
    case (0x2D, _, _): figure = .vinvall
    default:
      foreign += 1
      return
    }
    if figure == .mapd && real[.mapd] % 8 == 0 { beforeBind.append(real) }
    real[figure] += 1
  }
}
