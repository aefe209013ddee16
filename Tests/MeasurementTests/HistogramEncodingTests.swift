import Measurement
import Testing

@Suite struct HistogramEncodingTests {
  private static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  private static let header =
    "0000000000000003000000000000000100" + "0003ffffffffff3ff0000000000000"

  /// What PyPI hdrhistogram 0.10.8 gives for the same values: `HdrHistogram(1, 2**42 - 1, 3)`,
  /// `record_value(value, count)`, `encode()`, inflated.
  static let golden: [(values: [(UInt64, UInt64)], length: String, counts: String)] = [
    ([], "00000001", "00"),
    ([(1, 1)], "00000002", "0102"),
    ([(0, 3), (1, 1), (2_047, 2), (2_048, 5)], "00000006", "0602f91f040a"),
    (
      [(1_000, 1), (123_456, 70), (5_000_000_000, 300), ((1 << 42) - 1, 1)], "00000010",
      "cf0f02bf6e8c01bbf401d804ab9d0102"
    ),
    ([(777, 1 << 40)], "00000008", "910c808080808040"),
  ]

  @Test(arguments: golden.indices) func encodesAsTheReferenceDoes(index: Int) {
    let golden = Self.golden[index]
    var histogram = LatencyHistogram()
    for (value, count) in golden.values { histogram.record(value, count: count) }
    #expect(
      Self.hex(histogram.encodedV2) == "1c849313" + golden.length + Self.header + golden.counts)
  }

  @Test func theCompressedFormHoldsTheOther() {
    var histogram = LatencyHistogram()
    for doublings in 0..<21 as Range<UInt64> {
      for value in 1_024..<2_048 as Range<UInt64> {
        histogram.record(value << doublings, count: 1 << 20)
      }
    }
    let plain = histogram.encodedV2
    // Longer than one stored block can be.
    #expect(plain.count > 0xFFFF)
    let bytes = histogram.encodedV2Compressed
    #expect(Self.hex(bytes[0..<4]) == "1c849314" && Self.hex(bytes[8..<10]) == "7801")
    #expect(bytes.count - 8 == bytes[4..<8].reduce(0) { $0 << 8 | Int($1) })
    var found: [UInt8] = []
    var at = 10
    var isLast = false
    while !isLast {
      isLast = bytes[at] == 1
      let count = Int(bytes[at + 1]) | Int(bytes[at + 2]) << 8
      #expect(count ^ 0xFFFF == Int(bytes[at + 3]) | Int(bytes[at + 4]) << 8)
      found += bytes[at + 5..<at + 5 + count]
      at += 5 + count
    }
    #expect(found == plain && at + 4 == bytes.count)
  }
}
