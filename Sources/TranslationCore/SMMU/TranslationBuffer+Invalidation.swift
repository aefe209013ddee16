/// What leaves the buffer.
///
/// **Rule.** Whoever removes or narrows a mapping must invalidate before the next use that has to see
/// the change; adding one needs nothing, since absence is not cached. An entry made from a leaf goes
/// when any address of that leaf is invalidated.
extension TranslationBuffer {
  /// Forgets one page of 2^`shift` bytes in a buffer that holds no other size and has one way. False,
  /// with nothing done, if it is not such a buffer.
  ///
  /// - Parameter address: of the page, below 2^48.
  @inline(__always)
  mutating func removePage(_ address: UInt64, _ shift: UInt64, space: UInt64) -> Bool {
    guard isDirectMapped, holdsOnly(shift), !holdsFragments else { return false }
    // Safety: as `set`.
    let line = unsafe onlyLine(address, shift, Self.salt(space))
    if unsafe line.pointee.tag == address | space &<< 48 | shift {
      unsafe line.pointee = Line(tag: 0, data: 0)
    }
    return true
  }

  /// Forgets what was made from leaves of `space` that are in scope.
  ///
  /// Cost: one set per page and size while that is less than half of the buffer, else a scan.
  mutating func remove(space: UInt64, _ scope: InvalidationScope) {
    remove(space: space, scope) { scope.covers($1, leafShift: $0.leafShift) }
  }

  /// The same for a buffer of table descriptors.
  mutating func removeTables(space: UInt64, _ scope: InvalidationScope) {
    if scope.leafOnly { return }
    remove(space: space, scope) { scope.coversTable($1, shift: $0.shift) }
  }

  /// The same for the cache of last-level tables, whose entries are pieces of them.
  mutating func removePieces(space: UInt64, _ scope: InvalidationScope) {
    if scope.leafOnly { return }
    remove(space: space, scope) { _, _ in true }
  }

  @inline(__always)
  private mutating func remove(
    space: UInt64, _ scope: InvalidationScope, where matches: (Line, TranslationDetail) -> Bool
  ) {
    if sizesInUse == 0 { return }
    let (first, last) = (scope.first, scope.last)
    let smallest = UInt64(truncatingIfNeeded: sizesInUse.trailingZeroBitCount)
    let pages = (last &>> smallest) &- (first &>> smallest)
    if holdsFragments || pages > setMask &>> (setShift &+ 1) {
      removeAll { $0.space == space && $0.touches(first, last) && matches($0, $1) }
      return
    }
    let salt = Self.salt(space)
    var sizes = sizesInUse
    while sizes != 0 {
      let shift = UInt64(truncatingIfNeeded: sizes.trailingZeroBitCount)
      sizes &= sizes &- 1
      var page = first &>> shift
      let end = last &>> shift
      repeat {
        let address = page &<< shift
        // An input of more than 52 bits is nobody's, and its tag is another's.
        if address &>> 52 != 0 { break }
        unsafe remove(
          Self.tag(address, shift, space), from: set(address, shift, salt), where: matches)
        page &+= 1
      } while page <= end
    }
  }

  @inline(__always)
  private func remove(
    _ tag: UInt64, from set: UnsafeMutablePointer<Line>,
    where matches: (Line, TranslationDetail) -> Bool
  ) {
    // Safety: as `set(_:_:_:)`, which gave the pointer.
    var way = 0
    let last = ways &- 1
    while way <= last {
      if unsafe set[way].tag == tag {
        guard unsafe matches(set[way], detail(of: set + way)) else { return }
        while way < last {
          unsafe move(set + (way &+ 1), to: set + way)
          way &+= 1
        }
        unsafe set[last] = Line(tag: 0, data: 0)
        return
      }
      way &+= 1
    }
  }

  /// Forgets every entry for which `matches` holds. O(entries), O(1) when empty.
  mutating func removeAll(where matches: (Line, TranslationDetail) -> Bool) {
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
        if unsafe matches(line, detail(of: first + way)) { continue }
        if kept != way { unsafe move(first + way, to: first + kept) }
        kept &+= 1
        sizes |= 1 &<< line.shift
        if line.shift < line.leafShift { fragments = true }
      }
      for way in kept..<waysCount { unsafe first[way] = Line(tag: 0, data: 0) }
    }
    sizesInUse = sizes
    holdsFragments = fragments
  }

  mutating func removeAll() { removeAll { _, _ in true } }
}
