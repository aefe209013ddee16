import Glibc

/// A binary capture on disk, read piece by piece at any place.
struct CaptureFile: ~Copyable {
  /// The largest metadata section or chunk of trace data that is believed: /proc/kallsyms and the
  /// formats of a large kernel take a few MiB, chunks are a few pages.
  static var pieceLimitBytes: UInt64 { 64 << 20 }

  let name: String
  let size: UInt64
  private let descriptor: Int32
  /// From the head of the file; little-endian until it has been read.
  var isBigEndian = false
  /// The pieces that the file calls compressed are zstd frames.
  var isZstd = false

  init(path: String) throws(ImportError) {
    name = path
    // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(name: path, operation: "open", code: errno) }
    var status = stat()
    // Safety: `status` is a whole `struct stat` that outlives the call.
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .malformed(
        name: path, byte: 0, subject: "file",
        expected: "a regular file, which can be read anywhere",
        found: "something else")
    }
    size = UInt64(max(0, status.st_size))
  }

  deinit { close(descriptor) }

  func malformed(
    _ subject: String, at byte: UInt64, expected: String, found: String
  ) -> ImportError {
    .malformed(name: name, byte: byte, subject: subject, expected: expected, found: found)
  }

  /// Exactly `count` bytes at `offset`.
  func read(
    _ count: UInt64, at offset: UInt64, _ subject: String
  ) throws(ImportError) -> OrderedBytes {
    guard count <= Self.pieceLimitBytes else {
      throw malformed(
        subject, at: offset, expected: "at most \(Self.pieceLimitBytes) bytes", found: "\(count)")
    }
    guard offset <= size, count <= size - offset else {
      throw malformed(
        subject, at: offset, expected: "\(count) bytes",
        found: "\(offset <= size ? size - offset : 0) up to the end of the file")
    }
    var bytes = [UInt8](repeating: 0, count: Int(count))
    var done = 0
    while done < bytes.count {
      let start = done
      // Safety: pread writes at most the rest of the array behind `start`.
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe pread(
          descriptor, buffer.baseAddress! + start, buffer.count - start, Int(offset) + start)
      }
      if got < 0 {
        if errno == EINTR { continue }
        throw .unreadable(name: name, operation: "read", code: errno)
      }
      guard got > 0 else {
        throw malformed(subject, at: offset, expected: "\(count) bytes", found: "\(done)")
      }
      done += got
    }
    return OrderedBytes(bytes, isBigEndian: isBigEndian)
  }

  func number(_ width: Int, at offset: UInt64, _ subject: String) throws(ImportError) -> UInt64 {
    try read(UInt64(width), at: offset, subject).number(at: 0, size: width) ?? 0
  }
}
