import Histogram

/// The histogram in the formats of HdrHistogram (hdrhistogram.org), which its tools in other languages read.
extension LatencyHistogram {
  /// The V2 encoding: a header of 40 bytes and the counts as ZigZag LEB128, each run of empty buckets as one
  /// negative number (HdrHistogram, `AbstractHistogram.encodeIntoByteBuffer` and `ZigZagEncoding`).
  package var encodedV2: [UInt8] {
    var counts: [UInt8] = []
    var next = 0
    for bucket in buckets {
      let index = Self.bucket(of: bucket.value)
      if index > next { Self.append(-Int64(index - next), to: &counts) }
      Self.append(Int64(clamping: bucket.count), to: &counts)
      next = index + 1
    }
    if next == 0 { counts = [0] }
    var bytes: [UInt8] = []
    Self.append(UInt32(0x1C84_9313), to: &bytes)
    Self.append(UInt32(counts.count), to: &bytes)
    // No shift of the index, three significant digits, from 1 to the highest value, one unit per unit.
    Self.append(UInt32(0), to: &bytes)
    Self.append(UInt32(3), to: &bytes)
    Self.append(UInt64(1), to: &bytes)
    Self.append(Self.highestNanoseconds, to: &bytes)
    Self.append((1.0).bitPattern, to: &bytes)
    return bytes + counts
  }

  /// The V2 compressed encoding: a header of 8 bytes and a zlib stream of `encodedV2`. The stream holds its
  /// bytes as they are (RFC 1951, §3.2.4, stored blocks): the counts are packed already, and every reader of
  /// zlib takes it.
  package var encodedV2Compressed: [UInt8] {
    let stream = Self.zlibStored(encodedV2)
    var bytes: [UInt8] = []
    Self.append(UInt32(0x1C84_9314), to: &bytes)
    Self.append(UInt32(stream.count), to: &bytes)
    return bytes + stream
  }

  /// The text of a `.hgrm` file: value by percentile, in units of `unitNanoseconds`.
  package func percentileDistribution(unitNanoseconds: Double) -> String {
    var text = ""
    histogram.outputPercentileDistribution(to: &text, outputValueUnitScalingRatio: unitNanoseconds)
    return text
  }

  /// Big-endian.
  private static func append(
    _ value: some FixedWidthInteger & UnsignedInteger, to bytes: inout [UInt8]
  ) {
    for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// ZigZag LEB128 of at most 9 bytes: the ninth holds 8 bits.
  private static func append(_ value: Int64, to bytes: inout [UInt8]) {
    var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
    for _ in 0..<8 {
      if rest < 0x80 {
        bytes.append(UInt8(rest))
        return
      }
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// RFC 1950 around RFC 1951.
  private static func zlibStored(_ bytes: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    var from = 0
    repeat {
      let count = min(bytes.count - from, 0xFFFF)
      let isLast = from + count == bytes.count
      stream += [
        isLast ? 1 : 0, UInt8(count & 0xFF), UInt8(count >> 8), UInt8(~count & 0xFF),
        UInt8(~count >> 8 & 0xFF),
      ]
      stream += bytes[from..<from + count]
      from += count
    } while from < bytes.count
    var a: UInt32 = 1
    var b: UInt32 = 0
    for byte in bytes {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    append(b << 16 | a, to: &stream)
    return stream
  }
}
