/// What the log has shown of the page tables: leaves by address space, page and size.
///
/// The importer needs it for three things. An invalidation tells which known pages were unmapped. An
/// access whose page is not known, because the log starts in the middle, gets an inferred `map`. And
/// a walk that shows what is known already gives no second `map`: harmless, were it given, and rare
/// where every page is unmapped after use (1 walk of 15,247 in the busy NVMe recording), but a guest
/// with long-lived mappings walks the same leaves whenever QEMU's TLB has filled up and is emptied.
///
/// Open addressing with backward-shift deletion, 16 bytes per leaf. Bounded: at `limit` leaves it
/// forgets everything and notes it (`hasForgotten`), after which an invalidation reports pages as
/// unmapped whether they are known or not.
@safe
struct KnownMappings: ~Copyable {
  /// Leaves kept: 1 GiB of 4 KiB pages mapped at one time.
  static var limit: Int { 1 << 18 }

  struct Leaf: Hashable {
    var asid: UInt16
    var iova: UInt64
    var log2Size: UInt8
  }

  private struct Slot {
    /// log2 of the size 61:56, ASID 55:40, IOVA bits 51:12 in 39:0; 0 is an empty slot.
    var key: UInt64 = 0
    var descriptor: UInt64 = 0
  }

  // Safety: `slots` holds `capacity` (a power of two) initialised slots and is this struct's own.
  private var slots: UnsafeMutablePointer<Slot>
  private var capacity: Int
  private(set) var count = 0
  private(set) var hasForgotten = false
  /// Bit n: a leaf of 2^n bytes was seen.
  private var sizes: UInt64 = 0

  init() {
    capacity = 1 << 10
    unsafe slots = .allocate(capacity: capacity)
    unsafe slots.initialize(repeating: Slot(), count: capacity)
  }

  deinit {
    unsafe slots.deallocate()
  }

  /// Whether an IOVA can be kept here: 52 bits.
  static func isKeepable(_ iova: UInt64) -> Bool { iova >> 52 == 0 }

  /// The first address of the leaf of 2^`log2Size` bytes that holds `iova`.
  static func base(_ iova: UInt64, _ log2Size: UInt8) -> UInt64 {
    iova & ~((1 << UInt64(log2Size)) - 1)
  }

  private static func key(_ leaf: Leaf) -> UInt64 {
    UInt64(leaf.log2Size & 0x3F) << 56 | UInt64(leaf.asid) << 40
      | (leaf.iova >> 12) & 0xFF_FFFF_FFFF
  }

  private static func leaf(_ key: UInt64) -> Leaf {
    Leaf(
      asid: UInt16(truncatingIfNeeded: key >> 40), iova: (key & 0xFF_FFFF_FFFF) << 12,
      log2Size: UInt8(key >> 56))
  }

  @inline(__always)
  private func home(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> 32) & (capacity - 1)
  }

  /// The slot of `key`, or the empty slot where it would go.
  @inline(__always)
  private func find(_ key: UInt64) -> Int {
    var index = home(key)
    while unsafe slots[index].key != 0 && slots[index].key != key {
      index = (index + 1) & (capacity - 1)
    }
    return index
  }

  /// The leaf that maps `iova`, and its descriptor.
  @inline(__always)
  func lookup(asid: UInt16, iova: UInt64) -> (leaf: Leaf, descriptor: UInt64)? {
    guard Self.isKeepable(iova) else { return nil }
    var remaining = sizes
    while remaining != 0 {
      let log2Size = UInt8(remaining.trailingZeroBitCount)
      remaining &= remaining - 1
      let leaf = Leaf(asid: asid, iova: Self.base(iova, log2Size), log2Size: log2Size)
      let index = find(Self.key(leaf))
      if unsafe slots[index].key != 0 { return unsafe (leaf, slots[index].descriptor) }
    }
    return nil
  }

  /// Notes a leaf; returns whether it is new or differs from what was known.
  mutating func insert(_ leaf: Leaf, descriptor: UInt64) -> Bool {
    let key = Self.key(leaf)
    let index = find(key)
    if unsafe slots[index].key == key {
      if unsafe slots[index].descriptor == descriptor { return false }
      unsafe slots[index].descriptor = descriptor
      return true
    }
    if count >= Self.limit {
      forgetAll()
      return insert(leaf, descriptor: descriptor)
    }
    unsafe slots[index] = Slot(key: key, descriptor: descriptor)
    sizes |= 1 << UInt64(leaf.log2Size & 0x3F)
    count += 1
    if count * 2 > capacity { grow() }
    return true
  }

  /// Removes the leaves of `asid` (nil: of all) that overlap `size` bytes from `start`, in the order
  /// of their addresses. O(min(pages, leaves kept)).
  mutating func remove(asid: UInt16?, start: UInt64, size: UInt64, _ body: (Leaf) -> Void) {
    guard count > 0, size > 0 else { return }
    let last = start.addingReportingOverflow(size - 1)
    let end = last.overflow ? UInt64.max : last.partialValue
    for leaf in leaves(asid: asid, start: start, last: end, pages: size >> 12) {
      erase(find(Self.key(leaf)))
      body(leaf)
    }
  }

  /// Removes every leaf of `asid`.
  mutating func removeAll(asid: UInt16, _ body: (Leaf) -> Void) {
    remove(asid: asid, start: 0, size: UInt64.max, body)
  }

  private func leaves(asid: UInt16?, start: UInt64, last: UInt64, pages: UInt64) -> [Leaf] {
    var found: [Leaf] = []
    if let asid, pages <= 32 {
      var remaining = sizes
      while remaining != 0 {
        let log2Size = UInt8(remaining.trailingZeroBitCount)
        remaining &= remaining - 1
        var iova = Self.base(start, log2Size)
        while iova <= last {
          let leaf = Leaf(asid: asid, iova: iova, log2Size: log2Size)
          if unsafe Self.isKeepable(iova) && slots[find(Self.key(leaf))].key != 0 {
            found.append(leaf)
          }
          let next = iova.addingReportingOverflow(1 << UInt64(log2Size))
          if next.overflow { break }
          iova = next.partialValue
        }
      }
    } else {
      for index in 0..<capacity where unsafe slots[index].key != 0 {
        let leaf = unsafe Self.leaf(slots[index].key)
        let leafLast = leaf.iova + (1 << UInt64(leaf.log2Size)) - 1
        if asid == nil || leaf.asid == asid, leaf.iova <= last, leafLast >= start {
          found.append(leaf)
        }
      }
    }
    return found.sorted { ($0.iova, $0.asid, $0.log2Size) < ($1.iova, $1.asid, $1.log2Size) }
  }

  /// Empties a slot and moves later entries of its run back, so that no lookup meets a gap.
  private mutating func erase(_ index: Int) {
    guard unsafe slots[index].key != 0 else { return }
    var hole = index
    var next = (index + 1) & (capacity - 1)
    while unsafe slots[next].key != 0 {
      let distance = unsafe (next - home(slots[next].key)) & (capacity - 1)
      if distance >= (next - hole) & (capacity - 1) {
        unsafe slots[hole] = slots[next]
        hole = next
      }
      next = (next + 1) & (capacity - 1)
    }
    unsafe slots[hole] = Slot()
    count -= 1
  }

  private mutating func forgetAll() {
    unsafe slots.update(repeating: Slot(), count: capacity)
    count = 0
    hasForgotten = true
  }

  private mutating func grow() {
    let old = unsafe slots
    let oldCapacity = capacity
    capacity *= 2
    unsafe slots = .allocate(capacity: capacity)
    unsafe slots.initialize(repeating: Slot(), count: capacity)
    for index in 0..<oldCapacity where unsafe old[index].key != 0 {
      unsafe slots[find(old[index].key)] = old[index]
    }
    unsafe old.deallocate()
  }
}
