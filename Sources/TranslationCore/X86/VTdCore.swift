package import Synchronization

/// The fast Intel interrupt-remapping unit: a flat table of 16-byte entries, a direct-mapped
/// interrupt entry cache, descriptors with real atomics. Proved equal to `ReferenceModel.VTdUnit`.
///
/// One thread translates and writes the table; descriptors may be touched by others.
/// Nothing allocates after `init`.
@safe
package struct VTdCore: ~Copyable {
  @usableFromInline let table: UnsafeMutablePointer<UInt64>
  @usableFromInline let cacheTags: UnsafeMutablePointer<UInt32>
  @usableFromInline let cacheWords: UnsafeMutablePointer<UInt64>
  @usableFromInline let descriptorWords: UnsafeMutablePointer<Atomic<UInt64>>
  @usableFromInline let entryCount: UInt32
  @usableFromInline let cacheMask: UInt32
  @usableFromInline let descriptorCount: UInt32
  @usableFromInline let extendedMode: Bool
  @usableFromInline let compatibilityPasses: Bool

  @usableFromInline package internal(set) var entryReads: UInt64 = 0
  @usableFromInline package internal(set) var requests: UInt64 = 0
  package private(set) var invalidations: UInt64 = 0

  @usableFromInline static var noTag: UInt32 { 0xFFFF_FFFF }

  /// - Parameters:
  ///   - log2Entries: 1…16; the table takes 16 bytes each.
  ///   - log2CacheEntries: 0…16.
  ///   - descriptorCount: one per vCPU, 64 bytes each. Their addresses are
  ///     `descriptorAddress(number)`.
  package init(
    log2Entries: UInt32 = 16, log2CacheEntries: UInt32 = 10, descriptorCount: UInt32,
    extendedMode: Bool = true, compatibilityPasses: Bool = false
  ) {
    precondition((1...16).contains(log2Entries) && log2CacheEntries <= 16)
    precondition((1...65_536).contains(descriptorCount))
    entryCount = 1 << log2Entries
    cacheMask = (1 << log2CacheEntries) - 1
    self.descriptorCount = descriptorCount
    self.extendedMode = extendedMode
    self.compatibilityPasses = compatibilityPasses
    let cacheCount = Int(cacheMask) + 1
    // Safety: each allocation has the size that its accesses are masked or checked to, is
    // initialised before use, and is released once, in `deinit`.
    unsafe table = .allocate(capacity: Int(entryCount) * 2)
    unsafe table.initialize(repeating: 0, count: Int(entryCount) * 2)
    unsafe cacheTags = .allocate(capacity: cacheCount)
    unsafe cacheTags.initialize(repeating: Self.noTag, count: cacheCount)
    unsafe cacheWords = .allocate(capacity: cacheCount * 2)
    unsafe cacheWords.initialize(repeating: 0, count: cacheCount * 2)
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: Int(descriptorCount) * 64, alignment: 64)
    unsafe descriptorWords = raw.bindMemory(
      to: Atomic<UInt64>.self, capacity: Int(descriptorCount) * 8)
    for word in 0..<Int(descriptorCount) * 8 {
      unsafe (descriptorWords + word).initialize(to: Atomic(0))
    }
  }

  deinit {
    // Safety: allocated in `init`, not handed out beyond the unit's life.
    unsafe table.deallocate()
    unsafe cacheTags.deallocate()
    unsafe cacheWords.deallocate()
    unsafe UnsafeMutableRawPointer(descriptorWords).deallocate()
  }

  /// Descriptors stand in a row from 4 KiB on, so that address 0 is none.
  @inlinable package static func descriptorAddress(_ number: UInt32) -> UInt64 {
    4096 &+ UInt64(number) &* 64
  }

  package func descriptor(_ number: UInt32) -> PostedDescriptor {
    precondition(number < descriptorCount)
    // Safety: checked above.
    return unsafe PostedDescriptor(words: descriptorWords + Int(number) * 8)
  }

  /// Stores an entry; the cache keeps the old one until `invalidate`. False if out of range.
  package mutating func write(low: UInt64, high: UInt64, at index: UInt32) -> Bool {
    guard index < entryCount else { return false }
    // Safety: checked above.
    unsafe table[Int(index) * 2] = low
    unsafe table[Int(index) * 2 + 1] = high
    return true
  }

  /// Selective (2^mask entries, aligned) or global invalidation of the interrupt entry cache.
  package mutating func invalidate(index: UInt32?, mask: UInt32 = 0) {
    invalidations += 1
    guard let index, mask < 16 else {
      // Safety: the cache has cacheMask + 1 tags.
      unsafe cacheTags.update(repeating: Self.noTag, count: Int(cacheMask) + 1)
      return
    }
    let first = index & ~((1 << mask) - 1)
    for entry in first..<first + (1 << mask) {
      let slot = Int(entry & cacheMask)
      // Safety: masked.
      if unsafe cacheTags[slot] == entry { unsafe cacheTags[slot] = Self.noTag }
    }
  }

  /// One interrupt request. About a nanosecond when the entry is cached and nobody contends.
  @inlinable
  package mutating func request(address: UInt64, data: UInt32, requester: UInt16) -> X86Translation
  {
    requests &+= 1
    if address & 0x10 == 0 {
      guard compatibilityPasses && !extendedMode else {
        return X86Translation(kind: .dropped, code: 0x25)
      }
      let destination =
        UInt32(truncatingIfNeeded: address &>> 12) & 0xFF
        | UInt32(truncatingIfNeeded: address &>> 32) & 0xFFFF_FF00
      return X86Translation(
        kind: .interrupt, vector: UInt8(truncatingIfNeeded: data), destination: destination)
    }
    var index =
      UInt32(truncatingIfNeeded: address &>> 5) & 0x7FFF
      | (UInt32(truncatingIfNeeded: address &>> 2) & 1) &<< 15
    if address & 8 != 0 {
      if data &>> 16 != 0 { return X86Translation(kind: .dropped, code: 0x20) }
      index &+= data
    }
    guard index < entryCount else { return X86Translation(kind: .dropped, code: 0x21) }
    let slot = Int(index & cacheMask)
    // Safety: slot is masked to the cache, index was checked against the table.
    if unsafe cacheTags[slot] != index {
      entryReads &+= 1
      let low = unsafe table[Int(index) &* 2]
      guard low & 1 == 1 else { return X86Translation(kind: .dropped, code: 0x22) }
      unsafe cacheWords[slot &* 2] = low
      unsafe cacheWords[slot &* 2 &+ 1] = table[Int(index) &* 2 &+ 1]
      unsafe cacheTags[slot] = index
    }
    let low = unsafe cacheWords[slot &* 2]
    let high = unsafe cacheWords[slot &* 2 &+ 1]
    let isPosted = low &>> 15 & 1 == 1
    let reserved =
      isPosted
      ? (low & 0x0000_003F_FF00_30FC) | (high & 0x0000_0000_FFF0_0000)
      : (low & 0x0000_0000_FF00_7000) | (high & 0xFFFF_FFFF_FFF0_0000)
    if reserved != 0 || high &>> 18 & 3 == 3 {
      return X86Translation(kind: .dropped, code: 0x24)
    }
    guard Self.accepts(high, requester) else { return X86Translation(kind: .dropped, code: 0x26) }
    let vector = UInt8(truncatingIfNeeded: low &>> 16)
    if !isPosted {
      let destination = UInt32(truncatingIfNeeded: low &>> 32)
      return X86Translation(
        kind: .interrupt, vector: vector,
        destination: extendedMode ? destination : destination &>> 8 & 0xFF)
    }
    let pda = (low &>> 38) &<< 6 | (high &>> 32) &<< 32
    let number = (pda &- 4096) &>> 6
    // An address outside the descriptors is memory that the unit cannot reach: 0x23.
    guard number < UInt64(descriptorCount) else {
      return X86Translation(kind: .dropped, code: 0x23)
    }
    // Safety: checked above.
    let descriptor = unsafe PostedDescriptor(words: descriptorWords + Int(number) &* 8)
    let posted = descriptor.postByHardware(vector: vector, urgent: low &>> 14 & 1 == 1)
    return X86Translation(
      kind: .posted, vector: vector, code: posted.rawValue, coalesced: posted.contains(.coalesced),
      notified: posted.contains(.notified), destination: UInt32(truncatingIfNeeded: number))
  }

  /// SVT and SQ (VT-d spec, §9.10).
  @inlinable
  static func accepts(_ high: UInt64, _ requester: UInt16) -> Bool {
    let sid = UInt16(truncatingIfNeeded: high)
    switch high &>> 18 & 3 {
    case 0: return true
    case 1:
      // SQ 0 … 3 leave out bits none, 2, 2:1, 2:0.
      let ignored = UInt16(truncatingIfNeeded: (0x7640 as UInt64) &>> ((high &>> 16 & 3) &* 4)) & 7
      return (requester ^ sid) & ~ignored == 0
    default:
      let bus = requester &>> 8
      return bus >= sid &>> 8 && bus <= sid & 0xFF
    }
  }
}
