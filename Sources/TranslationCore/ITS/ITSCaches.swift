package import EventModel

/// The three caches of an ITS with a size, as the reference model's `TranslationCaches`, in front of
/// an `ITSCore`.
///
///     var caches = ITSCaches(.gic600, .targeted)
///     core.execute(dw0, dw1, dw2, dw3, through: &caches)
///     core.translate(deviceID: 8, eventID: 0, through: &caches)
///     core.addCounters(to: &work)
///     caches.addCounters(to: &work)      // after the core's: takes off the reads that were saved
///
/// Whoever uses them sends everything through them: commands that did not pass here leave stale lines.
/// Whoever does not pays nothing; they are a value beside the core.
package struct ITSCaches: ~Copyable {
  struct Event: BitwiseCopyable {
    var entry: ITSEntry
    var doorbell: UInt32
  }

  let invalidation: CacheInvalidation
  var device: CacheSets<ITSDevice>
  var event: CacheSets<Event>
  /// By ICID: the processor.
  var collection: CacheSets<UInt16>
  private var invalidations: UInt64 = 0
  private var flushes: UInt64 = 0
  private let areOn: Bool

  package init(_ shapes: ITSCacheShapes, _ invalidation: CacheInvalidation) {
    self.invalidation = invalidation
    device = CacheSets(shapes.device)
    event = CacheSets(shapes.event)
    collection = CacheSets(shapes.collection)
    areOn = shapes != .none
  }

  static func key(_ device: UInt32, _ event: UInt32) -> UInt64 {
    UInt64(device) << 32 | UInt64(event)
  }

  package mutating func itsDisabled() { flush() }
  package mutating func lpisDisabled() { if invalidation == .wholeCache { flush() } }

  private mutating func flush() {
    device.flush()
    event.flush()
    collection.flush()
    flushes += 1
  }

  /// A command that had its effect.
  /// - Parameter wasMapped: for MAPD, whether the device was mapped before.
  mutating func executed(_ opcode: ITSCommandOpcode, _ c: ITSCommandWords, wasMapped: Bool) {
    guard invalidation == .targeted || !isFlushedByKVM(opcode, c, wasMapped) else {
      return flush()
    }
    switch opcode {
    case .discard, .mapti, .mapi, .movi, .vmapti, .vmapi, .vmovi:
      invalidations += event.remove(Self.key(c.device, c.event))
    case .mapd:
      invalidations += device.remove(UInt64(c.device))
      invalidations += event.remove { $0 >> 32 == UInt64(c.device) }
    case .mapc: invalidations += collection.remove(UInt64(c.icid))
    default: break
    }
  }

  private func isFlushedByKVM(
    _ opcode: ITSCommandOpcode, _ c: ITSCommandWords, _ wasMapped: Bool
  ) -> Bool {
    switch opcode {
    case .discard, .movi: true
    case .mapc: !c.isValid
    case .movall: c.rdBase != c.destination
    case .mapd: wasMapped
    default: false
    }
  }

  package func addCounters(to work: inout WorkCounters) {
    guard areOn else { return }
    work.itsDeviceCacheHits += device.hits
    work.itsDeviceCacheMisses += device.misses
    work.itsEventCacheHits += event.hits
    work.itsEventCacheMisses += event.misses
    work.itsCollectionCacheHits += collection.hits
    work.itsCollectionCacheMisses += collection.misses
    work.itsCacheInvalidations += invalidations
    work.itsCacheFlushes += flushes
    work.deviceTableReads -= event.hits + device.hits
    work.ittReads -= event.hits
    work.collectionTableReads -= collection.hits
  }
}
