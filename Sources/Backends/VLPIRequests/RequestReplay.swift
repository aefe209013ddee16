package import EventModel
import TranslationCore

/// The guest's intents of a trace as requests for vLPIs: which case each of them meets at a host of a
/// given size.
///
/// The rule: a valid MAPD plugs the device (for a live one, after unplugging it), with the guest's own
/// Size; MAPTI, MOVI and a moved collection request, DISCARD releases; a MAPC brings its PE as a vPE. The message is what a virtual ITS knows when the MAPTI reaches it: the EventID, to its own
/// doorbell; the guest's store to the MSI-X table comes later. An MSI is an event. One guest has it all.
///
/// A recorded hypervisor's virtual mappings (VMAPTI, …) are what it does for its own guest and no
/// request to its host: they, and the MSIs that follow them, are left out.
///
/// Not on the way of an event: O(1) a command, but for a moved collection, which is O(all mappings).
package struct RequestReplay: ~Copyable {
  private var host: VLPIAllocatorCore
  private var queue = CountedCommands()
  private var guest = GuestIntent()
  private let limits: GuestLimits
  private let doorbell: UInt64
  private var grants: [Name: VLPIGrant] = [:]
  private var plugged: Set<UInt32> = []
  private var vPEs: Set<UInt16> = []

  private struct Name: Hashable {
    var device: UInt32
    var number: UInt32
  }

  /// Counts what it is given, and does nothing else: no table is behind it.
  private struct CountedCommands: HostCommandQueue {
    mutating func post(_ command: HostCommand) {}
  }

  /// - Parameter host: its numbers of DeviceIDs and EventIDs are made those of the trace.
  package init(geometry: TableGeometry, host: VLPIHost) {
    var host = host
    host.deviceIDBits = UInt32(min(max(geometry.deviceIDBits, 1), 20))
    host.eventIDBits = UInt32(min(max(geometry.eventIDBits, 1), 20))
    host.vINTIDBits = UInt32(min(max(geometry.intidBits, 14), 24))
    host.functionCount = 1 << host.deviceIDBits
    self.host = VLPIAllocatorCore(host)
    limits = GuestLimits(geometry)
    doorbell = geometry.doorbell
  }

  package var cases: VLPIRequestCases { host.cases }
  /// Commands of the host, each SYNC and VSYNC included.
  package var commandCount: UInt64 { host.commandCount }

  package mutating func apply(_ event: TraceEvent) {
    switch event.kind {
    case .itsCommand: if limits.accept(event) { command(GuestCommand(event)) }
    case .msi:
      guard guest.mapping(event.deviceID, event.data)?.isVirtual != true else { break }
      _ = host.event(function: event.deviceID, EventID(event.data))
    default: break
    }
  }

  private mutating func command(_ command: GuestCommand) {
    switch command {
    case .mapDevice(let device, let log2Events, let isValid):
      unplug(device)
      guest.mapDevice(device, eventCount: isValid ? 1 << min(log2Events, 31) : nil)
      if isValid { plug(device, log2Events) }
    case .mapCollection(let collection, let target, let isValid):
      guest.mapCollection(collection, isValid ? target : nil)
      if isValid, !target.isVPE {
        // A target that is there already is no request.
        if vPEs.insert(target.rawValue).inserted { try? host.addVPE(target.rawValue, vm: 0) }
        for (device, event) in guest.events(ofCollection: collection) { request(device, event) }
      }
    case .map(let device, let event, let intid, let collection):
      guard guest.hasEvent(device, event) else { break }
      let new = GuestIntent.Mapping(intid: intid, collection: collection)
      if let old = guest.mapping(device, event), old.intid != intid || new.isVirtual {
        release(device, event)
      }
      if guest.map(device, event, new) {
        request(device, event)
      }
    case .move(let device, let event, let collection):
      guard let mapping = guest.targeted(device, event), guest.collections[collection] != nil,
        mapping.isVirtual == GuestIntent.isVPE(collection)
      else { break }
      guest.move(device, event, collection: collection)
      request(device, event)
    case .discard(let device, let event):
      guard guest.targeted(device, event) != nil else { break }
      release(device, event)
      guest.discard(device, event)
    case .clear, .interrupt, .invalidate, .invalidateAll, .moveAll, .none: break
    }
  }

  // Refusals are counted by the host; the guest's commands have no answer that could carry them.

  private mutating func plug(_ device: UInt32, _ log2Events: UInt32) {
    let vectors: UInt32 = 1 << min(log2Events, 11)
    do throws(VLPIRefusal) {
      try host.plug(
        function: device, deviceID: DeviceID(device), vm: 0, log2Events: log2Events,
        vectorCount: vectors, commands: &queue)
      plugged.insert(device)
    } catch {}
  }

  private mutating func unplug(_ device: UInt32) {
    guard plugged.remove(device) != nil else { return }
    for event in guest.events(ofDevice: device) {
      grants[Name(device: device, number: event)] = nil
    }
    try? host.beginUnplug(function: device, commands: &queue)
    try? host.finishUnplug(function: device, commands: &queue)
  }

  private mutating func request(_ device: UInt32, _ event: UInt32) {
    guard case .interrupt(let intid, let target) = guest.resolve(device, event), !target.isVPE
    else { return }
    let name = Name(device: device, number: event)
    let request = VLPIRequest(
      vm: 0, function: device, eventID: EventID(event), vINTID: INTID(intid),
      vPE: target.rawValue, message: .init(address: doorbell, data: event))
    if let grant = try? host.request(request, commands: &queue) { grants[name] = grant }
  }

  private mutating func release(_ device: UInt32, _ event: UInt32) {
    guard let grant = grants.removeValue(forKey: Name(device: device, number: event)) else {
      return
    }
    try? host.release(grant, commands: &queue)
  }
}
