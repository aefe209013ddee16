public import EventModel

/// KVM's virtual ITS as the injection path of a host sees it: objects in linear lists, the per-ITS
/// translation cache in front (arch/arm64/kvm/vgic/vgic-its.c, Linux 6.12).
///
/// A cached translation is one probe. A miss walks the device list to the device and its list to the
/// event, in the order in which the guest made them, and counts the steps; then it fills the cache. The
/// whole cache is flushed on DISCARD, MOVI, MAPC with V = 0, MAPD of a device that exists, MOVALL and
/// ITS disable; not on MAPTI, MAPC with V = 1, INV, INVALL, CLEAR, INT.
///
/// Collections are named by ICID; a recorded vPE stands as the collection 0x10000 | vPEID, so that the
/// guest of a recorded hypervisor is injected the same way.
///
/// One thread at a time. `inject` allocates only when a miss makes the cache grow.
@safe
@usableFromInline
package struct VirtualITS: ~Copyable {
  @usableFromInline package let pending: PendingTable
  @usableFromInline var cache = LPITranslationCache()
  @usableFromInline package var isEnabled = true
  /// Target of each LPI as its object holds it: `InterruptTarget` in 15:0, bit 31 set; 0 for none.
  @usableFromInline let targets: UnsafeMutablePointer<UInt32>
  private let targetPages: ZeroedPages

  private struct Event {
    var id: UInt32
    var intid: UInt32
    var collection: UInt32
    var isVirtual: Bool { collection & 0x1_0000 != 0 }
    /// Any target of the plane that the interrupt is in.
    var plane: InterruptTarget { isVirtual ? .vpe(0) : .pe(0) }
  }
  private struct Device {
    var id: UInt32
    var eventCount: UInt32
    var events: [Event] = []
  }
  /// In list order: KVM appends.
  private var devices: [Device] = []
  private var collections: [(id: UInt32, target: InterruptTarget)] = []
  private var disabledPEs: Set<UInt16> = []

  @usableFromInline package internal(set) var cacheHits: UInt64 = 0
  package private(set) var cacheMisses: UInt64 = 0
  package private(set) var cacheFlushes: UInt64 = 0
  package private(set) var listSteps: UInt64 = 0
  @usableFromInline package internal(set) var pendingBitsSet: UInt64 = 0
  package private(set) var commands: UInt64 = 0

  private let eventIDBits: UInt32
  private let deviceIDBits: UInt32
  private let collectionIDBits: UInt32
  /// All ITEs together; KVM has no such limit but the guest's memory.
  private var eventTotal = 0
  private static let eventLimit = 1 << 22

  @usableFromInline static var hasTarget: UInt32 { 1 << 31 }
  package static func collection(ofVPE vpe: UInt16) -> UInt32 { 0x1_0000 | UInt32(vpe) }

  package init(geometry: TableGeometry) {
    pending = PendingTable(intidBits: geometry.intidBits)
    targetPages = ZeroedPages(byteCount: Int(pending.count) * 2 * 4)
    unsafe targets = targetPages.table(of: UInt32.self)
    eventIDBits = UInt32(min(geometry.eventIDBits, 16))
    deviceIDBits = UInt32(min(geometry.deviceIDBits, 16))
    collectionIDBits = UInt32(min(geometry.collectionIDBits, 16))
  }

  /// Injects one message: cached translation first, else the lists.
  @inlinable
  package mutating func inject(deviceID: UInt32, eventID: UInt32) -> Outcome {
    if (deviceID | eventID) &>> 16 == 0 {
      // Bit 31 of what is cached tells the plane.
      let found = cache.find(deviceID &<< 16 | eventID)
      if found != 0 {
        cacheHits &+= 1
        return raise(found)
      }
    }
    return injectUncached(deviceID: deviceID, eventID: eventID)
  }

  /// `object`: INTID, and bit 31 for the plane of vPEs. Never 0: LPIs start at 8192.
  @inlinable
  mutating func raise(_ object: UInt32) -> Outcome {
    let intid = object & 0x7FFF_FFFF
    let isVPE = object &>> 31 == 1
    // Safety: objects are made with INTIDs below `pending.count`.
    let word = unsafe targets[Int(intid) &+ (isVPE ? Int(pending.count) : 0)]
    guard word & Self.hasTarget != 0 else { return Outcome(outcome: .unmappedCollection) }
    let target = InterruptTarget(rawValue: UInt16(truncatingIfNeeded: word))
    let outcome = pending.raise(intid, target)
    if outcome != .coalesced { pendingBitsSet &+= 1 }
    return Outcome(intid: intid, target: target, outcome: outcome)
  }

  /// The slow path: its_lock, list walks.
  @inline(never)
  @usableFromInline
  package mutating func injectUncached(deviceID: UInt32, eventID: UInt32) -> Outcome {
    cacheMisses += 1
    guard isEnabled else { return Outcome(outcome: .itsDisabled) }
    guard deviceID >> deviceIDBits == 0 else { return Outcome(outcome: .deviceIDOutOfRange) }
    guard let device = device(deviceID) else { return Outcome(outcome: .unmappedDevice) }
    guard let event = event(eventID, in: device) else {
      return Outcome(
        outcome: eventID < devices[device].eventCount ? .unmappedEvent : .eventIDOutOfRange)
    }
    let ite = devices[device].events[event]
    guard let target = collection(ite.collection) else {
      return Outcome(outcome: ite.isVirtual ? .unmappedVPE : .unmappedCollection)
    }
    guard !disabledPEs.contains(target.rawValue) else { return Outcome(outcome: .lpisDisabled) }
    let object = ite.intid | (target.isVPE ? 1 << 31 : 0)
    setTarget(ite.intid, target)
    cache.insert(deviceID << 16 | eventID, intid: object)
    return raise(object)
  }

  private func setTarget(_ intid: UInt32, _ target: InterruptTarget) {
    // Safety: events are made with INTIDs below `pending.count`.
    unsafe targets[pending.slot(intid, target)] = Self.hasTarget | UInt32(target.rawValue)
  }

  // Lists. Each comparison is a step.

  private mutating func device(_ id: UInt32) -> Int? {
    for (index, device) in devices.enumerated() {
      listSteps += 1
      if device.id == id { return index }
    }
    return nil
  }

  private mutating func event(_ id: UInt32, in device: Int) -> Int? {
    for (index, event) in devices[device].events.enumerated() {
      listSteps += 1
      if event.id == id { return index }
    }
    return nil
  }

  private mutating func collection(_ id: UInt32) -> InterruptTarget? {
    for collection in collections {
      listSteps += 1
      if collection.id == id { return collection.target }
    }
    return nil
  }

  private mutating func flush() {
    cache.flush()
    cacheFlushes += 1
  }

  // Commands of the guest, decoded by the caller.

  package mutating func mapDevice(_ id: UInt32, log2Events: UInt32, isValid: Bool) {
    commands += 1
    guard id >> deviceIDBits == 0, !isValid || log2Events <= eventIDBits else { return }
    if let index = device(id) {
      eventTotal -= devices[index].events.count
      devices.remove(at: index)
      flush()
    }
    if isValid { devices.append(Device(id: id, eventCount: 1 << log2Events)) }
  }

  /// MAPC with V = 1 retargets every LPI of the collection and flushes nothing.
  package mutating func mapCollection(_ id: UInt32, target: InterruptTarget, isValid: Bool) {
    commands += 1
    guard id & 0x1_0000 != 0 || id >> collectionIDBits == 0 else { return }
    let index = collections.firstIndex { $0.id == id }
    listSteps += UInt64(index.map { $0 + 1 } ?? collections.count)
    if !isValid {
      if let index { collections.remove(at: index) }
      retarget(collection: id, target, isMapped: false)
      flush()
      return
    }
    if let index { collections[index].target = target } else { collections.append((id, target)) }
    retarget(collection: id, target, isMapped: true)
    // A cached translation would not ask whether the new target takes LPIs.
    if disabledPEs.contains(target.rawValue) { flush() }
  }

  private mutating func retarget(collection: UInt32, _ target: InterruptTarget, isMapped: Bool) {
    for device in devices {
      for event in device.events where event.collection == collection {
        listSteps += 1
        if isMapped {
          setTarget(event.intid, target)
        } else {
          // Safety: as `setTarget`.
          unsafe targets[pending.slot(event.intid, target)] = 0
        }
      }
    }
  }

  /// KVM ignores a MAPTI on a live mapping; a trace's guest issues none that matters, and the reference
  /// that designs are compared with overwrites, so this one does too. No flush.
  package mutating func mapEvent(
    _ deviceID: UInt32, _ id: UInt32, intid: UInt32, collection: UInt32
  ) {
    commands += 1
    guard let device = device(deviceID), id < devices[device].eventCount,
      intid >= INTID.firstLPI.rawValue, intid < pending.count,
      collection & 0x1_0000 != 0 || collection >> collectionIDBits == 0
    else { return }
    let ite = Event(id: id, intid: intid, collection: collection)
    if let index = event(id, in: device) {
      // The old mapping may be cached.
      flush()
      devices[device].events[index] = ite
    } else {
      guard eventTotal < Self.eventLimit else { return }
      eventTotal += 1
      devices[device].events.append(ite)
    }
    if let target = self.collection(collection) {
      setTarget(intid, target)
    }
  }

  /// The place of a mapped event whose collection is mapped; without one, commands about the event
  /// fail.
  private mutating func targeted(_ deviceID: UInt32, _ id: UInt32) -> (device: Int, event: Int)? {
    guard let device = device(deviceID), let index = event(id, in: device),
      collection(devices[device].events[index].collection) != nil
    else { return nil }
    return (device, index)
  }

  package mutating func moveEvent(_ deviceID: UInt32, _ id: UInt32, collection: UInt32) {
    commands += 1
    guard let (device, index) = targeted(deviceID, id), let target = self.collection(collection),
      devices[device].events[index].isVirtual == target.isVPE
    else { return }
    devices[device].events[index].collection = collection
    setTarget(devices[device].events[index].intid, target)
    flush()
  }

  package mutating func discard(_ deviceID: UInt32, _ id: UInt32) {
    commands += 1
    guard let (device, index) = targeted(deviceID, id) else { return }
    let event = devices[device].events.remove(at: index)
    pending.clear(event.intid, event.plane)
    eventTotal -= 1
    flush()
  }

  /// CLEAR and INV: no flush.
  package mutating func clear(_ deviceID: UInt32, _ id: UInt32) {
    commands += 1
    guard let (device, index) = targeted(deviceID, id) else { return }
    let event = devices[device].events[index]
    pending.clear(event.intid, event.plane)
  }

  package mutating func invalidate(_ deviceID: UInt32, _ id: UInt32) {
    commands += 1
    guard let (device, index) = targeted(deviceID, id) else { return }
    let event = devices[device].events[index]
    pending.refresh(event.intid, event.plane)
  }

  package mutating func invalidateAll() {
    commands += 1
    pending.refreshConfigurations()
  }

  package mutating func moveAll() {
    commands += 1
    flush()
  }

  package mutating func setEnabled(_ enabled: Bool) {
    if isEnabled && !enabled { flush() }
    isEnabled = enabled
  }

  package mutating func setLPIs(enabled: Bool, pe: UInt16) {
    if enabled {
      disabledPEs.remove(pe)
    } else {
      disabledPEs.insert(pe)
      flush()
    }
  }

  package func addCounters(to work: inout WorkCounters) {
    work.translationCacheHits += cacheHits
    work.translationCacheMisses += cacheMisses
    work.translationCacheFlushes += cacheFlushes
    work.listSteps += listSteps
    work.pendingBitsSet += pendingBitsSet
  }
}
