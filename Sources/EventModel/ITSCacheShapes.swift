/// Sets and ways of a set-associative cache.
public struct CacheShape: Hashable, Sendable {
  /// log2 of the number of sets: what a cache's identification register calls its index bits.
  public let indexBits: UInt8
  public let ways: UInt8

  /// - Parameters:
  ///   - indexBits: 0…16.
  ///   - ways: 1…64.
  public init(indexBits: UInt8, ways: UInt8) {
    precondition(
      indexBits <= 16 && ways >= 1 && ways <= 64, "a cache has up to 2¹⁶ sets of 1…64 ways")
    self.indexBits = indexBits
    self.ways = ways
  }

  public var setCount: Int { 1 << Int(indexBits) }
  public var lineCount: Int { setCount * Int(ways) }

  /// The set of a key. No source tells how a GIC-600 chooses it. Ours folds the key once, so that
  /// the functions and buses of a PCI machine (DeviceIDs that are multiples of 8 or 256) spread.
  @inlinable
  public static func set(of key: UInt64, indexBits: UInt8) -> Int {
    let folded = key ^ key &>> 32
    return Int(
      truncatingIfNeeded: (folded ^ folded &>> UInt64(indexBits)) & (1 &<< UInt64(indexBits) &- 1))
  }
}

/// The three caches of an ITS, shaped as in Arm's GIC-600 (TRM 100336, §3.10: three two-way
/// set-associative caches per ITS). Nil: that cache is switched off.
///
/// | Cache | Key | Gives |
/// |---|---|---|
/// | device | DeviceID | the base of the device's ITT |
/// | event | DeviceID and EventID | the interrupt and its collection (or vPE) |
/// | collection | ICID | the target processor |
///
/// A GIC-600 has no virtual LPIs; the vPE table is read uncached here.
public struct ITSCacheShapes: Hashable, Sendable {
  public var device: CacheShape?
  public var event: CacheShape?
  public var collection: CacheShape?

  public init(device: CacheShape? = nil, event: CacheShape? = nil, collection: CacheShape? = nil) {
    self.device = device
    self.event = event
    self.collection = collection
  }

  /// Every MSI reads its tables.
  public static let none = ITSCacheShapes()

  /// The sizes that one GIC-600 in silicon states: GITS0_CFGID of Intel's Agilex 5 reads 7, 4 and 3
  /// index bits for the event, device and collection cache.
  public static let gic600 = ITSCacheShapes(
    device: CacheShape(indexBits: 4, ways: 2), event: CacheShape(indexBits: 7, ways: 2),
    collection: CacheShape(indexBits: 3, ways: 2))
}

/// What makes a translation cache forget.
public enum CacheInvalidation: Hashable, Sendable {
  /// What an ITS needs to do: a command drops what it changes and nothing else.
  case targeted
  /// KVM's virtual ITS (arch/arm64/kvm/vgic/vgic-its.c): everything, on DISCARD, MOVI, MAPC with V = 0,
  /// MAPD of a device that exists, MOVALL, and when the ITS or a redistributor's LPIs are disabled.
  case wholeCache
}
