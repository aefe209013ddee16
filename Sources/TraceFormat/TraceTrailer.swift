/// The end of a finished trace: totals, and where the index is. Byte layout: `Traces/README.md`,
/// "Trailer".
struct TraceTrailer: Hashable, Sendable {
  var indexOffset: UInt64
  var indexFrames: UInt64
  var totals: TraceTotals
  var fileID: UInt64
  /// Bytes of the whole file, this trailer included.
  var fileSize: UInt64

  static let magic: [UInt8] = [0xDB, 0x45, 0x4E, 0x44, 0x0D, 0x0A, 0xB0, 0xF5]
  static let size = 96

  func encoded() -> [UInt8] {
    var bytes = Self.magic
    bytes.append(number: indexOffset)
    bytes.append(number: indexFrames)
    bytes.append(totals: totals)
    bytes.append(number: fileID)
    bytes.append(number: fileSize)
    bytes.append(number: XXH64.hash(bytes))
    precondition(bytes.count == Self.size)
    return bytes
  }
}

extension TraceTrailer {
  init(decoding bytes: [UInt8]) throws(TraceError) {
    guard bytes.count == Self.size, bytes.prefix(8).elementsEqual(Self.magic) else {
      throw TraceError(
        .truncated, "end of file", expected: "a trailer of \(Self.size) bytes",
        found: "other bytes")
    }
    let checksum = XXH64.hash(Array(bytes[..<(Self.size - 8)]))
    self = try bytes.cursor { (cursor) throws(TraceError) in
      let field = "trailer"
      let _: UInt64 = try cursor.number(field)
      let indexOffset: UInt64 = try cursor.number(field)
      let indexFrames: UInt64 = try cursor.number(field)
      let totals = try cursor.totals()
      let fileID: UInt64 = try cursor.number(field)
      let fileSize: UInt64 = try cursor.number(field)
      let stated: UInt64 = try cursor.number(field)
      guard stated == checksum else {
        throw TraceError(.damaged, "trailer checksum", expected: stated.hex, found: checksum.hex)
      }
      return TraceTrailer(
        indexOffset: indexOffset, indexFrames: indexFrames, totals: totals, fileID: fileID,
        fileSize: fileSize)
    }
  }
}
