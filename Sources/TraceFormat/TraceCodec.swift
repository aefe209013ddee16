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
  func compress(_ plain: [UInt8]) -> (bytes: [UInt8], codec: TraceCodec) {
    if let packed = packed(plain, level: level), packed.count < plain.count {
      return (packed, codec)
    }
    return (plain, .none)
  }

  /// Bytes that a column costs after the codec, at a quick level.
  func measuredSize(of column: [UInt8]) -> Int {
    min(packed(column, level: 1)?.count ?? column.count, column.count)
  }

  private func packed(_ plain: [UInt8], level: Int) -> [UInt8]? {
    let bound: Int
    switch codec {
    case .none: return nil
    case .zstd: bound = ZSTD_compressBound(plain.count)
    case .lz4: bound = Int(LZ4_compressBound(Int32(plain.count)))
    }
    // Safety: both buffers are as long as stated, and the functions write at most `bound`.
    return unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, size in
      unsafe plain.withUnsafeBytes { input in
        switch codec {
        case .none: size = 0
        case .zstd:
          let written = unsafe ZSTD_compressCCtx(
            zstdContext, output.baseAddress, bound, input.baseAddress, input.count, Int32(level))
          size = ZSTD_isError(written) == 0 ? written : 0
        case .lz4:
          let source = unsafe input.assumingMemoryBound(to: CChar.self).baseAddress
          unsafe output.withMemoryRebound(to: CChar.self) { target in
            size = Int(
              unsafe level >= 3
                ? LZ4_compress_HC(
                  source, target.baseAddress, Int32(input.count), Int32(bound), Int32(level))
                : LZ4_compress_default(
                  source, target.baseAddress, Int32(input.count), Int32(bound)))
          }
        }
      }
    }.nonEmpty
  }
}

extension [UInt8] {
  fileprivate var nonEmpty: [UInt8]? { isEmpty ? nil : self }
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
