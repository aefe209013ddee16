import EventModel
import Glibc

extension FrameDecoder {
  /// Events that are unpacked together: their scratch memory stays in a first-level cache.
  static let blockEvents = 512

  /// Loads the slot table, once per frame.
  mutating func loadSlots() {
    slots.reserve(payload.slots * Self.slotSize)
    // Safety: `slots` has room for every entry, because the numbers below are a permutation of
    // 0..<slots: the direct positions ascend, so `direct` of them come before each other entry.
    // Shape numbers and the count of literal words were checked; page indices are below
    // `PageMemory.entries`.
    unsafe memset(pageMemory.base, 0, PageMemory.entries * 8)
    var direct = 0
    var literal = 0
    for entry in 0..<payload.slots {
      let isDirect = unsafe columns.directPosition[direct] == UInt64(entry)
      let number = isDirect ? direct : EventPayloadHeader.directSlots + entry - direct
      direct += isDirect ? 1 : 0
      let slot = unsafe slots.base + number * Self.slotSize
      let shape = unsafe Int(columns.slotShape[entry])
      let word0 = unsafe columns.slotWord0[entry]
      let page = unsafe pageMemory.base + PageMemory.index(word0) * 8
      let source = unsafe columns.shapeSource[shape]
      var word1: UInt64 = 0
      if source == Word1Source.literal.rawValue {
        unsafe word1 = columns.literal[literal]
        literal += 1
      } else if source == Word1Source.mapped.rawValue {
        unsafe word1 = page.load(as: UInt64.self) | (word0 & PageMemory.offsetMask)
      }
      if source != Word1Source.zero.rawValue {
        unsafe page.storeBytes(of: word1 & ~PageMemory.offsetMask, as: UInt64.self)
      }
      let payload = unsafe SIMD2(columns.shapeWord2[shape], columns.shapeWord3[shape])
      let strides = unsafe SIMD2(columns.stride0[entry], columns.stride1[entry])
      unsafe slot.storeBytes(of: SIMD2(word0, word1), toByteOffset: 8, as: SIMD2<UInt64>.self)
      unsafe slot.storeBytes(of: payload, toByteOffset: 24, as: SIMD2<UInt64>.self)
      unsafe slot.storeBytes(of: columns.shapeTail[shape], toByteOffset: 40, as: UInt64.self)
      unsafe slot.storeBytes(of: strides, toByteOffset: 48, as: SIMD2<UInt64>.self)
    }
  }

  /// Writes the next events, `output.count` or as many as remain, and says how many. No allocation.
  mutating func decode(into output: UnsafeMutableBufferPointer<TraceEvent>) -> Int {
    let count = min(output.count, remaining)
    guard count > 0, let base = output.baseAddress else { return 0 }
    var done = 0
    while done < count {
      let block = min(count - done, Self.blockEvents)
      unpackTimes(count: block)
      unpackSlots(count: block)
      // Safety: `output` has room for `count` records.
      unsafe emit(into: UnsafeMutableRawPointer(base + done), count: block)
      done += block
    }
    return count
  }

  /// Ticks since the event before, for each event of the block.
  private mutating func unpackTimes(count: Int) {
    // Safety: the streams have `remaining` more elements, of which `count` are used; late positions
    // are below `end` when they are used, and at or behind the block's first event. Eight are
    // unpacked at a time; the last eight may reach into the slack behind the stream, and the scratch
    // has room for a whole block.
    let ticks = unsafe self.ticks
    let first = position.event
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
    let end = UInt64(first &+ count)
    var late = position.late
    while true {
      let event = unsafe columns.latePosition[late]
      guard event < end else { break }
      unsafe ticks[Int(event) &- first] = unzigzag(columns.late[late])
      late &+= 1
    }
    position.late = late
  }

  /// The slot of each event of the block, as an offset in bytes.
  private mutating func unpackSlots(count: Int) {
    // Safety: as for times.
    let offsets = unsafe slotOffsets
    let first = position.event
    let codes = unsafe columns.codes + first
    for index in 0..<count { unsafe offsets[index] = UInt32(codes[index]) &<< 6 }
    let end = UInt64(first &+ count)
    var extended = position.extended
    while true {
      let event = unsafe columns.extendedPosition[extended]
      guard event < end else { break }
      let number = unsafe UInt32(truncatingIfNeeded: columns.extended[extended])
      unsafe offsets[Int(event) &- first] = number &<< 6
      extended &+= 1
    }
    position.extended = extended
  }

  /// The event loop: copies a slot into each record, and moves the slot on.
  ///
  /// Safety: offsets are inside `slots`, because `open` checked the largest code and the extended
  /// numbers; the output has room for `count` records.
  private mutating func emit(into output: UnsafeMutableRawPointer, count: Int) {
    let slotBase = unsafe slots.base
    let ticks = unsafe self.ticks
    let offsets = unsafe slotOffsets
    let nanosecondsPerTick = payload.nanosecondsPerTick
    var time = position.time
    var out = unsafe output
    for index in 0..<count {
      let slot = unsafe slotBase + Int(offsets[index])
      unsafe time &+= ticks[index] &* nanosecondsPerTick
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
    position.event &+= count
  }
}
