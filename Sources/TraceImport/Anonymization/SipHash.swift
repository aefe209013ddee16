/// SipHash-2-4 of 16-byte messages: a keyed pseudo-random function (Aumasson and Bernstein, "SipHash: a
/// fast short-input PRF", 2012). Without the key nobody can tell its answers from chance.
package struct SipHash: Sendable {
  private let key: (UInt64, UInt64)

  /// - Parameter key: little-endian, as the paper numbers its halves.
  package init(key: (UInt64, UInt64)) { self.key = key }

  /// The answer for two words, each taken as eight little-endian bytes.
  package func hash(_ first: UInt64, _ second: UInt64) -> UInt64 {
    var state = State(key)
    state.absorb(first)
    state.absorb(second)
    // The last block of a message holds its length in the top byte.
    state.absorb(16 << 56)
    return state.finish()
  }

  /// The answer for one word.
  package func hash(_ word: UInt64) -> UInt64 {
    var state = State(key)
    state.absorb(word)
    state.absorb(8 << 56)
    return state.finish()
  }

  private struct State {
    var v0: UInt64
    var v1: UInt64
    var v2: UInt64
    var v3: UInt64

    init(_ key: (UInt64, UInt64)) {
      v0 = key.0 ^ 0x736F_6D65_7073_6575
      v1 = key.1 ^ 0x646F_7261_6E64_6F6D
      v2 = key.0 ^ 0x6C79_6765_6E65_7261
      v3 = key.1 ^ 0x7465_6462_7974_6573
    }

    mutating func absorb(_ block: UInt64) {
      v3 ^= block
      round()
      round()
      v0 ^= block
    }

    mutating func finish() -> UInt64 {
      v2 ^= 0xFF
      for _ in 0..<4 { round() }
      return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func round() {
      v0 &+= v1
      v1 = Self.rotate(v1, 13) ^ v0
      v0 = Self.rotate(v0, 32)
      v2 &+= v3
      v3 = Self.rotate(v3, 16) ^ v2
      v0 &+= v3
      v3 = Self.rotate(v3, 21) ^ v0
      v2 &+= v1
      v1 = Self.rotate(v1, 17) ^ v2
      v2 = Self.rotate(v2, 32)
    }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 {
      word &<< count | word &>> (64 - count)
    }
  }
}
