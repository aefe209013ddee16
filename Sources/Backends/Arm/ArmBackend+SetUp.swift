import EventModel
import Replay
import TranslationCore

// Set-up: the guest's commands, registers and streams, and what the host does about them.

extension ArmBackend where Host: ~Copyable {
  mutating func configure(_ event: TraceEvent) {
    switch event.kind {
    case .itsCommand: command(GuestCommand(event))
    case .msixTableWrite:
      if Choice.isTrapped { tableWrite(event) }
    case .streamConfiguration: configureStream(event)
    case .itsRegisterWrite: registerWrite(event)
    case .redistributorWrite: redistributorWrite(event)
    case .lpiConfiguration:
      let byte = UInt8(truncatingIfNeeded: event.word1)
      its.store(configuration: byte, event.intid, event.target)
      virtualITS.pending.store(configuration: byte, event.intid, event.target)
    case .vcpuLoad: setResident(event.target, true, wantsDoorbell: false)
    case .vcpuPut: setResident(event.target, false, wantsDoorbell: false)
    case .vcpuBlock: setResident(event.target, false, wantsDoorbell: true)
    case .vcpuMigrate:
      // One VMOVP, with its VSYNC, per ITS (Linux, its_vpe_set_affinity), whatever the number of vLPIs.
      if Choice.isVLPI { post(UInt64(HostLayout.itsCount)) }
    default: break
    }
  }

  /// GICR_VPENDBASER. Without virtual entries no vPE exists.
  private mutating func setResident(
    _ target: InterruptTarget, _ isResident: Bool, wantsDoorbell: Bool
  ) {
    guard Choice.isVLPI else { return }
    its.setResident(target.rawValue, isResident, wantsDoorbell: wantsDoorbell)
    work.residencyWrites += 1
  }

  private mutating func configureStream(_ event: TraceEvent) {
    smmu.configureStream(event)
    guard Choice.isTrapped else { return }
    doorbells.configure(event)
    let configuration = StreamConfiguration(event)
    guard configuration.config & 1 == 1 else { return }
    // The reserved region: the guest's kernel maps the window onto itself (IORT RMR).
    let log2 = configuration.granule.log2Bytes
    let page = HostLayout.windowPage & ~((1 << UInt64(log2)) - 1)
    smmu.map(
      .map(
        time: event.time, streamID: event.streamID, asid: configuration.asid,
        vmid: configuration.vmid, iova: page, outputAddress: page, log2SizeBytes: log2, level: 3,
        granule: configuration.granule, descriptor: HostLayout.windowDescriptor))
  }

  /// GITS_CTLR, and the CWRITER store that is the trap of a batch of commands.
  private mutating func registerWrite(_ event: TraceEvent) {
    switch event.registerOffset {
    case 0x0:
      let isEnabled = event.value & 1 == 1
      guest.isEnabled = isEnabled
      its.isEnabled = isEnabled || !Choice.isVLPI
      virtualITS.setEnabled(isEnabled)
    case 0x88: work.commandTraps += 1
    default: break
    }
  }

  /// GICR_CTLR.EnableLPIs.
  private mutating func redistributorWrite(_ event: TraceEvent) {
    guard event.registerOffset == 0, !event.target.isVPE else { return }
    let isEnabled = event.value & 1 == 1
    guest.setLPIs(enabled: isEnabled, pe: event.target.number)
    virtualITS.setLPIs(enabled: isEnabled, pe: event.target.number)
    if Choice.isVLPI { its.mapVPE(event.target.rawValue, isValid: isEnabled) }
  }

  private mutating func command(_ command: GuestCommand) {
    if !Choice.isVLPI { inform(command) }
    switch command {
    case .mapDevice(let device, let log2Events, let isValid):
      withdraw(device: device)
      guest.mapDevice(device, eventCount: isValid ? 1 << min(log2Events, 31) : nil)
      if !Choice.isTrapped {
        its.mapDevice(device, log2Events: log2Events, isValid: isValid)
        post(1)
      }
    case .mapCollection(let collection, let target, let isValid):
      guest.mapCollection(collection, isValid ? target : nil)
      guard Choice.isVLPI else { break }
      // A vPE exists as long as the guest's vCPU does; a recorded VMAPP may take its own away.
      if isValid {
        its.mapVPE(target.rawValue, isValid: guest.lpisAreEnabled(target))
        post(1)
      } else if target.isVPE {
        its.mapVPE(target.rawValue, isValid: false)
        post(1)
      }
      for (device, event) in guest.events(ofCollection: collection) { retarget(device, event) }
    case .map(let device, let event, let intid, let collection):
      map(device, event, .init(intid: intid, collection: collection))
    case .move(let device, let event, let collection):
      guard guest.collections[collection] != nil, guest.mapping(device, event) != nil else { break }
      guest.move(device, event, collection: collection)
      if Choice.isVLPI { retarget(device, event) }
    case .discard(let device, let event):
      guard guest.mapping(device, event) != nil else { break }
      withdraw(device, event)
      guest.discard(device, event)
    case .clear(let device, let event):
      each(device, event) { backend, hostEvent in
        backend.its.clear(device, hostEvent)
        backend.post(1)
      }
    case .interrupt(let device, let event):
      if Choice.isVLPI {
        each(device, event) { backend, hostEvent in
          backend.its.interrupt(device, hostEvent)
          backend.post(1)
        }
      } else {
        _ = virtualITS.inject(deviceID: device, eventID: event)
      }
    case .invalidate(let device, let event):
      each(device, event) { backend, hostEvent in
        backend.its.invalidate(device, hostEvent)
        backend.post(1)
      }
    case .invalidateAll:
      if Choice.isVLPI {
        its.refreshConfigurations()
        post(1)
      }
    case .moveAll, .none: break
    }
  }

  /// Counts host commands, each followed by its SYNC or VSYNC, as Linux posts them.
  mutating func post(_ commands: UInt64) {
    if Host.hasCommandQueue { work.itsCommands += commands * 2 }
  }

  /// Host entries that carry a guest's event: its own EventID, or the vectors forwarded to it.
  private mutating func each(
    _ device: UInt32, _ event: UInt32, _ body: (inout ArmBackend<Choice, Host>, UInt32) -> Void
  ) {
    guard Choice.isVLPI else { return }
    if Choice.isTrapped {
      for place in vectors.forwarded(device, toEvent: event) {
        body(&self, vectors.hostEvent(device, place))
      }
    } else if guest.mapping(device, event) != nil {
      body(&self, event)
    }
  }

  /// The vPE for a mapping; `noVPE` when the guest's collection leads nowhere.
  func vpe(_ mapping: GuestIntent.Mapping) -> UInt16 {
    guest.collections[mapping.collection]?.rawValue ?? HostLayout.noVPE
  }

  /// VMOVI of every host entry of the event.
  private mutating func retarget(_ device: UInt32, _ event: UInt32) {
    guard let mapping = guest.mapping(device, event) else { return }
    let vpe = vpe(mapping)
    each(device, event) { backend, hostEvent in
      backend.its.moveVirtualEvent(device, hostEvent, vpe: vpe, doorbell: nil)
      backend.post(1)
    }
  }

  private mutating func map(_ device: UInt32, _ event: UInt32, _ mapping: GuestIntent.Mapping) {
    guard let count = guest.deviceEvents[device], event < count,
      mapping.intid >= INTID.firstLPI.rawValue, mapping.intid < its.intidEnd
    else { return }
    if guest.mapping(device, event) != nil, Choice.isTrapped { withdraw(device, event) }
    guest.map(device, event, mapping)
    guard !Choice.isTrapped else { return }
    if Choice.isVLPI {
      its.mapVirtualEvent(
        device, event, vpe: vpe(mapping), intid: mapping.intid,
        doorbell: INTID.spurious.rawValue)
      post(1)
    } else {
      guard let intid = allocateHostINTID() else { return }
      its.mapEvent(device, event, intid: intid, icid: HostLayout.collection)
      post(1)
      routes[intid - INTID.firstLPI.rawValue] = RouteTable.Route(
        deviceID: device, eventID: event, isResolved: true)
    }
  }

  /// DISCARD: the host's entry goes, or (trapped) becomes the host's own interrupt again.
  private mutating func withdraw(_ device: UInt32, _ event: UInt32) {
    if Choice.isTrapped {
      for place in vectors.forwarded(device, toEvent: event) { unforward(device, place) }
    } else {
      its.discard(device, event)
      post(1)
    }
  }

  /// MAPD over or of a live device: all its events go.
  private mutating func withdraw(device: UInt32) {
    guard Choice.isTrapped else { return }
    for place in vectors.forwarded(device, toEvent: nil) { unforward(device, place) }
  }

  /// Host LPIs, from 8192 up; none is given twice.
  mutating func allocateHostINTID() -> UInt32? {
    guard nextHostINTID < hostINTIDEnd else { return nil }
    defer { nextHostINTID += 1 }
    return nextHostINTID
  }

  /// The guest's commands to the virtual ITS that software injection asks.
  private mutating func inform(_ command: GuestCommand) {
    switch command {
    case .mapDevice(let device, let log2Events, let isValid):
      virtualITS.mapDevice(device, log2Events: log2Events, isValid: isValid)
    case .mapCollection(let collection, let target, let isValid):
      virtualITS.mapCollection(collection, target: target, isValid: isValid)
    case .map(let device, let event, let intid, let collection):
      virtualITS.mapEvent(device, event, intid: intid, collection: collection)
    case .move(let device, let event, let collection):
      virtualITS.moveEvent(device, event, collection: collection)
    case .discard(let device, let event): virtualITS.discard(device, event)
    case .clear(let device, let event): virtualITS.clear(device, event)
    case .invalidate(let device, let event): virtualITS.invalidate(device, event)
    case .invalidateAll: virtualITS.invalidateAll()
    case .moveAll: virtualITS.moveAll()
    case .interrupt, .none: break
    }
  }
}
