import Foundation
import TraceFormat

/// A trace that waits to be written again, in a file without a name: however the command ends,
/// nothing of it stays, and nobody takes it for a result.
struct Spool: ~Copyable {
  private let descriptor: Int32
  private let name: String

  /// - Parameter output: the file beside which there is room.
  init(beside output: String) throws {
    name = output + ".spool-\(getpid())"
    // Safety: Swift passes NUL-terminated copies of the path that outlive the calls.
    descriptor = unsafe open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Failure.ofSystem("open", path: name) }
    _ = unsafe unlink(name)
  }

  deinit { close(descriptor) }

  func writer() throws -> TraceWriter {
    var options = TraceWriter.Options()
    options.codec = .lz4
    options.level = 1
    return try TraceWriter(
      descriptor: descriptor, name: name, description: TraceDescription(), options: options)
  }

  func source() throws -> TraceFileSource {
    try TraceFileSource(descriptor: descriptor, name: name)
  }
}
