/// The checksum of the format: XXH64 with seed 0 (Y. Collet, "xxHash fast digest algorithm",
/// version 0.1.1, section "XXH64 algorithm description").
///
/// It finds accidents, not attackers. About 6 bytes per cycle, so it costs a tenth of decoding.
package enum XXH64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    // Safety: every load below is at `offset` with `offset + width <= bytes.count`.
    let count = bytes.count
    var offset = 0
    var hash: UInt64
    if count >= 32 {
      var lane1 = prime1 &+ prime2
      var lane2 = prime2
      var lane3: UInt64 = 0
      var lane4 = 0 &- prime1
      while offset &+ 32 <= count {
        lane1 = unsafe round(lane1, load(bytes, offset))
        lane2 = unsafe round(lane2, load(bytes, offset &+ 8))
        lane3 = unsafe round(lane3, load(bytes, offset &+ 16))
        lane4 = unsafe round(lane4, load(bytes, offset &+ 24))
        offset &+= 32
      }
      hash =
        rotate(lane1, 1) &+ rotate(lane2, 7) &+ rotate(lane3, 12) &+ rotate(lane4, 18)
      for lane in [lane1, lane2, lane3, lane4] {
        hash = (hash ^ round(0, lane)) &* prime1 &+ prime4
      }
    } else {
      hash = prime5
    }
    hash &+= UInt64(count)
    while offset &+ 8 <= count {
      hash ^= unsafe round(0, load(bytes, offset))
      hash = rotate(hash, 27) &* prime1 &+ prime4
      offset &+= 8
    }
    if offset &+ 4 <= count {
      let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
      hash ^= UInt64(UInt32(littleEndian: word)) &* prime1
      hash = rotate(hash, 23) &* prime2 &+ prime3
      offset &+= 4
    }
    while offset < count {
      hash ^= unsafe UInt64(bytes[offset]) &* prime5
      hash = rotate(hash, 11) &* prime1
      offset &+= 1
    }
    hash = (hash ^ (hash &>> 33)) &* prime2
    hash = (hash ^ (hash &>> 29)) &* prime3
    return hash ^ (hash &>> 32)
  }

  package static func hash(_ bytes: [UInt8]) -> UInt64 {
    // Safety: the pointer is used within the closure only.
    unsafe bytes.withUnsafeBytes { unsafe hash($0) }
  }

  @inline(always)
  private static func load(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
    // Safety: the callers keep offset + 8 within the buffer.
    UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  @inline(always)
  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
    (value &<< bits) | (value &>> (64 &- bits))
  }

  @inline(always)
  private static func round(_ lane: UInt64, _ input: UInt64) -> UInt64 {
    rotate(lane &+ input &* prime2, 31) &* prime1
  }
}
