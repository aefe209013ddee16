package import EventModel

/// The three caches of an ITS with a size, `ITSCacheShapes`: which MSI hits where.
///
/// They never decide where an interrupt goes; the tables do, and what a cache says is compared with
/// them (`staleHits` must stay 0). `ITS.walkThroughCaches` asks them, in our order, since no source
/// tells a GIC-600's: the event cache; when it misses, the device cache for the ITT; then, for a
/// physical interrupt, the collection cache. Each step that misses reads its table and keeps what it
/// found if that is valid. Commands do not look anything up; INT is one.
package struct TranslationCaches: Sendable {
  package let invalidation: CacheInvalidation
  package internal(set) var device: SetAssociativeCache<ITS.DeviceTableEntry>?
  package internal(set) var event: SetAssociativeCache<ITS.InterruptTranslationEntry>?
  package internal(set) var collection: SetAssociativeCache<UInt16>?
  /// Lines dropped one by one.
  package private(set) var invalidations: UInt64 = 0
  /// Times that all three were emptied.
  package private(set) var flushes: UInt64 = 0
  /// Answers that the tables did not confirm.
  package internal(set) var staleHits: UInt64 = 0

  private var mappedDevices: Set<UInt32> = []

  package init(_ shapes: ITSCacheShapes, _ invalidation: CacheInvalidation) {
    self.invalidation = invalidation
    device = shapes.device.map { SetAssociativeCache($0) }
    event = shapes.event.map { SetAssociativeCache($0) }
    collection = shapes.collection.map { SetAssociativeCache($0) }
  }

  package var areOn: Bool { device != nil || event != nil || collection != nil }

  static func key(_ device: DeviceID, _ event: EventID) -> UInt64 {
    UInt64(device.rawValue) << 32 | UInt64(event.rawValue)
  }

  /// A command that had its effect.
  mutating func executed(_ command: ITSCommand) {
    if invalidation == .wholeCache && isFlushedByKVM(command) {
      flush()
    } else {
      drop(for: command)
    }
    guard case .mapd(let device, _, _, let valid) = command else { return }
    if valid {
      mappedDevices.insert(device.rawValue)
    } else {
      mappedDevices.remove(device.rawValue)
    }
  }

  mutating func itsDisabled() { flush() }
  mutating func lpisDisabled() { if invalidation == .wholeCache { flush() } }

  private func isFlushedByKVM(_ command: ITSCommand) -> Bool {
    switch command {
    case .discard, .movi, .mapc(_, _, valid: false): true
    case .movall(let from, let to): from != to
    case .mapd(let device, _, _, _): mappedDevices.contains(device.rawValue)
    default: false
    }
  }

  /// What the command changes. Moving a vPE or pending bits changes nothing that is cached.
  private mutating func drop(for command: ITSCommand) {
    switch command {
    case .discard(let device, let event), .mapti(let device, let event, _, _),
      .mapi(let device, let event, _), .movi(let device, let event, _),
      .vmapti(let device, let event, _, _, _), .vmapi(let device, let event, _, _),
      .vmovi(let device, let event, _, _, _):
      let key = Self.key(device, event)
      invalidations += self.event?.remove { $0 == key } ?? 0
    case .mapd(let device, _, _, _):
      let id = UInt64(device.rawValue)
      invalidations += self.device?.remove { $0 == id } ?? 0
      invalidations += self.event?.remove { $0 >> 32 == id } ?? 0
    case .mapc(let icid, _, _):
      invalidations += collection?.remove { $0 == UInt64(icid) } ?? 0
    default: break
    }
  }

  private mutating func flush() {
    device?.flush()
    event?.flush()
    collection?.flush()
    flushes += 1
  }

  package func addCounters(to work: inout WorkCounters) {
    guard areOn else { return }
    work.itsDeviceCacheHits += device?.hits ?? 0
    work.itsDeviceCacheMisses += device?.misses ?? 0
    work.itsEventCacheHits += event?.hits ?? 0
    work.itsEventCacheMisses += event?.misses ?? 0
    work.itsCollectionCacheHits += collection?.hits ?? 0
    work.itsCollectionCacheMisses += collection?.misses ?? 0
    work.itsCacheInvalidations += invalidations
    work.itsCacheFlushes += flushes
  }
}

extension ITS {
  /// The walk of `trigger` with the caches in front, reading only the tables that they leave over.
  /// Where MSI and tables part, so does this walk: the same condition is thrown.
  mutating func walkThroughCaches(_ id: DeviceID, _ event: EventID) throws(Condition) {
    guard registers.enabled else { throw .itsDisabled }
    guard UInt64(id.rawValue) < deviceIDLimit else { throw .deviceIDOutOfRange }
    let entry = try cachedEntry(id, event)
    guard entry.isPhysical else {
      _ = try vPE(entry.vPEID)
      return
    }
    let icid = UInt64(entry.icid)
    if let processor = caches.collection?.lookUp(icid) {
      confirm(processor) { its throws(Condition) in try its.target(ofCollection: entry.icid) }
    } else {
      let processor = try target(ofCollection: entry.icid)
      caches.collection?.fill(icid, processor)
    }
  }

  private mutating func cachedEntry(
    _ id: DeviceID, _ event: EventID
  ) throws(Condition) -> InterruptTranslationEntry {
    let key = TranslationCaches.key(id, event)
    if let entry = caches.event?.lookUp(key) {
      confirm(entry) { its throws(Condition) in try its.mappedEntry(id, event).entry }
      return entry
    }
    let entry = try self.entry(event, of: cachedDevice(id))
    guard entry.valid else { throw .unmappedInterrupt }
    caches.event?.fill(key, entry)
    return entry
  }

  private mutating func cachedDevice(_ id: DeviceID) throws(Condition) -> DeviceTableEntry {
    let key = UInt64(id.rawValue)
    if let device = caches.device?.lookUp(key) {
      confirm(device) { its throws(Condition) in try its.device(id) }
      return device
    }
    let device = try self.device(id)
    caches.device?.fill(key, device)
    return device
  }

  /// Compares a cache's answer with the tables, in a copy whose reads do not count.
  private mutating func confirm<Answer: Equatable>(
    _ answer: Answer, _ read: (inout ITS) throws(Condition) -> Answer
  ) {
    var copy = self
    if (try? read(&copy)) != answer { caches.staleHits += 1 }
  }
}
