/// SHA-256 (FIPS 180-4), for naming traces by content. Streams; memory is constant.
///
/// Here and not from a package because the only one for Linux builds a whole TLS library for it. It is
/// checked against the standard's vectors, and it guards nothing but equality.
public struct SHA256: Sendable {
  private var state: [UInt32] = [
    0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB,
    0x5BE0_CD19,
  ]
  private var pending: [UInt8] = []
  private var length: UInt64 = 0

  public init() {}

  /// The digest of `bytes` in hex.
  public static func hex(_ bytes: some Sequence<UInt8>) -> String {
    var hash = SHA256()
    hash.update(Array(bytes))
    return hash.finish()
  }

  public mutating func update(_ bytes: [UInt8]) {
    length += UInt64(bytes.count)
    pending += bytes
    let whole = pending.count / 64 * 64
    var schedule = [UInt32](repeating: 0, count: 64)
    for start in stride(from: 0, to: whole, by: 64) { compress(at: start, &schedule) }
    pending.removeFirst(whole)
  }

  /// Pads, and returns the digest in hex. The value must not be used afterwards.
  public mutating func finish() -> String {
    let bits = length * 8
    var padding: [UInt8] = [0x80]
    while (pending.count + padding.count) % 64 != 56 { padding.append(0) }
    for shift in stride(from: 56, through: 0, by: -8) {
      padding.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    update(padding)
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  /// FIPS 180-4, §6.2.2.
  private mutating func compress(at start: Int, _ w: inout [UInt32]) {
    for t in 0..<16 {
      let i = start + t * 4
      w[t] =
        UInt32(pending[i]) << 24 | UInt32(pending[i + 1]) << 16 | UInt32(pending[i + 2]) << 8
        | UInt32(pending[i + 3])
    }
    for t in 16..<64 {
      let s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3
      let s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10
      w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for t in 0..<64 {
      let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let choice = (e & f) ^ (~e & g)
      let t1 = h &+ sum1 &+ choice &+ Self.constants[t] &+ w[t]
      let sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
      let t2 = sum0 &+ ((a & b) ^ (a & c) ^ (b & c))
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
    }
    for (i, value) in [a, b, c, d, e, f, g, h].enumerated() { state[i] &+= value }
  }

  private func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (§4.2.2),
  /// computed rather than copied: a Newton step in 128-bit integers is exact enough.
  private static let constants: [UInt32] = {
    var primes: [UInt64] = []
    var candidate: UInt64 = 2
    while primes.count < 64 {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes.map { prime in
      // The largest r with r³ ≤ prime · 2⁹⁶; its low 32 bits are the fraction.
      var root: UInt128 = 0
      let target = UInt128(prime) << 96
      for bit in stride(from: 35, through: 0, by: -1) {
        let trial = root | UInt128(1) << UInt128(bit)
        if trial * trial * trial <= target { root = trial }
      }
      return UInt32(truncatingIfNeeded: root)
    }
  }()
}
