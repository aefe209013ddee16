/// A capture as people have it: a path or a pipe, plain or zstd. The magic at its start decides,
/// never the name.
package struct CaptureInput: ~Copyable, ByteSource {
  // One of the two.
  private var plain: DescriptorSource?
  private var zstd: ZstdSource?
  package let name: String
  package let totalBytes: UInt64?
  package private(set) var bytesRead: UInt64 = 0

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
    if ZstdSource.isZstd(head) {
      zstd = ZstdSource(consume source)
      plain = nil
    } else {
      plain = consume source
      zstd = nil
    }
  }

  package mutating func read(into output: inout OutputRawSpan) throws(ImportError) -> Int {
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
