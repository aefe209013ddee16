import CZstd

/// A zstd stream of any number of frames, decompressed as it is read.
///
/// Memory: the decoder's window, at most 128 MiB (zstd's own default limit; the files that
/// 'zstd -19' makes need 8 MiB), and one block of compressed bytes.
@safe
package struct ZstdSource: ~Copyable, ByteSource {
  private var source: DescriptorSource
  private let decoder: OpaquePointer
  private let block: UnsafeMutableRawBufferPointer
  private var position = 0
  private var filled = 0
  /// Whether the decoder stands between two frames, where a stream may end.
  private var isBetweenFrames = true

  package var name: String { source.name }
  package var bytesRead: UInt64 { source.bytesRead - UInt64(filled - position) }
  package var totalBytes: UInt64? { source.totalBytes }

  /// The first four bytes of a zstd frame (RFC 8878, §3.1.1), and of a skippable one but its low
  /// four bits.
  static func isZstd(_ head: [UInt8]) -> Bool {
    guard head.count >= 4 else { return false }
    return head[1...3] == [0xB5, 0x2F, 0xFD] && head[0] == 0x28
      || head[1...3] == [0x2A, 0x4D, 0x18] && head[0] & 0xF0 == 0x50
  }

  init(_ source: consuming DescriptorSource) {
    self.source = source
    guard let decoder = unsafe ZSTD_createDCtx() else { fatalError("out of memory") }
    unsafe self.decoder = decoder
    unsafe block = .allocate(byteCount: ZSTD_DStreamInSize(), alignment: 64)
  }

  deinit {
    // Safety: both were made in `init` and nobody else holds them.
    unsafe ZSTD_freeDCtx(decoder)
    unsafe block.deallocate()
  }

  package mutating func read(into output: inout OutputRawSpan) throws(ImportError) -> Int {
    let wanted = output.freeCapacity
    while true {
      var atEnd = false
      if position == filled { atEnd = try refill() == 0 }
      if atEnd && isBetweenFrames { return 0 }
      let code = decompress(into: &output)
      guard ZSTD_isError(code) == 0 else {
        throw .damagedCompression(
          name: name, bytes: bytesRead, reason: unsafe String(cString: ZSTD_getErrorName(code)))
      }
      isBetweenFrames = code == 0
      if output.freeCapacity < wanted { return wanted - output.freeCapacity }
      // The decoder had nothing left to give and wants bytes that are not there.
      if atEnd { throw .truncatedCompression(name: name, bytes: bytesRead) }
    }
  }

  private mutating func refill() throws(ImportError) -> Int {
    // Safety: the span covers exactly `block`, which this struct owns and nobody reads meanwhile.
    var span = unsafe OutputRawSpan(buffer: block, initializedCount: 0)
    position = 0
    filled = try source.read(into: &span)
    _ = unsafe span.finalize(for: block)
    return filled
  }

  /// One step of the decoder; returns zstd's code: 0 at the end of a frame, an error, or a hint.
  private mutating func decompress(into output: inout OutputRawSpan) -> Int {
    let decoder = unsafe decoder
    let block = unsafe block
    let filled = filled
    var position = position
    // Safety: zstd reads from `block` below `filled` and writes behind the initialised bytes up to
    // the span's capacity; it reports both positions, which stay within those sizes.
    let code = unsafe output.withUnsafeMutableBytes { bytes, initialized in
      var input = unsafe ZSTD_inBuffer(src: block.baseAddress, size: filled, pos: position)
      var target = unsafe ZSTD_outBuffer(
        dst: bytes.baseAddress, size: bytes.count, pos: initialized)
      let code = unsafe ZSTD_decompressStream(decoder, &target, &input)
      position = unsafe input.pos
      initialized = unsafe target.pos
      return code
    }
    self.position = position
    return code
  }
}
