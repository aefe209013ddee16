import CLZ4
import CZstd

/// How frames are compressed after their columns are coded.
package enum TraceCodec: UInt8, Sendable, Hashable, CaseIterable {
  case none = 0
  /// One zstd frame (RFC 8878) with its content size.
  case zstd = 1
  /// One LZ4 block.
  case lz4 = 2
}

extension TraceCodec: CustomStringConvertible {
  package var description: String {
    switch self {
    case .none: "none"
    case .zstd: "zstd"
    case .lz4: "lz4"
    }
  }
}

/// Compresses frames with one codec and level, and tells how small a candidate column would be.
@safe
struct Compressor: ~Copyable {
  let codec: TraceCodec
  let level: Int
  private let zstdContext: OpaquePointer
  private var output = RawBuffer()

  /// How far the quick LZ4 search skips ahead. Columns have few long matches; short ones would cost
  /// the reader more than they save.
  private let acceleration: Int32 = 8

  /// - Parameter level: zstd −7…22; LZ4 1, and 3…12 for its slower, denser search.
  init(codec: TraceCodec, level: Int) {
    self.codec = codec
    self.level = level
    // Safety: freed in deinit; creation fails only without memory, where a trap is right.
    guard let context = unsafe ZSTD_createCCtx() else { fatalError("no memory for zstd") }
    unsafe zstdContext = context
  }

  deinit {
    // Safety: made in init, used by this value only.
    unsafe ZSTD_freeCCtx(zstdContext)
  }

  /// The stored form of a payload and the codec that it really has: a payload that the codec does
  /// not make smaller is stored as it is.
  ///
  /// - Parameter cuts: ends of columns that deserve statistics of their own, ascending.
  mutating func compress(
    _ plain: [UInt8], cuts: [Int] = []
  ) -> (bytes: [UInt8], codec: TraceCodec) {
    var result = (bytes: plain, codec: TraceCodec.none)
    unsafe withCompressed(plain, cuts: cuts) { bytes, codec in
      if codec != .none { unsafe result = ([UInt8](bytes), codec) }
    }
    return result
  }

  /// The same without a copy: the bytes are valid within the call.
  mutating func withCompressed<Failure: Error>(
    _ plain: [UInt8], cuts: [Int] = [],
    _ body: (UnsafeRawBufferPointer, TraceCodec) throws(Failure) -> Void
  ) throws(Failure) {
    let count = packed(plain, cuts: cuts, level: level)
    guard let count, count < plain.count else {
      // Safety: the pointer is used within the call only.
      try unsafe plain.withUnsafeBufferPointer { (bytes) throws(Failure) in
        unsafe try body(UnsafeRawBufferPointer(bytes), .none)
      }
      return
    }
    // Safety: `packed` wrote so many bytes.
    unsafe try body(UnsafeRawBufferPointer(start: output.base, count: count), codec)
  }

  /// Bytes that a column costs after the codec, at a quick level.
  mutating func measuredSize(of column: [UInt8]) -> Int {
    min(packed(column, cuts: [], level: 1) ?? column.count, column.count)
  }

  /// Compresses into `output`. Nil where the codec is none, or refuses.
  private mutating func packed(_ plain: [UInt8], cuts: [Int], level: Int) -> Int? {
    // Each cut ends a zstd block, which costs three bytes and what is left of a byte.
    switch codec {
    case .none: return nil
    case .zstd: output.reserve(ZSTD_compressBound(plain.count) + 64 * (cuts.count + 1))
    case .lz4: output.reserve(Int(LZ4_compressBound(Int32(plain.count))))
    }
    // Safety: both buffers are as long as stated, and the functions write at most the bound.
    let size = unsafe plain.withUnsafeBytes { input in
      guard codec == .lz4 else { return unsafe zstd(input, cuts: cuts, level: level) ?? 0 }
      let source = unsafe input.assumingMemoryBound(to: CChar.self).baseAddress
      let target = unsafe output.base.bindMemory(to: CChar.self, capacity: output.capacity)
      return Int(
        unsafe level >= 3
          ? LZ4_compress_HC(
            source, target, Int32(input.count), Int32(output.capacity), Int32(level))
          : LZ4_compress_fast(
            source, target, Int32(input.count), Int32(output.capacity), acceleration))
    }
    return size == 0 ? nil : size
  }

  /// One zstd frame with its content size. Matches are long or none: short ones would save little
  /// beside the entropy coder and cost the reader a sequence each.
  private func zstd(
    _ input: UnsafeRawBufferPointer, cuts: [Int], level: Int
  ) -> Int? {
    // Safety: zstd reads `input` and writes `output` within the sizes that are stated.
    unsafe ZSTD_CCtx_reset(zstdContext, ZSTD_reset_session_and_parameters)
    unsafe ZSTD_CCtx_setParameter(zstdContext, ZSTD_c_compressionLevel, Int32(level))
    unsafe ZSTD_CCtx_setParameter(zstdContext, ZSTD_c_minMatch, 7)
    unsafe ZSTD_CCtx_setPledgedSrcSize(zstdContext, UInt64(input.count))
    var target = unsafe ZSTD_outBuffer(dst: output.base, size: output.capacity, pos: 0)
    var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: 0, pos: 0)
    for cut in cuts + [input.count] {
      unsafe source.size = cut
      let mode = cut == input.count ? ZSTD_e_end : ZSTD_e_flush
      let left = unsafe ZSTD_compressStream2(zstdContext, &target, &source, mode)
      guard left == 0 else { return nil }
    }
    return unsafe target.pos
  }
}

/// Undoes any codec. Output never exceeds what the caller announced.
@safe
struct Decompressor: ~Copyable {
  private let zstdContext: OpaquePointer

  init() {
    // Safety: freed in deinit; creation fails only without memory, where a trap is right.
    guard let context = unsafe ZSTD_createDCtx() else { fatalError("no memory for zstd") }
    unsafe zstdContext = context
  }

  deinit {
    // Safety: made in init, used by this value only.
    unsafe ZSTD_freeDCtx(zstdContext)
  }

  /// - Parameter plain: room for `plainSize` bytes, which the stored bytes must fill exactly.
  func decompress(
    _ stored: UnsafeRawBufferPointer, codec: TraceCodec, into plain: UnsafeMutableRawPointer,
    plainSize: Int
  ) throws(TraceError) {
    // Safety: every branch writes at most `plainSize` bytes to `plain` and reads only `stored`.
    switch codec {
    case .none:
      guard stored.count == plainSize else {
        throw Self.mismatch(codec, plainSize, "\(stored.count) bytes")
      }
      if let base = stored.baseAddress { unsafe plain.copyMemory(from: base, byteCount: plainSize) }
    case .zstd:
      let announced = unsafe ZSTD_getFrameContentSize(stored.baseAddress, stored.count)
      guard announced == UInt64(plainSize) else {
        throw Self.mismatch(codec, plainSize, "a frame of another content size")
      }
      let written = unsafe ZSTD_decompressDCtx(
        zstdContext, plain, plainSize, stored.baseAddress, stored.count)
      guard ZSTD_isError(written) == 0 else {
        throw unsafe Self.mismatch(
          codec, plainSize, "'\(String(cString: ZSTD_getErrorName(written)))'")
      }
      guard written == plainSize else { throw Self.mismatch(codec, plainSize, "\(written) bytes") }
    case .lz4:
      let written = unsafe LZ4_decompress_safe(
        stored.assumingMemoryBound(to: CChar.self).baseAddress,
        plain.assumingMemoryBound(to: CChar.self), Int32(stored.count), Int32(plainSize))
      guard Int(written) == plainSize else {
        throw Self.mismatch(codec, plainSize, written < 0 ? "a broken block" : "\(written) bytes")
      }
    }
  }

  private static func mismatch(_ codec: TraceCodec, _ size: Int, _ found: String) -> TraceError {
    TraceError(.damaged, "\(codec) payload", expected: "\(size) bytes", found: found)
  }
}
