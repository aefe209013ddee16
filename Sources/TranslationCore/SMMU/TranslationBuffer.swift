/// One set-associative cache of translations, used for the combined TLB, the stage-2 TLB and the
/// caches of tables.
///
/// **Tag.** Input address without the page's offset; a 16-bit space number in bits 63:48; log2 of the
/// page's bytes in bits 5:0, which is never 0 for a valid entry. Of inputs wider than 48 bits the
/// upper four stand in bits 11:8.
///
/// **Data.** Bits 63:12: what to add to the input to get the output, modulo 2^64. Bit 0 set: not
/// readable. Bit 1 set: not writable. Bits 9:4: log2 of the leaf's bytes, which are more than the
/// page's own when stage 2 maps a stage-1 leaf in smaller pieces. So a hit costs one compare, one
/// test, one sum. Lines of the stage-2 TLB have in bits 3:2 and 11 what `Stage2Result` has there.
///
/// **Detail.** A second word, apart: `TranslationDetail`.
///
/// **Order.** In a set, valid entries come first and the newest of them is way 0; a full set loses
/// its oldest. A hit changes nothing, so reading is free of stores.
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
    /// First input address.
    var input: UInt64 { tag & 0xFFFF_FFFF_F000 | (tag & 0xF00) &<< 40 }
    /// Whether the leaf behind the entry has an address in `first`…`last`.
    func touches(_ first: UInt64, _ last: UInt64) -> Bool {
      let leaf = input &>> leafShift
      return first &>> leafShift <= leaf && leaf <= last &>> leafShift
    }
  }

  private let pages: ZeroedPages
  private let detailPages: ZeroedPages
  private let details: UnsafeMutablePointer<UInt64>
  let lines: UnsafeMutablePointer<Line>
  /// Where `findNear` looks first.
  private var near: UnsafeMutablePointer<Line>
  /// The set index in its place within a byte offset: sets are 2^`setShift` bytes apart.
  let setMask: UInt64
  let setShift: UInt64
  let isEnabled: Bool
  /// Bit s: pages of 2^s bytes were inserted since the buffer was last empty.
  var sizesInUse: UInt64 = 0
  /// Some entry is smaller than the leaf it was made from.
  var holdsFragments = false

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
    detailPages = ZeroedPages(byteCount: 8 << entriesLog2)
    unsafe details = detailPages.table(of: UInt64.self)
  }

  var ways: Int { 1 &<< Int(truncatingIfNeeded: setShift &- 4) }

  /// What a space adds to the set index, so that equal addresses of two spaces part.
  @inline(__always)
  static func salt(_ space: UInt64) -> UInt64 { (space &* 0x9E37_79B1) & 0xFFFF_FFFF }

  /// First line of the set for an address.
  @inline(__always)
  func set(_ address: UInt64, _ shift: UInt64, _ salt: UInt64)
    -> UnsafeMutablePointer<Line>
  {
    let offset = ((address &>> (shift &- setShift)) ^ salt) & setMask
    // Safety: a masked offset is that of a set inside the allocation, and `ways` lines follow it.
    return unsafe UnsafeMutableRawPointer(lines).advanced(by: Int(truncatingIfNeeded: offset))
      .assumingMemoryBound(to: Line.self)
  }

  @inline(__always)
  static func tag(_ address: UInt64, _ shift: UInt64, _ space: UInt64) -> UInt64 {
    address & (0xFFFF_FFFF_F000 &<< (shift &- 12)) & 0xFFFF_FFFF_F000 | (address &>> 40) & 0xF00
      | space &<< 48 | shift
  }

  /// What is known of a line beside its translation.
  func detail(of line: UnsafeMutablePointer<Line>) -> TranslationDetail {
    // Safety: callers pass a line of this buffer, and each has a detail.
    TranslationDetail(word: unsafe details[line - lines])
  }

  func setDetail(_ detail: TranslationDetail, of line: UnsafeMutablePointer<Line>) {
    // Safety: as `detail(of:)`.
    unsafe details[line - lines] = detail.word
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
  func onlyLine(_ address: UInt64, _ shift: UInt64, _ salt: UInt64)
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

  /// Stores an entry for a page that is as large as its leaf.
  ///
  /// - Parameter place: whose bits under `setMask` tell the set of a buffer with one way.
  @inline(__always)
  mutating func replace(
    at place: UInt64, tag: UInt64, data: UInt64, shift: UInt64, detail: UInt64
  ) {
    sizesInUse |= 1 &<< shift
    let offset = Int(truncatingIfNeeded: place & setMask)
    // Safety: as `set`; a line is 16 bytes long and its detail 8.
    unsafe UnsafeMutableRawPointer(lines).advanced(by: offset)
      .storeBytes(of: Line(tag: tag, data: data | shift &<< 4), as: Line.self)
    unsafe UnsafeMutableRawPointer(details).advanced(by: offset &>> 1)
      .storeBytes(of: detail, as: UInt64.self)
  }

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
  @inline(__always)
  func find(_ address: UInt64, space: UInt64) -> UnsafeMutablePointer<Line>? {
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
  func findSmallest(_ address: UInt64, space: UInt64) -> UnsafeMutablePointer<Line>? {
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
    var left = ways
    repeat {
      if unsafe line.pointee.tag == tag { return unsafe line }
      unsafe line += 1
      left &-= 1
    } while left != 0
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

  /// Adds an entry, in place of one for the same page.
  ///
  /// - Parameters:
  ///   - output: where `address` itself leads.
  ///   - low: bits of the data that are not address or size.
  @inline(__always)
  mutating func insert(
    _ address: UInt64, space: UInt64, shift: UInt64, leafShift: UInt64, output: UInt64,
    low: UInt64, detail: TranslationDetail
  ) {
    guard isEnabled else { return }
    sizesInUse |= 1 &<< shift
    if shift < leafShift { holdsFragments = true }
    let tag = Self.tag(address, shift, space)
    // Safety: as `set`.
    let first = unsafe set(address, shift, Self.salt(space))
    var way = 0
    while way < ways &- 1, unsafe first[way].tag != tag { way &+= 1 }
    while way > 0 {
      unsafe move(first + (way &- 1), to: first + way)
      way &-= 1
    }
    unsafe first.pointee = Line(
      tag: tag, data: (output &- address) & ~0xFFF | low | leafShift &<< 4)
    unsafe setDetail(detail, of: first)
  }

  @inline(__always)
  func move(_ line: UnsafeMutablePointer<Line>, to place: UnsafeMutablePointer<Line>) {
    // Safety: callers pass lines of this buffer.
    unsafe place.pointee = line.pointee
    unsafe setDetail(detail(of: line), of: place)
  }
}
