import TraceFormat

@testable import TraceFormat

/// Makes every checksum of a damaged trace right, so that only the checks of the content stand between
/// it and memory: what a hostile writer would do.
enum Seal {
  static func seal(_ damaged: [UInt8]) -> [UInt8] {
    var bytes = damaged
    guard bytes.count >= TraceHeader.fixedSize else { return bytes }
    let provenanceSize = Int(number(bytes, at: 136, count: 4))
    let end = TraceHeader.fixedSize + provenanceSize
    guard end <= bytes.count else { return bytes }
    let provenance = Array(bytes[TraceHeader.fixedSize..<end])
    var identified = Array(bytes[..<80])
    identified[15] = 0
    let fileID = XXH64.hash(identified + provenance)
    bytes.replace(number: fileID, at: 128)
    bytes.replace(number: XXH64.hash(provenance), at: 144)
    bytes.replace(number: XXH64.hash(Array(bytes[..<152])), at: 152)
    var place = end
    while place + 96 <= bytes.count {
      if bytes[place..<(place + 8)].elementsEqual(TraceTrailer.magic) {
        bytes.replace(number: fileID, at: place + 72)
        bytes.replace(number: XXH64.hash(Array(bytes[place..<(place + 88)])), at: place + 88)
        place += 96
      } else if bytes[place..<(place + 8)].elementsEqual(FrameHeader.marker) {
        place = sealFrame(at: place, fileID, &bytes)
      } else {
        place += 1
      }
    }
    return bytes
  }

  private static func sealFrame(at place: Int, _ fileID: UInt64, _ bytes: inout [UInt8]) -> Int {
    let headerSize = Int(number(bytes, at: place + 8, count: 2))
    let payload = place + headerSize
    guard headerSize >= 96, payload <= bytes.count else { return place + 1 }
    bytes.replace(number: fileID, at: place + 56)
    let plainSize = Int(number(bytes, at: place + 12, count: 4))
    let storedSize = min(Int(number(bytes, at: place + 16, count: 4)), bytes.count - payload)
    let stored = Array(bytes[payload..<(payload + storedSize)])
    if let codec = TraceCodec(rawValue: bytes[place + 11]),
      let plain = plain(stored, codec, size: plainSize)
    {
      bytes.replace(number: XXH64.hash(plain), at: place + 64)
    }
    bytes.replace(number: UInt64(0), at: place + 88)
    bytes.replace(number: XXH64.hash(Array(bytes[place..<payload])), at: place + 88)
    return payload
  }

  private static func plain(_ stored: [UInt8], _ codec: TraceCodec, size: Int) -> [UInt8]? {
    if codec == .none { return stored }
    guard size <= 1 << 20 else { return nil }
    var plain = RawBuffer()
    plain.reserve(size)
    let isWhole = stored.withUnsafeBytes { input in
      (try? Decompressor().decompress(input, codec: codec, into: plain.base, plainSize: size))
        != nil
    }
    return isWhole ? [UInt8](UnsafeRawBufferPointer(start: plain.base, count: size)) : nil
  }

  private static func number(_ bytes: [UInt8], at offset: Int, count: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64($1 * 8) }
  }
}
