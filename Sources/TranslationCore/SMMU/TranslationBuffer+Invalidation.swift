/// What leaves the buffer.
///
/// **Rule.** Whoever removes or narrows a mapping must invalidate before the next use that has to see
/// the change; adding one needs nothing, since absence is not cached. An entry made from a leaf goes
/// when any address of that leaf is invalidated.
extension TranslationBuffer {
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
