/// One set-associative cache of translations, used three times: combined TLB, stage-2 TLB, cache of
/// last-level tables.
///
/// **Tag.** Input address without the page's offset; a 16-bit space number in bits 63:48; log2 of the
/// page's bytes in bits 5:0, which is never 0 for a valid entry. Inputs of up to 48 bits fit.
///
/// **Data.** Bits 63:12: what to add to the input to get the output, modulo 2^64. Bit 0 set: not
/// readable. Bit 1 set: not writable. Bits 9:4: log2 of the stage-1 leaf's bytes (more than the
/// page's own when stage 2 maps in smaller pieces). So a hit costs one compare, one test, one sum.
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

    var space: UInt64 { tag &>> 48 }
    var shift: UInt64 { tag & 0x3F }
    var leafShift: UInt64 { (data &>> 4) & 0x3F }
    /// Whether the leaf behind the entry has an address in `first`…`last`.
    func touches(_ first: UInt64, _ last: UInt64) -> Bool {
      let leaf = (tag & 0xFFFF_FFFF_FFFF) &>> leafShift
      return first &>> leafShift <= leaf && leaf <= last &>> leafShift
    }
  }

  private let pages: ZeroedPages
  let lines: UnsafeMutablePointer<Line>
  /// Where `findNear` looks first.
  private var near: UnsafeMutablePointer<Line>
  /// The set index in its place within a byte offset: sets are 2^`setShift` bytes apart.
  let setMask: UInt64
  let setShift: UInt64
  let isEnabled: Bool
  /// Bit s: pages of 2^s bytes were inserted since the buffer was last empty.
  private(set) var sizesInUse: UInt64 = 0
  /// Some entry is smaller than the leaf it was made from.
  private var holdsFragments = false

  /// - Parameters:
  ///   - entries: rounded up to a power of two; 0 disables the buffer.
  ///   - ways: 1, 2, 4 or 8; others are rounded down to one of these.
  init(entries: Int, ways: Int) {
    let waysLog2 = min(max(ways, 1), 8).bitWidth - 1 - min(max(ways, 1), 8).leadingZeroBitCount
    let wanted = min(max(entries, 1 << waysLog2), 1 << 22)
    let entriesLog2 = Int.bitWidth - (wanted - 1).leadingZeroBitCount
    isEnabled = entries > 0
    isDirectMapped = entries > 0 && waysLog2 == 0
    setShift = UInt64(waysLog2 + 4)
    setMask = (1 << UInt64(entriesLog2 + 4)) - (1 << setShift)
    pages = ZeroedPages(byteCount: MemoryLayout<Line>.stride << entriesLog2)
    unsafe lines = pages.table(of: Line.self)
    unsafe near = lines
  }

  var ways: Int { 1 &<< Int(truncatingIfNeeded: setShift &- 4) }

  /// What a space adds to the set index, so that equal addresses of two spaces part.
  @inline(__always)
  static func salt(_ space: UInt64) -> UInt64 { (space &* 0x9E37_79B1) & 0xFFFF_FFFF }

  /// First line of the set for an address.
  @inline(__always)
  private func set(_ address: UInt64, _ shift: UInt64, _ salt: UInt64)
    -> UnsafeMutablePointer<Line>
  {
    let offset = ((address &>> (shift &- setShift)) ^ salt) & setMask
    // Safety: a masked offset is that of a set inside the allocation, and `ways` lines follow it.
    return unsafe UnsafeMutableRawPointer(lines).advanced(by: Int(truncatingIfNeeded: offset))
      .assumingMemoryBound(to: Line.self)
  }

  @inline(__always)
  private static func tag(_ address: UInt64, _ shift: UInt64, _ space: UInt64) -> UInt64 {
    address & (~0 &<< shift) | space &<< 48 | shift
  }

  /// One way, and no page size but this in use: an address has only one place to be.
  @inline(__always)
  func hasOnlyPlace(for shift: UInt64) -> Bool {
    setShift == 4 && sizesInUse & ~(1 &<< shift) == 0
  }

  let isDirectMapped: Bool

  /// No page size but this is in use.
  @inline(__always)
  func holdsOnly(_ shift: UInt64) -> Bool { sizesInUse & ~(1 &<< shift) == 0 }

  /// The line of a buffer with one way for `address` and the page size `shift`.
  @inline(__always)
  private func onlyLine(_ address: UInt64, _ shift: UInt64, _ salt: UInt64)
    -> UnsafeMutablePointer<Line>
  {
    let offset = ((address &>> (shift &- 4)) ^ salt) & setMask
    // Safety: as `set`.
    return unsafe UnsafeMutableRawPointer(lines).advanced(by: Int(truncatingIfNeeded: offset))
      .assumingMemoryBound(to: Line.self)
  }

  /// The data of the entry for `address` and the page size `shift` in a buffer with one way.
  ///
  /// - Parameter key: the tag without the address.
  @inline(__always)
  func onlyWay(_ address: UInt64, _ shift: UInt64, _ key: UInt64, _ salt: UInt64) -> UInt64? {
    // Safety: as `set`.
    let line = unsafe onlyLine(address, shift, salt)
    guard unsafe line.pointee.tag == address & (~0 &<< shift) | key else { return nil }
    return unsafe line.pointee.data
  }

  /// Forgets one page of 2^`shift` bytes in a buffer that holds no other size and has one way. False,
  /// with nothing done, if it is not such a buffer.
  @inline(__always)
  mutating func removePage(_ address: UInt64, _ shift: UInt64, space: UInt64) -> Bool {
    guard isDirectMapped, holdsOnly(shift), !holdsFragments else { return false }
    // Safety: as `set`.
    let line = unsafe onlyLine(address, shift, Self.salt(space))
    if unsafe line.pointee.tag == Self.tag(address, shift, space) {
      unsafe line.pointee = Line(tag: 0, data: 0)
    }
    return true
  }

  /// Stores an entry for a page that is as large as its leaf.
  ///
  /// - Parameter place: whose bits under `setMask` tell the set of a buffer with one way.
  @inline(__always)
  mutating func replace(at place: UInt64, tag: UInt64, data: UInt64, shift: UInt64) {
    sizesInUse |= 1 &<< shift
    // Safety: as `set`.
    unsafe UnsafeMutableRawPointer(lines).advanced(by: Int(truncatingIfNeeded: place & setMask))
      .storeBytes(of: Line(tag: tag, data: data | shift &<< 4), as: Line.self)
  }

  /// As `find`, for addresses that tend to stay in the page of the last hit.
  @inline(__always)
  mutating func findNear(_ address: UInt64, space: UInt64) -> Line? {
    // Safety: `near` is a line of the buffer. An entry that went has another tag, or 0.
    let line = unsafe near.pointee
    if Self.tag(address, line.shift, space) == line.tag { return line }
    guard let found = find(address, space: space) else { return nil }
    unsafe near = set(address, found.shift, Self.salt(space))
    return found
  }

  /// The entry for `address` whatever its size. Larger pages are tried first.
  @inline(__always)
  func find(_ address: UInt64, space: UInt64) -> Line? {
    let salt = Self.salt(space)
    var sizes = sizesInUse
    while sizes != 0 {
      let shift = 63 &- UInt64(truncatingIfNeeded: sizes.leadingZeroBitCount)
      sizes ^= 1 &<< shift
      let tag = Self.tag(address, shift, space)
      // Safety: as `set`.
      var line = unsafe set(address, shift, salt)
      var left = ways
      repeat {
        if unsafe line.pointee.tag == tag { return unsafe line.pointee }
        unsafe line += 1
        left &-= 1
      } while left != 0
    }
    return nil
  }

  /// Adds an entry that `find` did not know.
  ///
  /// - Parameter output: where `address` itself leads.
  @inline(__always)
  mutating func insert(
    _ address: UInt64, space: UInt64, shift: UInt64, leafShift: UInt64, output: UInt64,
    permissions: UInt64
  ) {
    guard isEnabled else { return }
    sizesInUse |= 1 &<< shift
    if shift < leafShift { holdsFragments = true }
    // Safety: as `set`.
    let first = unsafe set(address, shift, Self.salt(space))
    var way = ways &- 1
    while way > 0 {
      unsafe first[way] = first[way &- 1]
      way &-= 1
    }
    unsafe first.pointee = Line(
      tag: Self.tag(address, shift, space),
      data: (output &- address) | (permissions ^ 3) | leafShift &<< 4)
  }

  /// Forgets what was made from leaves of `space` that touch `first`…`last`.
  ///
  /// Cost: one set per page and size while that is less than half of the buffer, else a scan.
  @inline(__always)
  mutating func remove(space: UInt64, first: UInt64, last: UInt64) {
    if sizesInUse == 0 { return }
    let smallest = UInt64(truncatingIfNeeded: sizesInUse.trailingZeroBitCount)
    let pages = (last &>> smallest) &- (first &>> smallest)
    if pages == 0, sizesInUse & (sizesInUse &- 1) == 0, !holdsFragments {
      let tag = Self.tag(first, smallest, space)
      unsafe remove(tag, from: set(first, smallest, Self.salt(space)))
    } else {
      removeRange(space, first, last, pages)
    }
  }

  @inline(never)
  private mutating func removeRange(
    _ space: UInt64, _ first: UInt64, _ last: UInt64, _ pages: UInt64
  ) {
    if holdsFragments || pages > setMask &>> (setShift &+ 1) {
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
        unsafe remove(tag, from: set(address, shift, salt))
        page &+= 1
      } while page <= end
    }
  }

  @inline(__always)
  private func remove(_ tag: UInt64, from set: UnsafeMutablePointer<Line>) {
    // Safety: as `set(_:_:_:)`, which gave the pointer.
    var way = 0
    let last = ways &- 1
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

  /// Forgets every entry of a space for which `matches` holds. O(entries), O(1) when empty.
  mutating func removeAll(where matches: (Line) -> Bool) {
    if sizesInUse == 0 { return }
    var sizes: UInt64 = 0
    var fragments = false
    let waysCount = ways
    for set in 0...Int(truncatingIfNeeded: setMask &>> setShift) {
      // Safety: as `set(_:_:_:)`.
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
