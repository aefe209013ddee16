import Testing

@testable import TraceFormat

@Suite struct XXH64Tests {
  /// Widely published values for seed 0, checked again with a second implementation written from
  /// the algorithm's description.
  @Test(arguments: [
    ("", 0xEF46_DB37_51D8_E999 as UInt64),
    ("a", 0xD24E_C4F1_A98C_6E5B),
    ("abc", 0x44BC_2CF5_AD77_0999),
    ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
  ])
  func knownVectorsMatch(text: String, hash: UInt64) {
    #expect(XXH64.hash(Array(text.utf8)) == hash)
  }

  @Test func everyFlippedBitChangesTheHash() {
    let bytes = (0..<77).map { UInt8($0) }
    let hash = XXH64.hash(bytes)
    for index in bytes.indices {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[index] ^= 1 << UInt8(bit)
        #expect(XXH64.hash(flipped) != hash)
      }
    }
  }
}
