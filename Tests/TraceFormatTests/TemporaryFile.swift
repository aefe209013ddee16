import Glibc
import Synchronization

/// A file of a test, removed with its owner.
final class TemporaryFile {
  let path: String
  private static let counter = Atomic(0)

  init(_ bytes: [UInt8]? = nil) throws {
    let number = Self.counter.add(1, ordering: .relaxed).newValue
    path = "/tmp/doorbell-test-\(getpid())-\(number).dbtrace"
    if let bytes { try write(bytes) }
  }

  deinit {
    // Safety: valid C strings for the calls.
    unsafe unlink(path)
    unsafe unlink(path + ".partial")
  }

  struct Failure: Error {
    var operation: String
  }

  func write(_ bytes: [UInt8]) throws {
    // Safety: the path is a valid C string, and the array stays in place during the write.
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw Failure(operation: "open \(path)") }
    defer { close(descriptor) }
    let written = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
    }
    guard written == bytes.count else { throw Failure(operation: "write \(path)") }
  }

  func read() throws -> [UInt8] { try Self.read(path) }

  static func read(_ path: String) throws -> [UInt8] {
    // Safety: the path is a valid C string; reads stay within the buffer.
    let descriptor = unsafe open(path, O_RDONLY)
    guard descriptor >= 0 else { throw Failure(operation: "open \(path)") }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = unsafe buffer.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      guard got >= 0 else { throw Failure(operation: "read \(path)") }
      if got == 0 { return bytes }
      bytes += buffer[..<got]
    }
  }
}
