/// The part of a capture that is being looked at: bytes come in at its end and leave at its front.
@safe
struct ByteWindow: ~Copyable {
  /// What was read and not left behind yet; `start` is the place in it.
  private(set) var bytes: OrderedBytes
  private(set) var start = 0
  /// Bytes left behind so far: the place in the capture of `start`.
  private(set) var position: UInt64 = 0
  // Safety: this struct's own; written by a source through a span and read below what it filled.
  private let block: UnsafeMutableRawBufferPointer

  init(isBigEndian: Bool = false, blockBytes: Int = 1 << 18) {
    bytes = OrderedBytes([], isBigEndian: isBigEndian)
    unsafe block = .allocate(byteCount: blockBytes, alignment: 64)
  }

  deinit { unsafe block.deallocate() }

  /// Bytes from `start` on.
  var count: Int { bytes.count - start }

  /// Tries to have `wanted` bytes from `start` on; returns whether it has.
  mutating func fill<Source: ByteSource & ~Copyable>(
    _ wanted: Int, from source: inout Source
  ) throws(ImportError) -> Bool {
    while count < wanted {
      // Safety: the span covers exactly `block`, which nobody reads meanwhile.
      var span = unsafe OutputRawSpan(buffer: block, initializedCount: 0)
      let got = try source.read(into: &span)
      _ = unsafe span.finalize(for: block)
      if got == 0 { return false }
      // Safety: the first `got` bytes were just written.
      unsafe bytes.slide(start, appending: block[..<got])
      start = 0
    }
    return true
  }

  /// Leaves `size` bytes behind; they must be there.
  mutating func advance(_ size: Int) {
    precondition(size <= count)
    start += size
    position += UInt64(size)
  }

  /// Leaves `size` bytes behind, whether they have been read yet or not; returns false if the
  /// capture ends before.
  mutating func skip<Source: ByteSource & ~Copyable>(
    _ size: UInt64, from source: inout Source
  ) throws(ImportError) -> Bool {
    var left = size
    while left > 0 {
      guard try fill(1, from: &source) else { return false }
      let step = Int(min(left, UInt64(count)))
      advance(step)
      left -= UInt64(step)
    }
    return true
  }

  /// A copy of `size` bytes from `start` on.
  func copy(_ size: Int) -> OrderedBytes {
    OrderedBytes(Array(bytes.bytes[start..<start + size]), isBigEndian: bytes.isBigEndian)
  }

  mutating func setByteOrder(isBigEndian: Bool) { bytes.isBigEndian = isBigEndian }
}
