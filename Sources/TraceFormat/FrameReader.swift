/// Reads one piece of a trace after the other: header, frames, trailer. It checks each by itself;
/// how they follow one another is the business of `TraceReader` and `TraceScanner`.
///
/// Memory: the stored bytes of one frame.
@safe
struct FrameReader: ~Copyable {
  enum Piece {
    case frame(FrameHeader)
    case trailer(TraceTrailer)
    /// The input ends exactly here.
    case end
  }

  var input: InputFile
  /// The stored payload of the frame that was read last.
  var stored = RawBuffer()
  private let opener = FrameOpener()

  init(_ input: consuming InputFile) { self.input = input }

  mutating func readHeader() throws(TraceError) -> TraceHeader {
    let fixed = try input.read(TraceHeader.fixedSize)
    var (header, size, hash) = try TraceHeader.decodeFixed(fixed)
    header.description.provenance = try TraceHeader.decodeProvenance(
      input.read(size), size: size, hash: hash)
    return header
  }

  /// Reads the next piece at the input's place; of a frame, header and stored payload.
  mutating func next() throws(TraceError) -> Piece {
    var bytes = try input.read(FrameHeader.fixedSize)
    if bytes.isEmpty { return .end }
    let start = bytes.prefix(8)
    if start.elementsEqual(TraceTrailer.magic) {
      return .trailer(try TraceTrailer(decoding: bytes))
    }
    guard start.elementsEqual(FrameHeader.marker.prefix(start.count)) else {
      throw TraceError(
        .damaged, "frame marker", expected: "a frame or the trailer", found: "other bytes")
    }
    guard bytes.count == FrameHeader.fixedSize else {
      throw TraceError(
        .truncated, "frame header", expected: "\(FrameHeader.fixedSize) bytes",
        found: "\(bytes.count) bytes")
    }
    guard let size = FrameHeader.statedSize(bytes) else {
      throw TraceError(
        .damaged, "frame header size", expected: "96…\(FrameHeader.largestSize)",
        found: "\(Int(bytes[8]) | Int(bytes[9]) << 8)")
    }
    bytes += try input.read(size - bytes.count)
    guard bytes.count == size else {
      throw TraceError(
        .truncated, "frame header", expected: "\(size) bytes", found: "\(bytes.count) bytes")
    }
    let header = try FrameHeader(decoding: bytes)
    let left = input.size.map { $0 - min($0, input.offset) } ?? .max
    guard UInt64(header.storedSize) <= left else {
      throw TraceError(
        .truncated, "payload", expected: "\(header.storedSize) bytes", found: "\(left) bytes")
    }
    stored.reserve(Int(header.storedSize))
    // Safety: the buffer holds at least `storedSize` bytes.
    let got = unsafe try input.read(into: stored.base, count: Int(header.storedSize))
    guard got == Int(header.storedSize) else {
      throw TraceError(
        .truncated, "payload", expected: "\(header.storedSize) bytes", found: "\(got) bytes")
    }
    return .frame(header)
  }

  /// Undoes the codec of the frame that was read last, and checks the result.
  func decompress(_ header: FrameHeader, into plain: inout RawBuffer) throws(TraceError) {
    try opener.decompress(header, stored, into: &plain)
  }

  /// Decompresses a frame of events or a snapshot and prepares its decoding.
  func open(_ header: FrameHeader, with decoder: inout FrameDecoder) throws(TraceError) {
    try opener.open(header, stored, with: &decoder)
  }

  /// Decompresses a frame that is not made of events, as bytes.
  func text(_ header: FrameHeader, using plain: inout RawBuffer) throws(TraceError) -> [UInt8] {
    try decompress(header, into: &plain)
    // Safety: `decompress` filled `plainSize` bytes.
    return unsafe [UInt8](
      UnsafeRawBufferPointer(start: plain.base, count: Int(header.plainSize)))
  }
}

/// Turns stored payloads into plain ones, and checks them. It keeps nothing from one to the next, so
/// that frames can be opened in any order and on any thread, each with an opener of its own.
struct FrameOpener: ~Copyable {
  private let decompressor = Decompressor()

  /// Undoes the codec and checks the result.
  func decompress(
    _ header: FrameHeader, _ stored: borrowing RawBuffer, into plain: inout RawBuffer
  ) throws(TraceError) {
    let size = Int(header.plainSize)
    plain.reserve(size)
    // Safety: both buffers hold the stated sizes.
    let source = unsafe UnsafeRawBufferPointer(start: stored.base, count: Int(header.storedSize))
    unsafe try decompressor.decompress(
      source, codec: header.codec, into: plain.base, plainSize: size)
    let hash = unsafe XXH64.hash(UnsafeRawBufferPointer(start: plain.base, count: size))
    guard hash == header.plainHash else {
      throw TraceError(
        .damaged, "payload checksum", expected: header.plainHash.hex, found: hash.hex)
    }
  }

  /// Decompresses a frame of events or a snapshot and prepares its decoding.
  func open(
    _ header: FrameHeader, _ stored: borrowing RawBuffer, with decoder: inout FrameDecoder
  ) throws(TraceError) {
    try decompress(header, stored, into: &decoder.plain)
    try decoder.open(
      size: Int(header.plainSize), count: Int(header.count), firstOrdinal: header.firstOrdinal)
  }
}
