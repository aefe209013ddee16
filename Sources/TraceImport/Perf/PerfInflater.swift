import CZstd

/// The compressed records of a perf.data: pieces of one zstd stream, whose plain bytes are records
/// again. A record may begin in one piece and end in the next.
@safe
struct PerfInflater: ~Copyable {
  /// Plain bytes of one compressed record: perf fills at most one buffer of its ring
  /// (tools/perf/util/header.c, COMPRESSED: mmap_len), and its rings are smaller than this.
  static var plainLimit: Int { 64 << 20 }

  /// Plain bytes that are no whole record yet.
  private(set) var bytes: OrderedBytes
  /// Where the next record starts in `bytes`.
  private var start = 0
  private let decoder: OpaquePointer
  /// A piece of the output. Safety: this struct's own.
  private let block: UnsafeMutableRawBufferPointer

  init(isBigEndian: Bool) {
    bytes = OrderedBytes([], isBigEndian: isBigEndian)
    guard let decoder = unsafe ZSTD_createDCtx() else { fatalError("out of memory") }
    unsafe self.decoder = decoder
    unsafe block = .allocate(byteCount: 1 << 17, alignment: 64)
  }

  deinit {
    // Safety: both were made in `init` and nobody else holds them.
    unsafe ZSTD_freeDCtx(decoder)
    unsafe block.deallocate()
  }

  /// Decompresses one piece, and hands out the records that are whole.
  ///
  /// - Returns: what is wrong with it, or nil.
  mutating func take(
    _ piece: ArraySlice<UInt8>, _ body: (PerfRecord, OrderedBytes) throws -> Void
  ) throws -> String? {
    var position = 0
    var total = 0
    while true {
      let (written, code) = decompress(piece, &position)
      if ZSTD_isError(code) != 0 { return unsafe String(cString: ZSTD_getErrorName(code)) }
      total += written
      if total > Self.plainLimit { return "more than \(Self.plainLimit) plain bytes in one record" }
      while let record = PerfRecord(bytes, at: start) {
        try body(record, bytes)
        start = record.content.upperBound
      }
      // What is left is less than a record, or no record: a size below that of its head.
      if let size = bytes.number(at: start + 6, size: 2), size < UInt64(PerfRecord.headSize) {
        return "a record of \(size) bytes"
      }
      if position == piece.count, unsafe written < block.count { return nil }
    }
  }

  /// Bytes of a record whose end never came.
  var restCount: Int { bytes.count - start }

  /// One step of the decoder: appends to `bytes`, and returns how much, and zstd's code.
  private mutating func decompress(
    _ piece: ArraySlice<UInt8>, _ position: inout Int
  ) -> (written: Int, code: Int) {
    let decoder = unsafe decoder
    let block = unsafe block
    var written = 0
    var consumed = position
    // Safety: zstd reads from the slice below its count and writes to `block` below its count; it
    // reports both positions.
    let code = unsafe piece.withUnsafeBytes { source in
      var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: consumed)
      var output = unsafe ZSTD_outBuffer(dst: block.baseAddress, size: block.count, pos: 0)
      let code = unsafe ZSTD_decompressStream(decoder, &output, &input)
      consumed = unsafe input.pos
      written = unsafe output.pos
      return code
    }
    position = consumed
    unsafe bytes.slide(start, appending: block[..<written])
    start = 0
    return (written, code)
  }
}
