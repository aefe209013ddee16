import EventModel
import Replay
import TranslationCore

// Set-up: the guest's commands, registers and streams, and what the host does about them.

extension ArmBackend where Host: ~Copyable {
  mutating func configure(_ event: TraceEvent) {
    switch event.kind {
    case .itsCommand:
      countRun(event)
      if limits.accept(event) { command(GuestCommand(event)) }
      return
    case .msixTableWrite:
      if Choice.isTrapped { tableWrite(event) }
    case .msixControl: work.configurationTraps += 1
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
    isInRun = false
  }

  /// A trace that holds no stores to GITS_CWRITER shows a batch of commands by its end: a SYNC, a
  /// VSYNC, or something else that the guest did.
  private mutating func countRun(_ event: TraceEvent) {
    guard !hasQueueStores else { return }
    if !isInRun { work.commandTraps += 1 }
    isInRun = event.word0 & 0xFF != 0x05 && event.word0 & 0xFF != 0x25
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
    case 0x88:
      hasQueueStores = true
      work.commandTraps += 1
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
      mapCollection(collection, isValid ? target : nil)
    case .map(let device, let event, let intid, let collection):
      map(device, event, .init(intid: intid, collection: collection))
    case .move(let device, let event, let collection):
      guard let mapping = guest.targeted(device, event), guest.collections[collection] != nil,
        mapping.isVirtual == GuestIntent.isVPE(collection)
      else { break }
      guest.move(device, event, collection: collection)
      if Choice.isVLPI { retarget(device, event) }
    case .discard(let device, let event):
      guard let mapping = guest.targeted(device, event) else { break }
      withdraw(device, event)
      guest.discard(device, event)
      if Choice.isVLPI { its.acknowledge(mapping.intid, mapping.plane) }
    case .clear(let device, let event):
      guard Choice.isVLPI, let mapping = guest.targeted(device, event) else { break }
      each(device, event) { backend, _ in backend.post(1) }
      its.acknowledge(mapping.intid, mapping.plane)
    case .interrupt(let device, let event): interrupt(device, event)
    case .invalidate(let device, let event):
      guard Choice.isVLPI, let mapping = guest.targeted(device, event) else { break }
      each(device, event) { backend, _ in backend.post(1) }
      its.refresh(mapping.intid, mapping.plane)
    case .invalidateAll:
      if Choice.isVLPI {
        its.refreshConfigurations()
        post(1)
      }
    case .moveAll, .none: break
    }
  }

  private mutating func mapCollection(_ collection: UInt32, _ target: InterruptTarget?) {
    let old = guest.collections[collection]
    guest.mapCollection(collection, target)
    guard Choice.isVLPI else { return }
    // A vPE exists as long as the guest's vCPU does; a recorded VMAPP may take its own away.
    if let target {
      its.mapVPE(target.rawValue, isValid: guest.lpisAreEnabled(target))
      post(1)
    } else if let old, old.isVPE {
      its.mapVPE(old.rawValue, isValid: false)
      post(1)
    }
    guard old != target else { return }
    for (device, event) in guest.events(ofCollection: collection) { retarget(device, event) }
  }

  /// INT: by command of the host where its entry is the guest's interrupt, else by software.
  private mutating func interrupt(_ device: UInt32, _ event: UInt32) {
    guard Choice.isVLPI else {
      _ = virtualITS.inject(deviceID: device, eventID: event)
      return
    }
    guard case .interrupt(let intid, let target) = guest.resolve(device, event) else { return }
    each(device, event) { backend, _ in backend.post(1) }
    its.raise(intid, target)
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
    guard guest.hasEvent(device, event) else { return }
    if guest.mapping(device, event) != nil { withdraw(device, event) }
    guard guest.map(device, event, mapping), !Choice.isTrapped else { return }
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

  /// The guest's mapping goes: so does the host's entry, or (trapped) it becomes the host's own
  /// interrupt again. Pending bits stay.
  private mutating func withdraw(_ device: UInt32, _ event: UInt32) {
    if Choice.isTrapped {
      for place in vectors.forwarded(device, toEvent: event) { unforward(device, place) }
    } else {
      releaseHostINTID(device, event)
      its.remove(device, event)
      post(1)
    }
  }

  /// MAPD over or of a live device: all its events go, without a command of their own where the
  /// host's device goes with the guest's.
  private mutating func withdraw(device: UInt32) {
    if Choice.isTrapped {
      for place in vectors.forwarded(device, toEvent: nil) { unforward(device, place) }
    } else {
      for event in guest.events(ofDevice: device) { releaseHostINTID(device, event) }
    }
  }

  /// Host LPIs: those given back, then from 8192 up.
  mutating func allocateHostINTID() -> UInt32? {
    if let free = freeHostINTIDs.popLast() { return free }
    guard nextHostINTID < hostINTIDEnd else { return nil }
    defer { nextHostINTID += 1 }
    return nextHostINTID
  }

  private mutating func releaseHostINTID(_ device: UInt32, _ event: UInt32) {
    guard !Choice.isVLPI, let entry = its.mapping(device, event), !entry.isVirtual else { return }
    freeHostINTIDs.append(entry.intid)
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
