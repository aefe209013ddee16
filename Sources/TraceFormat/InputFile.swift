import Glibc

/// Where a trace is read from: a file that can be read at any offset, a pipe, or bytes in memory.
@safe
struct InputFile: ~Copyable {
  let path: String
  private let descriptor: Int32
  private let ownsDescriptor: Bool
  private let memory: [UInt8]?
  /// Bytes of a seekable file when it was opened; nil for a pipe.
  let size: UInt64?
  /// Bytes consumed by `read`.
  private(set) var offset: UInt64 = 0

  init(path: String) throws(TraceError) {
    // Safety: the path is a valid C string for the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", path: path) }
    self.init(descriptor: descriptor, path: path, ownsDescriptor: true)
  }

  /// - Parameter ownsDescriptor: close it in the end. Standard input stays open.
  init(descriptor: Int32, path: String, ownsDescriptor: Bool) {
    self.path = path
    self.descriptor = descriptor
    self.ownsDescriptor = ownsDescriptor
    memory = nil
    var status = stat()
    // Safety: `status` is a local of the right type.
    let isFile = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    size = isFile ? UInt64(status.st_size) : nil
  }

  init(bytes: [UInt8], name: String) {
    path = name
    descriptor = -1
    ownsDescriptor = false
    memory = bytes
    size = UInt64(bytes.count)
  }

  deinit { if ownsDescriptor { close(descriptor) } }

  /// Moves the place of the next `read`. Not for pipes.
  mutating func seek(to newOffset: UInt64) { offset = newOffset }

  /// Reads up to `count` bytes from the current place; fewer only at the end.
  mutating func read(
    into buffer: UnsafeMutableRawPointer, count: Int
  ) throws(TraceError) -> Int {
    if let memory {
      let start = min(Int(offset), memory.count)
      let size = min(count, memory.count - start)
      // Safety: both regions have `size` bytes.
      unsafe memory.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        unsafe buffer.copyMemory(from: base + start, byteCount: size)
      }
      offset += UInt64(size)
      return size
    }
    var filled = 0
    while filled < count {
      // Safety: the caller gives room for `count` bytes, of which `filled` are used.
      let got =
        unsafe size == nil
        ? Glibc.read(descriptor, buffer + filled, count - filled)
        : pread(descriptor, buffer + filled, count - filled, Int(offset))
      if got < 0 {
        if errno == EINTR { continue }
        throw .system("read", path: path)
      }
      if got == 0 { break }
      filled += got
      offset += UInt64(got)
    }
    return filled
  }

  mutating func read(_ count: Int) throws(TraceError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var got = 0
    // Safety: the array has `count` bytes and stays in place during the call.
    try unsafe bytes.withUnsafeMutableBufferPointer { (buffer) throws(TraceError) in
      if let base = buffer.baseAddress { got = unsafe try read(into: base, count: count) }
    }
    bytes.removeLast(count - got)
    return bytes
  }
}

extension TraceError {
  /// The operating system's refusal, from `errno`.
  static func system(_ operation: String, path: String) -> TraceError {
    let code = errno
    // Safety: strerror returns a valid C string; it is copied at once.
    let text = unsafe String(cString: strerror(code))
    return TraceError(.system, operation, expected: "success", found: "'\(text)'").at(path: path)
  }
}
