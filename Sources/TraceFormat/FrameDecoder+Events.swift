import EventModel

extension FrameDecoder {
  /// Writes the next events, `output.count` or as many as remain, and says how many. About 2 ns per
  /// event; no allocation.
  mutating func decode(
    into output: UnsafeMutableBufferPointer<TraceEvent>
  ) throws(TraceError) -> Int {
    let count = min(output.count, remaining)
    guard count > 0, let base = output.baseAddress else { return 0 }
    let first = position.event
    // Safety: `output` has room for `count` records; `open` proved what the loop relies on.
    let valid =
      unsafe payload.timeWidth == 1
      ? emit(into: UnsafeMutableRawPointer(base), count: count, times: columns.time1)
      : emit(into: UnsafeMutableRawPointer(base), count: count, times: columns.time2)
    guard valid else {
      throw TraceError(
        .malformed, "slot code", expected: "a slot that was loaded",
        found: "an empty one among events \(first)..<\(first + count) of the frame")
    }
    return count
  }

  /// The event loop. Returns false if some event came from a slot that was never loaded.
  ///
  /// Safety: all accesses stay inside because `open` proved that the escapes in both streams are as
  /// many as the elements of the columns they take from (each with one element of slack, which the
  /// loop may read ahead but never uses), that slot numbers are at most `TraceLimits.slots`, and
  /// shape numbers below the shape count.
  @inline(__always)
  private mutating func emit<Code: FixedWidthInteger & UnsignedInteger>(
    into output: UnsafeMutableRawPointer, count: Int, times: UnsafePointer<Code>
  ) -> Bool {
    let columns = unsafe self.columns
    let slotBase = unsafe slots.base
    let pages = unsafe pageMemory.base
    let ticks = payload.nanosecondsPerTick
    var at = position
    var valid = UInt64.max
    var out = unsafe output
    for index in at.event..<(at.event &+ count) {
      let time = unsafe times[index]
      let isLate = time == Code.max
      let late = unsafe columns.late[at.late]
      at.time &+= (isLate ? late : UInt64(time)) &* ticks
      at.late &+= isLate ? 1 : 0

      let code = unsafe columns.codes[index]
      let slot: UnsafeMutableRawPointer
      if code == EventPayloadHeader.coldCode {
        unsafe slot = Self.load(&at, columns, slotBase, pages)
      } else {
        let isExtended = code == EventPayloadHeader.extendedCode
        let extended = unsafe columns.extended[at.extended]
        at.extended &+= isExtended ? 1 : 0
        let number = isExtended ? extended : UInt64(code)
        unsafe slot = slotBase + Int(truncatingIfNeeded: number &<< 6)
      }
      valid &= unsafe slot.load(as: UInt64.self)
      let addresses = unsafe slot.loadUnaligned(fromByteOffset: 8, as: SIMD2<UInt64>.self)
      let payload = unsafe slot.loadUnaligned(fromByteOffset: 24, as: SIMD2<UInt64>.self)
      let tail = unsafe slot.load(fromByteOffset: 40, as: UInt64.self)
      let strides = unsafe slot.load(fromByteOffset: 48, as: SIMD2<UInt64>.self)
      unsafe out.storeBytes(of: at.time, as: UInt64.self)
      unsafe out.storeBytes(of: addresses, toByteOffset: 8, as: SIMD2<UInt64>.self)
      unsafe out.storeBytes(of: payload, toByteOffset: 24, as: SIMD2<UInt64>.self)
      unsafe out.storeBytes(of: tail, toByteOffset: 40, as: UInt64.self)
      unsafe slot.storeBytes(of: addresses &+ strides, toByteOffset: 8, as: SIMD2<UInt64>.self)
      unsafe out += MemoryLayout<TraceEvent>.stride
    }
    at.event &+= count
    position = at
    return valid == .max
  }

  /// Spells out the next cold event into its slot.
  @inline(__always)
  private static func load(
    _ at: inout Position, _ columns: Columns, _ slotBase: UnsafeMutableRawPointer,
    _ pages: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    // Safety: as for `emit`; a page index is below `PageMemory.entries`.
    let slot = unsafe slotBase + Int(truncatingIfNeeded: columns.coldSlot[at.cold] &<< 6)
    let shape = unsafe Int(truncatingIfNeeded: columns.coldShape[at.cold])
    let word0 = unsafe columns.coldWord0[at.cold]
    let page = unsafe pages + PageMemory.index(word0) &* 8
    let source = unsafe columns.shapeSource[shape]
    var word1: UInt64 = 0
    if source == Word1Source.literal.rawValue {
      unsafe word1 = columns.literal[at.literal]
      at.literal &+= 1
    } else if source == Word1Source.mapped.rawValue {
      unsafe word1 = page.load(as: UInt64.self) | (word0 & PageMemory.offsetMask)
    }
    if source != Word1Source.zero.rawValue {
      unsafe page.storeBytes(of: word1 & ~PageMemory.offsetMask, as: UInt64.self)
    }
    unsafe slot.storeBytes(of: UInt64.max, as: UInt64.self)
    unsafe slot.storeBytes(of: word0, toByteOffset: 8, as: UInt64.self)
    unsafe slot.storeBytes(of: word1, toByteOffset: 16, as: UInt64.self)
    unsafe slot.storeBytes(of: columns.shapeWord2[shape], toByteOffset: 24, as: UInt64.self)
    unsafe slot.storeBytes(of: columns.shapeWord3[shape], toByteOffset: 32, as: UInt64.self)
    unsafe slot.storeBytes(of: columns.shapeTail[shape], toByteOffset: 40, as: UInt64.self)
    unsafe slot.storeBytes(of: columns.stride0[at.cold], toByteOffset: 48, as: UInt64.self)
    unsafe slot.storeBytes(of: columns.stride1[at.cold], toByteOffset: 56, as: UInt64.self)
    at.cold &+= 1
    return unsafe slot
  }
}
