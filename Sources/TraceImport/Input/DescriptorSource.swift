import Glibc

/// A file or a pipe, read as it is. Its first bytes can be looked at before they are read, so that
/// the kind of a capture is known from its magic even on a pipe.
package struct DescriptorSource: ~Copyable, ByteSource {
  package let name: String
  package private(set) var bytesRead: UInt64 = 0
  package let totalBytes: UInt64?
  private let descriptor: Int32
  private let closes: Bool
  /// Bytes taken from the descriptor by `peek` and not handed out yet.
  private var head: [UInt8] = []

  /// Opens `path` for reading.
  package init(path: String) throws(ImportError) {
    // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
    let opened = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else {
      throw .unreadable(name: path, operation: "open", code: errno)
    }
    self.init(descriptor: opened, name: path, closes: true)
  }

  /// - Parameter closes: whether the descriptor is closed with the source.
  package init(descriptor: Int32, name: String = "standard input", closes: Bool = false) {
    self.descriptor = descriptor
    self.name = name
    self.closes = closes
    var status = stat()
    // Safety: `status` is a whole `struct stat` that outlives the call.
    let known = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    totalBytes = known ? UInt64(max(0, status.st_size)) : nil
  }

  deinit {
    if closes { close(descriptor) }
  }

  /// The first `count` bytes, fewer only if the capture is shorter. They are read again later.
  mutating func peek(_ count: Int) throws(ImportError) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: count)
    while head.count < count {
      let wanted = count - head.count
      // Safety: at most `wanted` ≤ `buffer.count` bytes are written to the array.
      let got = Self.retrying { unsafe Glibc.read(descriptor, &buffer, wanted) }
      guard got >= 0 else { throw .unreadable(name: name, operation: "read", code: errno) }
      if got == 0 { break }
      head.append(contentsOf: buffer[..<got])
    }
    return head
  }

  package mutating func read(into output: inout OutputRawSpan) throws(ImportError) -> Int {
    if !head.isEmpty {
      let count = min(head.count, output.freeCapacity)
      for byte in head[..<count] { output.append(byte) }
      head.removeFirst(count)
      bytesRead += UInt64(count)
      return count
    }
    let descriptor = descriptor
    // Safety: read(2) writes at most the free capacity behind the initialised bytes, and exactly the
    // count that it returns is declared initialised.
    let got = unsafe output.withUnsafeMutableBytes { bytes, initialized in
      let free = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[initialized...])
      let got = Self.retrying { unsafe Glibc.read(descriptor, free.baseAddress, free.count) }
      initialized += max(0, got)
      return got
    }
    guard got >= 0 else { throw .unreadable(name: name, operation: "read", code: errno) }
    bytesRead += UInt64(got)
    return got
  }

  /// Repeats a call that a signal interrupted.
  private static func retrying(_ call: () -> Int) -> Int {
    while true {
      let result = call()
      if result >= 0 || errno != EINTR { return result }
    }
  }
}
