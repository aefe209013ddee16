import Glibc

/// One block of a log in memory, cut into lines. A line that the block's end cuts is carried to the
/// front and completed by the next block.
@safe
struct LineBlock: ~Copyable {
  enum Line {
    case whole(LineText)
    case damaged(LineDamage)
  }

  // Safety: `bytes` is this struct's own, zeroed at first, with `LineText.padding` bytes behind the
  // `limit` that text may fill. A `LineText` made here points into it and is used before `fill`
  // moves the bytes.
  private let bytes: UnsafeMutableRawPointer
  private let limit: Int
  private let lineLimit: Int
  /// The text not handed out yet.
  private var start = 0
  private var end = 0
  /// The rest of an over-long line comes first.
  private var isSkipping = false
  private var hasNUL = false

  init(blockBytes: Int, lineLimitBytes: Int) {
    lineLimit = lineLimitBytes
    limit = blockBytes + lineLimitBytes
    unsafe bytes = .allocate(byteCount: limit + LineText.padding, alignment: 64)
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0, count: limit + LineText.padding)
  }

  deinit { unsafe bytes.deallocate() }

  /// Reads more text behind what is left; returns the number of bytes, 0 at the end.
  mutating func fill<Source: ByteSource & ~Copyable>(
    from source: inout Source
  ) throws(ImportError) -> Int {
    let left = end - start
    if start > 0 {
      unsafe memmove(bytes, bytes + start, left)
      start = 0
      end = left
    }
    // `next` leaves at most `lineLimit` bytes, so at least a block fits.
    let free = unsafe UnsafeMutableRawBufferPointer(start: bytes + end, count: limit - end)
    var span = unsafe OutputRawSpan(buffer: free, initializedCount: 0)
    let count = try source.read(into: &span)
    let initialized = unsafe span.finalize(for: free)
    precondition(initialized == count)
    end += count
    hasNUL = unsafe end > 0 && memchr(bytes, 0, end) != nil
    return count
  }

  /// The next line of the block, nil when more text is needed.
  @inline(__always)
  mutating func next(isAtEnd: Bool) -> Line? {
    while true {
      let base = unsafe bytes + start
      guard let found = unsafe memchr(base, 0x0A, end - start) else {
        return rest(isAtEnd: isAtEnd)
      }
      var count = unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
      start += count + 1
      if isSkipping {
        isSkipping = false
        return .damaged(.overLong)
      }
      if count > lineLimit { return .damaged(.overLong) }
      if unsafe hasNUL && memchr(base, 0, count) != nil { return .damaged(.nulByte) }
      let text = unsafe base.assumingMemoryBound(to: UInt8.self)
      if count > 0, unsafe text[count - 1] == 0x0D { count -= 1 }
      return .whole(unsafe LineText(base: text, count: count))
    }
  }

  /// What is left has no line end.
  private mutating func rest(isAtEnd: Bool) -> Line? {
    let left = end - start
    if isAtEnd {
      defer {
        start = end
        isSkipping = false
      }
      if isSkipping || left > lineLimit { return .damaged(.overLong) }
      return left > 0 ? .damaged(.unterminated) : nil
    }
    if isSkipping || left > lineLimit {
      isSkipping = true
      start = end
    }
    return nil
  }
}
