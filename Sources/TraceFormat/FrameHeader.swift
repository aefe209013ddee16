package import EventModel

/// What a frame's payload is.
package enum FrameKind: UInt8, Sendable, Hashable {
  /// Events, numbered by ordinal.
  case events = 1
  /// Configuration records that rebuild the state before the frame's first ordinal. They are coded
  /// like events but have no ordinals; a long snapshot is cut into numbered parts.
  case snapshot = 2
  /// UTF-8 key/value text, coded like the provenance.
  case note = 3
  /// Index entries. Index frames come after all others.
  case index = 4
}

/// The head of a frame: enough to find, skip and check the frame without any other part of the
/// file. Byte layout: `Traces/README.md`, "Frame header".
package struct FrameHeader: Hashable, Sendable {
  package var kind: FrameKind
  /// The codec of this payload: the file's, or none where the codec would not have helped.
  package var codec: TraceCodec = .none
  package var isLastPart = true
  package var plainSize: UInt32 = 0
  package var storedSize: UInt32 = 0
  /// Events, snapshot records, note entries or index entries.
  package var count: UInt32
  /// Ordinal of the first event; for other frames, of the event that follows.
  package var firstOrdinal: UInt64
  package var earliestTime: UInt64 = 0
  package var latestTime: UInt64 = 0
  /// Frames are numbered from 0 in file order.
  package var number: UInt64
  package var fileID: UInt64
  /// XXH64 of the payload before the codec.
  package var plainHash: UInt64 = 0
  /// Part of a snapshot, from 0.
  package var part: UInt32 = 0
  package var kinds: [KindCount] = []

  package struct KindCount: Hashable, Sendable {
    package var kind: EventKind
    package var count: UInt32
  }

  package init(kind: FrameKind, count: Int, firstOrdinal: UInt64, number: UInt64, fileID: UInt64) {
    self.kind = kind
    self.count = UInt32(count)
    self.firstOrdinal = firstOrdinal
    self.number = number
    self.fileID = fileID
  }

  package var headerSize: Int { Self.fixedSize + 4 * kinds.count }
  package var size: Int { headerSize + Int(storedSize) }
  package var kindMask: KindMask { kinds.reduce(into: KindMask()) { $0.insert($1.kind) } }
}

/// Which kinds of events a frame may hold: a clear bit is a promise. The bit of a kind is
/// `(raw / 16 × 8 + raw % 8) % 64`.
package struct KindMask: Hashable, Sendable {
  package var bits: UInt64 = 0
  package init(bits: UInt64 = 0) { self.bits = bits }
  private static func bit(_ kind: EventKind) -> UInt64 {
    1 &<< UInt64((kind.rawValue / 16 * 8 + kind.rawValue % 8) % 64)
  }
  package mutating func insert(_ kind: EventKind) { bits |= Self.bit(kind) }
  package func mayContain(_ kind: EventKind) -> Bool { bits & Self.bit(kind) != 0 }
}

extension FrameHeader {
  static let marker: [UInt8] = [0xDB, 0x46, 0x52, 0x4D, 0x0D, 0x0A, 0xB0, 0xF5]
  static let fixedSize = 96
  static let largestSize = fixedSize + 4 * 256
  private static let lastPartFlag: UInt16 = 1

  func encoded() -> [UInt8] {
    var bytes = Self.marker
    bytes.append(number: UInt16(headerSize))
    bytes.append(kind.rawValue)
    bytes.append(codec.rawValue)
    bytes.append(number: plainSize)
    bytes.append(number: storedSize)
    bytes.append(number: count)
    bytes.append(number: firstOrdinal)
    bytes.append(number: earliestTime)
    bytes.append(number: latestTime)
    bytes.append(number: number)
    bytes.append(number: fileID)
    bytes.append(number: plainHash)
    bytes.append(number: part)
    bytes.append(number: isLastPart ? Self.lastPartFlag : 0)
    bytes.append(number: UInt16(kinds.count))
    bytes.append(number: UInt64(0))
    bytes.append(number: UInt64(0))
    precondition(bytes.count == Self.fixedSize)
    for entry in kinds {
      bytes.append(number: entry.count | UInt32(entry.kind.rawValue) << 24)
    }
    bytes.replace(number: XXH64.hash(bytes), at: Self.fixedSize - 8)
    return bytes
  }

  /// The header's size as its first bytes state it, or nil where no frame starts.
  static func statedSize(_ bytes: [UInt8]) -> Int? {
    guard bytes.count >= fixedSize, bytes.prefix(8).elementsEqual(marker) else { return nil }
    let size = Int(bytes[8]) | Int(bytes[9]) << 8
    return size >= fixedSize && size <= largestSize && size % 4 == 0 ? size : nil
  }

  /// - Parameter bytes: exactly the header.
  init(decoding bytes: [UInt8]) throws(TraceError) {
    guard let size = Self.statedSize(bytes), size == bytes.count else {
      throw TraceError(.damaged, "frame header", expected: "a frame marker", found: "other bytes")
    }
    var unsigned = bytes
    unsigned.replace(number: UInt64(0), at: Self.fixedSize - 8)
    let checksum = XXH64.hash(unsigned)
    self = try bytes.cursor { (cursor) throws(TraceError) in
      try FrameHeader(&cursor, checksum: checksum)
    }
  }

  private init(_ cursor: inout ByteCursor, checksum: UInt64) throws(TraceError) {
    let field = "frame header"
    let _: UInt64 = try cursor.number(field)
    let _: UInt16 = try cursor.number(field)
    let kindValue: UInt8 = try cursor.number(field)
    let codecValue: UInt8 = try cursor.number(field)
    plainSize = try cursor.number(field)
    storedSize = try cursor.number(field)
    count = try cursor.number(field)
    firstOrdinal = try cursor.number(field)
    earliestTime = try cursor.number(field)
    latestTime = try cursor.number(field)
    number = try cursor.number(field)
    fileID = try cursor.number(field)
    plainHash = try cursor.number(field)
    part = try cursor.number(field)
    let flags: UInt16 = try cursor.number(field)
    let kindCount: UInt16 = try cursor.number(field)
    let _: UInt64 = try cursor.number(field)
    let stated: UInt64 = try cursor.number(field)
    guard stated == checksum else {
      throw TraceError(
        .damaged, "frame header checksum", expected: stated.hex, found: checksum.hex)
    }
    guard let kind = FrameKind(rawValue: kindValue) else {
      throw TraceError(.unsupported, "frame kind", expected: "1…4", found: "\(kindValue)")
    }
    guard let codec = TraceCodec(rawValue: codecValue) else {
      throw TraceError(.unsupported, "codec", expected: "0, 1 or 2", found: "\(codecValue)")
    }
    self.kind = kind
    self.codec = codec
    isLastPart = flags & Self.lastPartFlag != 0
    guard cursor.remaining == Int(kindCount) * 4 else {
      throw TraceError(
        .malformed, "frame header size", expected: "\(kindCount) kind counts",
        found: "\(cursor.remaining) bytes")
    }
    for _ in 0..<kindCount {
      let entry: UInt32 = try cursor.number(field)
      kinds.append(
        KindCount(
          kind: EventKind(rawValue: UInt8(entry >> 24)), count: entry & 0xFF_FFFF))
    }
    try checkLimits()
  }

  private func checkLimits() throws(TraceError) {
    let limit = TraceLimits.payloadSizeBytes
    guard plainSize > 0, plainSize <= limit, storedSize > 0, storedSize <= plainSize,
      codec != .none || storedSize == plainSize
    else {
      throw TraceError(
        .malformed, "payload sizes", expected: "0 < stored ≤ plain ≤ \(limit)",
        found: "\(storedSize) and \(plainSize)")
    }
    let most = kind == .index ? TraceLimits.entriesPerIndexFrame : TraceLimits.eventsPerFrame
    guard count > 0, count <= most else {
      throw TraceError(.malformed, "frame count", expected: "1…\(most)", found: "\(count)")
    }
    guard firstOrdinal <= UInt64.max - UInt64(count) else {
      throw TraceError(
        .malformed, "first ordinal", expected: "room for \(count) events",
        found: "\(firstOrdinal)")
    }
    guard kind == .events || kind == .snapshot else { return }
    let sum = kinds.reduce(0) { $0 + UInt64($1.count) }
    guard sum == UInt64(count), earliestTime <= latestTime else {
      throw TraceError(
        .malformed, "counts per kind", expected: "\(count) events in order of time",
        found: "\(sum)")
    }
  }
}
