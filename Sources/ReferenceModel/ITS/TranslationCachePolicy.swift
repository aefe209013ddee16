package import EventModel

/// A cache of (DeviceID, EventID) → translation entry, in front of the tables, unbounded.
///
/// It never answers in the model: the tables do, and every hit is compared with them (`staleHits`
/// must stay 0). What it gives is the count of hits, misses and flushes under two policies:
///
/// `targeted`: what an ITS needs to do. An entry is dropped when the command names it, a device's
/// entries when the device is mapped anew or unmapped. Collections and vPEs are looked up apart, so
/// moving them drops nothing.
///
/// `wholeCache`: KVM's virtual ITS (arch/arm64/kvm/vgic/vgic-its.c). The key is DeviceID << 16 |
/// EventID; filled when a translation succeeds, except for one that the hardware forwards (virtual
/// entries here); emptied whole on DISCARD, MOVI, MAPC with V = 0, MAPD of a device that exists
/// (either way), MOVALL, ITS disable, and when a redistributor's LPIs are disabled. Not on MAPTI,
/// MAPC with V = 1 (KVM retargets the LPIs instead), INV, INVALL, CLEAR, INT.
package struct TranslationCachePolicy: Sendable {
  /// What is cached: the interrupt, not its target.
  package struct Translation: Hashable, Sendable {
    package var intid: UInt32
    package var isPhysical: Bool
    package init(_ entry: ITS.InterruptTranslationEntry) {
      intid = entry.intid
      isPhysical = entry.isPhysical
    }
  }

  package let invalidation: CacheInvalidation
  package private(set) var entries: [UInt64: Translation] = [:]
  package private(set) var hits: UInt64 = 0
  package private(set) var misses: UInt64 = 0
  /// Times that the whole cache was emptied, empty or not.
  package private(set) var flushes: UInt64 = 0
  /// Entries dropped one by one.
  package private(set) var invalidations: UInt64 = 0
  /// Hits that the tables did not confirm.
  package internal(set) var staleHits: UInt64 = 0

  private var mappedDevices: Set<UInt32> = []

  package init(_ invalidation: CacheInvalidation) { self.invalidation = invalidation }

  private func key(_ device: DeviceID, _ event: EventID) -> UInt64 {
    switch invalidation {
    case .targeted: UInt64(device.rawValue) << 32 | UInt64(event.rawValue)
    case .wholeCache: UInt64(device.rawValue & 0xFFFF) << 16 | UInt64(event.rawValue & 0xFFFF)
    }
  }

  package mutating func lookUp(_ device: DeviceID, _ event: EventID) -> Translation? {
    let found = entries[key(device, event)]
    if found == nil { misses += 1 } else { hits += 1 }
    return found
  }

  package mutating func fill(_ device: DeviceID, _ event: EventID, _ translation: Translation) {
    if invalidation == .wholeCache {
      guard translation.isPhysical, device.rawValue <= 0xFFFF, event.rawValue <= 0xFFFF else {
        return
      }
    }
    entries[key(device, event)] = translation
  }

  /// Whether a hit leaves out the step that failed in the tables, and so hides the failure. KVM's
  /// hit leaves out everything; the other leaves out device table and ITT.
  func answersFor(_ failure: ITSError.Condition) -> Bool {
    switch failure {
    case .unmappedCollection, .unmappedVPE, .lpisDisabled, .intidOutOfRange:
      invalidation == .wholeCache
    default: true
    }
  }

  /// A command that had its effect.
  package mutating func executed(_ command: ITSCommand) {
    switch invalidation {
    case .targeted: invalidate(for: command)
    case .wholeCache: flush(for: command)
    }
    if case .mapd(let device, _, _, let valid) = command {
      if valid {
        mappedDevices.insert(device.rawValue)
      } else {
        mappedDevices.remove(device.rawValue)
      }
    }
  }

  package mutating func itsDisabled() { flush() }
  package mutating func lpisDisabled() { if invalidation == .wholeCache { flush() } }

  private mutating func flush(for command: ITSCommand) {
    switch command {
    case .discard, .movi, .mapc(_, _, valid: false): flush()
    case .movall(let from, let to): if from != to { flush() }
    case .mapd(let device, _, _, _):
      if mappedDevices.contains(device.rawValue) { flush() }
    // Hardware's virtual interrupts are not KVM's business: they are never in the cache.
    default: break
    }
  }

  private mutating func invalidate(for command: ITSCommand) {
    switch command {
    case .discard(let device, let event), .mapti(let device, let event, _, _),
      .mapi(let device, let event, _), .movi(let device, let event, _),
      .vmapti(let device, let event, _, _, _), .vmapi(let device, let event, _, _),
      .vmovi(let device, let event, _, _, _):
      if entries.removeValue(forKey: key(device, event)) != nil { invalidations += 1 }
    case .mapd(let device, _, _, _):
      let count = entries.count
      entries = entries.filter { $0.key >> 32 != UInt64(device.rawValue) }
      invalidations += UInt64(count - entries.count)
    default: break
    }
  }

  private mutating func flush() {
    entries = [:]
    flushes += 1
  }
}
