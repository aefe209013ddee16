/// One set-associative cache of translations, used three times: combined TLB, stage-2 TLB, cache of
/// last-level tables.
///
/// **Tag.** Input address without the page's offset, shifted left by 12; a 16-bit space number in
/// bits 21:6; log2 of the page's bytes in bits 5:0, which is never 0 for a valid entry. Inputs of up
/// to 52 bits fit.
///
/// **Data.** Output address of the page; bit 0 readable, bit 1 writable, bits 9:4 log2 of the
/// stage-1 leaf's bytes (more than the page's own size when stage 2 maps in smaller pieces).
///
/// **Order.** In a set, valid entries come first and the newest of them is way 0; a full set loses
/// its oldest. A hit changes nothing, so reading is free of stores.
///
/// **Invalidation rule.** Whoever removes or narrows a mapping must invalidate before the next use
/// that has to see the change; adding one needs nothing, since absence is not cached. An entry made
/// from a leaf goes when any address of that leaf is invalidated.
@safe
@usableFromInline
struct TranslationBuffer: ~Copyable {
  @frozen
  @usableFromInline
  struct Line: BitwiseCopyable {
    @usableFromInline var tag: UInt64
    @usableFromInline var data: UInt64

    var space: UInt64 { (tag &>> 6) & 0xFFFF }
    var shift: UInt64 { tag & 0x3F }
    var leafShift: UInt64 { (data &>> 4) & 0x3F }
    /// Whether the leaf behind the entry has an address in `first`…`last`.
    func touches(_ first: UInt64, _ last: UInt64) -> Bool {
      let leaf = ((tag &>> 24) &<< 12) &>> leafShift
      return first &>> leafShift <= leaf && leaf <= last &>> leafShift
    }
  }

  private let pages: ZeroedPages
  let lines: UnsafeMutablePointer<Line>
  let setMask: UInt64
  let ways: UInt64
  let isEnabled: Bool
  /// Bit s: pages of 2^s bytes were inserted since the buffer was last empty.
  private(set) var sizesInUse: UInt64 = 0
  /// Some entry is smaller than the leaf it was made from.
  private var holdsFragments = false

  /// - Parameters:
  ///   - entries: rounded up to a power of two of sets of `ways`; 0 disables the buffer.
  ///   - ways: 1…8.
  init(entries: Int, ways: Int) {
    let ways = min(max(ways, 1), 8)
    let wanted = min(max(entries / ways, 1), 1 << 22)
    let sets =
      wanted & (wanted - 1) == 0 ? wanted : 1 << (Int.bitWidth - wanted.leadingZeroBitCount)
    isEnabled = entries > 0
    setMask = UInt64(sets - 1)
    self.ways = UInt64(ways)
    pages = ZeroedPages(byteCount: sets * ways * MemoryLayout<Line>.stride)
    unsafe lines = pages.table(of: Line.self)
  }

  /// What a space adds to the set index, so that equal addresses of two spaces part.
  @inlinable
  static func salt(_ space: UInt64) -> UInt64 { (space &* 0x9E37_79B1) &>> 7 }

  @inline(__always)
  private func set(_ address: UInt64, _ shift: UInt64, _ salt: UInt64) -> Int {
    Int(truncatingIfNeeded: (((address &>> shift) ^ salt) & setMask) &* ways)
  }

  @inline(__always)
  private static func tag(_ address: UInt64, _ shift: UInt64, _ space: UInt64) -> UInt64 {
    (((address &>> shift) &<< shift) &<< 12) | (space &<< 6) | shift
  }

  /// The entry for `address` whatever its size: data and log2 of the page's bytes.
  @inline(__always)
  func find(_ address: UInt64, space: UInt64) -> (data: UInt64, shift: UInt64)? {
    let salt = Self.salt(space)
    var sizes = sizesInUse
    while sizes != 0 {
      let shift = UInt64(sizes.trailingZeroBitCount)
      sizes &= sizes &- 1
      let tag = Self.tag(address, shift, space)
      // Safety: a set index is masked, and `ways` lines follow it inside the allocation.
      var line = unsafe lines + set(address, shift, salt)
      var left = ways
      repeat {
        if unsafe line.pointee.tag == tag { return unsafe (line.pointee.data, shift) }
        unsafe line += 1
        left &-= 1
      } while left != 0
    }
    return nil
  }

  /// Adds an entry that `find` did not know.
  @inline(__always)
  mutating func insert(
    _ address: UInt64, space: UInt64, shift: UInt64, leafShift: UInt64, output: UInt64,
    permissions: UInt64
  ) {
    guard isEnabled else { return }
    sizesInUse |= 1 &<< shift
    if shift < leafShift { holdsFragments = true }
    // Safety: as `find`.
    let first = unsafe lines + set(address, shift, Self.salt(space))
    var way = Int(truncatingIfNeeded: ways) &- 1
    while way > 0 {
      unsafe first[way] = first[way &- 1]
      way &-= 1
    }
    unsafe first.pointee = Line(
      tag: Self.tag(address, shift, space), data: output | permissions | leafShift &<< 4)
  }

  /// Forgets what was made from leaves of `space` that touch `first`…`last`.
  ///
  /// Cost: one set per page and size while that is less than half of the buffer, else a scan.
  mutating func remove(space: UInt64, first: UInt64, last: UInt64) {
    let smallest = UInt64(sizesInUse.trailingZeroBitCount)
    if sizesInUse == 0 { return }
    let pages = (last &>> smallest) &- (first &>> smallest)
    if holdsFragments || pages > setMask / 2 {
      removeAll { $0.space == space && $0.touches(first, last) }
      return
    }
    let salt = Self.salt(space)
    var sizes = sizesInUse
    while sizes != 0 {
      let shift = UInt64(sizes.trailingZeroBitCount)
      sizes &= sizes &- 1
      var page = first &>> shift
      let end = last &>> shift
      repeat {
        let address = page &<< shift
        let tag = Self.tag(address, shift, space)
        remove(tag, fromSet: set(address, shift, salt))
        page &+= 1
      } while page <= end
    }
  }

  @inline(__always)
  private func remove(_ tag: UInt64, fromSet index: Int) {
    // Safety: as `find`.
    let set = unsafe lines + index
    var way = 0
    let last = Int(truncatingIfNeeded: ways) &- 1
    while way <= last {
      if unsafe set[way].tag == tag {
        while way < last {
          unsafe set[way] = set[way &+ 1]
          way &+= 1
        }
        unsafe set[last] = Line(tag: 0, data: 0)
        return
      }
      way &+= 1
    }
  }

  /// Forgets every entry of a space for which `matches` holds. O(entries).
  mutating func removeAll(where matches: (Line) -> Bool) {
    var sizes: UInt64 = 0
    var fragments = false
    let waysCount = Int(truncatingIfNeeded: ways)
    for set in 0...Int(truncatingIfNeeded: setMask) {
      // Safety: as `find`.
      let first = unsafe lines + set &* waysCount
      var kept = 0
      for way in 0..<waysCount {
        let line = unsafe first[way]
        if line.tag == 0 { break }
        if matches(line) { continue }
        unsafe first[kept] = line
        kept &+= 1
        sizes |= 1 &<< line.shift
        if line.shift < line.leafShift { fragments = true }
      }
      for way in kept..<waysCount { unsafe first[way] = Line(tag: 0, data: 0) }
    }
    sizesInUse = sizes
    holdsFragments = fragments
  }
}
