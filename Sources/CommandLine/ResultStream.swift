#if canImport(Glibc)
  import Glibc
#endif

/// Results of any length on stdout, in large writes. A reader that goes away (`… | head`) ends the
/// verb quietly and without an error, as for any filter.
struct ResultStream: ~Copyable {
  /// The reader closed the pipe: nothing more is wanted.
  struct Closed: Error {}

  private static let limit = 64 << 10
  var bytes: [UInt8] = []

  init() {
    bytes.reserveCapacity(Self.limit + 4096)
  }

  /// Writes what has gathered, if it is enough.
  mutating func flushIfFull() throws {
    if bytes.count >= Self.limit { try flush() }
  }

  mutating func flush() throws {
    var done = 0
    while done < bytes.count {
      let start = done
      // Safety: the array stays in place during the call, which reads its rest.
      let put = unsafe bytes.withUnsafeBytes { buffer in
        unsafe write(STDOUT_FILENO, buffer.baseAddress! + start, buffer.count - start)
      }
      if put < 0 {
        if errno == EINTR { continue }
        if errno == EPIPE { throw Closed() }
        throw Failure.ofSystem("write", path: "standard output")
      }
      done += put
    }
    bytes.removeAll(keepingCapacity: true)
  }
}
