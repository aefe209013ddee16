/// A capture as people have it: a path or a pipe, plain or zstd. The magic at its start decides,
/// never the name.
package struct CaptureInput: ~Copyable, ByteSource {
  // One of the two.
  private var plain: DescriptorSource?
  private var zstd: ZstdSource?
  package let name: String
  package let totalBytes: UInt64?
  package private(set) var bytesRead: UInt64 = 0
  /// The medium is zstd: plain bytes come from its front only.
  package let isCompressed: Bool
  /// Plain bytes that `peek` took and `read` has not given yet.
  private var head: [UInt8] = []

  /// - Parameter path: a file; "-" is standard input.
  package init(path: String) throws(ImportError) {
    if path == "-" {
      try self.init(descriptor: 0)
    } else {
      try self.init(DescriptorSource(path: path))
    }
  }

  /// Reads from an open descriptor, which stays open.
  package init(descriptor: Int32, name: String = "standard input") throws(ImportError) {
    try self.init(DescriptorSource(descriptor: descriptor, name: name))
  }

  private init(_ source: consuming DescriptorSource) throws(ImportError) {
    var source = source
    name = source.name
    totalBytes = source.totalBytes
    let head = try source.peek(4)
    if head.isEmpty { throw .empty(name: name) }
    isCompressed = ZstdSource.isZstd(head)
    if isCompressed {
      zstd = ZstdSource(consume source)
      plain = nil
    } else {
      plain = consume source
      zstd = nil
    }
  }

  /// The first bytes of the capture, decompressed; fewer than `count` only if it is shorter. They
  /// are read again later. Only before the first `read`.
  package mutating func peek(_ count: Int) throws(ImportError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { unsafe buffer.deallocate() }
    while head.count < count {
      // Safety: the buffer outlives the span and nobody else uses it.
      let free = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<(count - head.count)])
      var span = unsafe OutputRawSpan(buffer: free, initializedCount: 0)
      let got = try readMedium(into: &span)
      _ = unsafe span.finalize(for: free)
      if got == 0 { break }
      // Safety: the first `got` bytes were just written.
      unsafe head.append(contentsOf: free[..<got])
    }
    return head
  }

  package mutating func read(into output: inout OutputRawSpan) throws(ImportError) -> Int {
    guard head.isEmpty else {
      let count = min(head.count, output.freeCapacity)
      for byte in head[..<count] { output.append(byte) }
      head.removeFirst(count)
      return count
    }
    return try readMedium(into: &output)
  }

  private mutating func readMedium(
    into output: inout OutputRawSpan
  ) throws(ImportError) -> Int {
    let count: Int
    if let read = try zstd?.read(into: &output) {
      count = read
    } else if let read = try plain?.read(into: &output) {
      count = read
    } else {
      count = 0
    }
    bytesRead = zstd?.bytesRead ?? plain?.bytesRead ?? 0
    return count
  }
}
