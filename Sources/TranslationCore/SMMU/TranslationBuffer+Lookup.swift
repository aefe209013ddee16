/// Finding an entry whose page size is not known. What is known is asked with `onlyWay`.
extension TranslationBuffer {
  /// As `find`, for addresses that tend to stay in the page of the last hit.
  @inline(__always)
  mutating func findNear(_ address: UInt64, space: UInt64) -> Line? {
    // Safety: `near` is a line of the buffer. An entry that went has another tag, or 0.
    let line = unsafe near.pointee
    if Self.tag(address, max(line.shift, 12), space) == line.tag { return line }
    guard let found = unsafe find(address, space: space) else { return nil }
    unsafe near = found
    return unsafe found.pointee
  }

  /// The entry for `address` whatever its size. Larger pages are tried first: they are what most
  /// accesses meet.
  @inline(never)
  mutating func find(_ address: UInt64, space: UInt64) -> UnsafeMutablePointer<Line>? {
    let salt = Self.salt(space)
    var sizes = sizesInUse
    while sizes != 0 {
      let shift = 63 &- UInt64(truncatingIfNeeded: sizes.leadingZeroBitCount)
      sizes ^= 1 &<< shift
      if let line = unsafe find(address, shift, space: space, salt) { return unsafe line }
    }
    return nil
  }

  /// The same, smaller sizes first: of tables, those of the deepest level.
  mutating func findSmallest(_ address: UInt64, space: UInt64) -> UnsafeMutablePointer<Line>? {
    let salt = Self.salt(space)
    var sizes = sizesInUse
    while sizes != 0 {
      let shift = UInt64(truncatingIfNeeded: sizes.trailingZeroBitCount)
      sizes &= sizes &- 1
      if let line = unsafe find(address, shift, space: space, salt) { return unsafe line }
    }
    return nil
  }

  @inline(__always)
  private func find(
    _ address: UInt64, _ shift: UInt64, space: UInt64, _ salt: UInt64
  ) -> UnsafeMutablePointer<Line>? {
    let tag = Self.tag(address, shift, space)
    // Safety: as `set`.
    var line = unsafe set(address, shift, salt)
    if unsafe line.pointee.tag == tag { return unsafe line }
    if isDirectMapped { return nil }
    for _ in 1..<ways {
      unsafe line += 1
      if unsafe line.pointee.tag == tag { return unsafe line }
    }
    return nil
  }

  /// How many entries answer for `address` in two spaces, of which the second may be none.
  func count(_ address: UInt64, space: UInt64, or other: UInt64) -> Int {
    count(address, space: space) + (other == 0 || other == space ? 0 : count(address, space: other))
  }

  private func count(_ address: UInt64, space: UInt64) -> Int {
    var found = 0
    var sizes = sizesInUse
    while sizes != 0 {
      let shift = UInt64(truncatingIfNeeded: sizes.trailingZeroBitCount)
      sizes &= sizes &- 1
      // Safety: as `set`.
      let first = unsafe set(address, shift, Self.salt(space))
      for way in 0..<ways where unsafe first[way].tag == Self.tag(address, shift, space) {
        found += 1
      }
    }
    return found
  }
}
