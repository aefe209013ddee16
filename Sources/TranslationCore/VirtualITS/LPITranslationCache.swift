/// KVM's cache of a virtual ITS: DeviceID << 16 | EventID → INTID (arch/arm64/kvm/vgic/vgic-its.c).
///
/// KVM keeps it in an xarray; here it is an open-addressing table with linear probing, because one
/// probe of one line answers where a radix tree of 32-bit keys walks six levels. It grows when half
/// full (in `insert`, on the slow path) and is emptied in O(1) by a generation number. The answers and
/// the hit, miss and flush counts are those of an unbounded cache, as KVM's is.
@safe
@usableFromInline
package struct LPITranslationCache: ~Copyable {
  /// Generation 63:32 · INTID 31:0; the key beside it.
  @frozen
  @usableFromInline
  struct Slot: BitwiseCopyable {
    @usableFromInline var key: UInt32
    @usableFromInline var generation: UInt32
    @usableFromInline var intid: UInt32
    @usableFromInline var unused: UInt32 = 0
    init(key: UInt32, generation: UInt32, intid: UInt32) {
      self.key = key
      self.generation = generation
      self.intid = intid
    }
  }

  @usableFromInline var slots: UnsafeMutablePointer<Slot>
  @usableFromInline var mask: UInt32
  @usableFromInline var generation: UInt32 = 1
  private var used = 0

  package init() {
    mask = 1023
    unsafe slots = Self.allocate(1024)
  }

  deinit { unsafe slots.deallocate() }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Slot> {
    // Safety: initialised at once; generation 0 is never current.
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
    unsafe slots.initialize(repeating: Slot(key: 0, generation: 0, intid: 0), count: count)
    return unsafe slots
  }

  /// Fibonacci hashing: the upper bits of key × 2³²/φ.
  @inlinable
  static func hash(_ key: UInt32) -> UInt32 { (key &* 0x9E37_79B9) &>> 7 }

  /// The INTID, or 0.
  @inlinable
  func find(_ key: UInt32) -> UInt32 {
    var index = Self.hash(key) & mask
    while true {
      // Safety: masked to the table; a free slot ends every probe, since at most half is used.
      let slot = unsafe slots[Int(index)]
      if slot.generation != generation { return 0 }
      if slot.key == key { return slot.intid }
      index = (index &+ 1) & mask
    }
  }

  mutating func insert(_ key: UInt32, intid: UInt32) {
    if used * 2 >= Int(mask) { grow() }
    put(key, intid)
  }

  private mutating func put(_ key: UInt32, _ intid: UInt32) {
    var index = Self.hash(key) & mask
    // Safety: as in `find`.
    while unsafe slots[Int(index)].generation == generation, unsafe slots[Int(index)].key != key {
      index = (index &+ 1) & mask
    }
    if unsafe slots[Int(index)].generation != generation { used += 1 }
    unsafe slots[Int(index)] = Slot(key: key, generation: generation, intid: intid)
  }

  private mutating func grow() {
    let old = unsafe slots
    let count = Int(mask) + 1
    mask = mask &* 2 &+ 1
    used = 0
    unsafe slots = Self.allocate(count * 2)
    for index in 0..<count {
      // Safety: below the old table's length.
      let slot = unsafe old[index]
      if slot.generation == generation { put(slot.key, slot.intid) }
    }
    unsafe old.deallocate()
  }

  /// Empties the cache.
  mutating func flush() {
    used = 0
    if generation == .max {
      unsafe slots.deallocate()
      unsafe slots = Self.allocate(Int(mask) + 1)
      generation = 0
    }
    generation += 1
  }
}
