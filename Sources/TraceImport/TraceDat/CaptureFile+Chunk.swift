import CZstd

extension CaptureFile {
  /// A compressed piece at `offset`: u32 stored size, u32 plain size, data. Also says where it ends.
  func decompress(
    at offset: UInt64, _ subject: String
  ) throws(ImportError) -> (plain: OrderedBytes, end: UInt64) {
    let head = try read(8, at: offset, subject)
    let storedSize = head.number(at: 0, size: 4) ?? 0
    let plainSize = head.number(at: 4, size: 4) ?? 0
    guard isZstd else {
      throw malformed(
        subject, at: offset, expected: "zstd or no compression", found: "another algorithm")
    }
    guard plainSize <= Self.pieceLimitBytes else {
      throw malformed(
        subject, at: offset, expected: "at most \(Self.pieceLimitBytes) bytes plain",
        found: "\(plainSize)")
    }
    let stored = try read(storedSize, at: offset + 8, subject)
    var plain = [UInt8](repeating: 0, count: Int(plainSize))
    // Safety: both arrays outlive the call and their true sizes are passed.
    let written = unsafe ZSTD_decompress(&plain, plain.count, stored.bytes, stored.count)
    guard ZSTD_isError(written) == 0, written == plain.count else {
      let reason =
        ZSTD_isError(written) != 0
        ? unsafe String(cString: ZSTD_getErrorName(written)) : "\(written) bytes"
      throw malformed(subject, at: offset, expected: "\(plainSize) bytes of zstd", found: reason)
    }
    return (OrderedBytes(plain, isBigEndian: isBigEndian), offset + 8 + storedSize)
  }
}
