import EventModel

extension FrameDecoder {
  /// Events that are unpacked together: their scratch memory stays in a first-level cache.
  static let blockEvents = 256

  /// Writes the next events, `output.count` or as many as remain, and says how many. No allocation.
  mutating func decode(
    into output: UnsafeMutableBufferPointer<TraceEvent>
  ) throws(TraceError) -> Int {
    let count = min(output.count, remaining)
    guard count > 0, let base = output.baseAddress else { return 0 }
    let first = position.event
    var done = 0
    while done < count {
      let block = min(count - done, Self.blockEvents)
      // Safety: `output` has room for `count` records.
      guard unsafe decodeBlock(into: UnsafeMutableRawPointer(base + done), count: block) else {
        throw TraceError(
          .malformed, "slot code", expected: "a slot that was loaded",
          found: "an empty one among events \(first)..<\(first + count) of the frame")
      }
      done += block
    }
    return count
  }

  /// One block: unpack times and slots, then put the events together in runs between cold ones.
  private mutating func decodeBlock(into output: UnsafeMutableRawPointer, count: Int) -> Bool {
    let end = position.event + count
    unpackTimes(count: count, end: UInt64(end))
    unpackSlots(count: count, end: UInt64(end))
    var valid = UInt64.max
    var done = 0
    while done < count {
      // Safety: the position list is closed by a position that is never reached.
      let cold = unsafe columns.coldPosition[position.cold]
      if cold == UInt64(position.event + done) { loadColdSlot(blockIndex: done) }
      let nextCold = unsafe columns.coldPosition[position.cold]
      let runEnd = min(nextCold, UInt64(end)) - UInt64(position.event)
      let run = Int(runEnd) - done
      unsafe emit(
        into: output + done * MemoryLayout<TraceEvent>.stride, from: done, count: run,
        valid: &valid)
      done += run
    }
    position.event = end
    return valid == .max
  }

  /// Ticks since the event before, for each event of the block.
  private mutating func unpackTimes(count: Int, end: UInt64) {
    // Safety: the streams have `remaining` more elements, of which `count` are read; late positions
    // are below `end` when they are used, and at or behind the block's first event.
    let ticks = unsafe self.ticks
    let first = position.event
    // Eight at a time; the last eight may reach into the slack behind the stream and the scratch.
    if payload.timeWidth == 1 {
      let codes = unsafe UnsafeRawPointer(columns.time1 + first)
      for index in stride(from: 0, to: count, by: 8) {
        let eight = unsafe codes.loadUnaligned(fromByteOffset: index, as: SIMD8<UInt8>.self)
        unsafe UnsafeMutableRawPointer(ticks + index)
          .storeBytes(of: SIMD8<UInt64>(truncatingIfNeeded: eight), as: SIMD8<UInt64>.self)
      }
    } else {
      let codes = unsafe UnsafeRawPointer(columns.time2 + first)
      for index in stride(from: 0, to: count, by: 8) {
        let eight = unsafe codes.loadUnaligned(fromByteOffset: 2 * index, as: SIMD8<UInt16>.self)
        unsafe UnsafeMutableRawPointer(ticks + index)
          .storeBytes(of: SIMD8<UInt64>(truncatingIfNeeded: eight), as: SIMD8<UInt64>.self)
      }
    }
    while unsafe columns.latePosition[position.late] < end {
      let index = unsafe Int(columns.latePosition[position.late]) - first
      unsafe ticks[index] = columns.late[position.late]
      position.late += 1
    }
  }

  /// The slot of each event of the block, as an offset in bytes.
  private mutating func unpackSlots(count: Int, end: UInt64) {
    // Safety: as for times.
    let offsets = unsafe slotOffsets
    let first = position.event
    let codes = unsafe columns.codes + first
    for index in 0..<count { unsafe offsets[index] = UInt32(codes[index]) &<< 6 }
    while unsafe columns.extendedPosition[position.extended] < end {
      let index = unsafe Int(columns.extendedPosition[position.extended]) - first
      unsafe offsets[index] = UInt32(columns.extended[position.extended]) &<< 6
      position.extended += 1
    }
  }

  /// The event loop: copies `count` slots into records, and moves the slots on. `valid` loses its
  /// ones if a slot was never loaded.
  ///
  /// Safety: offsets are below the size of `slots`, because codes are bytes and `open` checked the
  /// extended numbers; the output has room for `count` records.
  @inline(__always)
  private mutating func emit(
    into output: UnsafeMutableRawPointer, from blockIndex: Int, count: Int, valid: inout UInt64
  ) {
    let slotBase = unsafe slots.base
    let ticks = unsafe self.ticks + blockIndex
    let offsets = unsafe slotOffsets + blockIndex
    let nanosecondsPerTick = payload.nanosecondsPerTick
    var time = position.time
    var allValid = valid
    var out = unsafe output
    for index in 0..<count {
      let slot = unsafe slotBase + Int(offsets[index])
      unsafe time &+= ticks[index] &* nanosecondsPerTick
      allValid &= unsafe slot.load(as: UInt64.self)
      let addresses = unsafe slot.loadUnaligned(fromByteOffset: 8, as: SIMD2<UInt64>.self)
      let payload = unsafe slot.loadUnaligned(fromByteOffset: 24, as: SIMD2<UInt64>.self)
      let tail = unsafe slot.load(fromByteOffset: 40, as: UInt64.self)
      let strides = unsafe slot.load(fromByteOffset: 48, as: SIMD2<UInt64>.self)
      unsafe out.storeBytes(of: time, as: UInt64.self)
      unsafe out.storeBytes(of: addresses, toByteOffset: 8, as: SIMD2<UInt64>.self)
      unsafe out.storeBytes(of: payload, toByteOffset: 24, as: SIMD2<UInt64>.self)
      unsafe out.storeBytes(of: tail, toByteOffset: 40, as: UInt64.self)
      unsafe slot.storeBytes(of: addresses &+ strides, toByteOffset: 8, as: SIMD2<UInt64>.self)
      unsafe out += MemoryLayout<TraceEvent>.stride
    }
    position.time = time
    valid = allValid
  }

  /// Spells out the next cold event into the slot that it names.
  private mutating func loadColdSlot(blockIndex: Int) {
    // Safety: as for `emit`; a page index is below `PageMemory.entries`, and `open` checked the
    // shape numbers and that there are as many literal words as shapes ask for.
    let cold = position.cold
    let slot = unsafe slots.base + Int(slotOffsets[blockIndex])
    let shape = unsafe Int(truncatingIfNeeded: columns.coldShape[cold])
    let word0 = unsafe columns.coldWord0[cold]
    let page = unsafe pageMemory.base + PageMemory.index(word0) &* 8
    let source = unsafe columns.shapeSource[shape]
    var word1: UInt64 = 0
    if source == Word1Source.literal.rawValue {
      unsafe word1 = columns.literal[position.literal]
      position.literal &+= 1
    } else if source == Word1Source.mapped.rawValue {
      unsafe word1 = page.load(as: UInt64.self) | (word0 & PageMemory.offsetMask)
    }
    if source != Word1Source.zero.rawValue {
      unsafe page.storeBytes(of: word1 & ~PageMemory.offsetMask, as: UInt64.self)
    }
    // Stored 16 bytes at a time, as the loop loads them: a load that spans two recent stores waits.
    let payload = unsafe SIMD2(columns.shapeWord2[shape], columns.shapeWord3[shape])
    let strides = unsafe SIMD2(columns.stride0[cold], columns.stride1[cold])
    unsafe slot.storeBytes(of: UInt64.max, as: UInt64.self)
    unsafe slot.storeBytes(of: SIMD2(word0, word1), toByteOffset: 8, as: SIMD2<UInt64>.self)
    unsafe slot.storeBytes(of: payload, toByteOffset: 24, as: SIMD2<UInt64>.self)
    unsafe slot.storeBytes(of: columns.shapeTail[shape], toByteOffset: 40, as: UInt64.self)
    unsafe slot.storeBytes(of: strides, toByteOffset: 48, as: SIMD2<UInt64>.self)
    position.cold &+= 1
  }
}
