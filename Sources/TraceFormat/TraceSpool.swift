import Glibc

/// A trace that waits to be read again by the one who writes it, in a file without a name: however
/// the process ends, nothing of it stays, and nobody takes it for a result.
package struct TraceSpool: ~Copyable {
  private let descriptor: Int32
  private let name: String

  /// - Parameter output: the file beside which there is room.
  package init(beside output: String) throws(TraceError) {
    let name = output + ".spool-\(getpid())"
    // Safety: Swift passes NUL-terminated copies of the path that outlive the calls.
    var descriptor = unsafe open(
      OutputFile.folder(of: output), Self.temporary | O_RDWR | O_CLOEXEC, 0o600)
    if descriptor < 0, [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) {
      // A file system without files that have no name: one has it for a moment.
      descriptor = unsafe open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      _ = descriptor < 0 ? 0 : unsafe unlink(name)
    }
    guard descriptor >= 0 else { throw .system("open", path: name) }
    self.descriptor = descriptor
    self.name = name
  }

  /// O_TMPFILE, which Swift does not import (linux, include/uapi/asm-generic/fcntl.h).
  private static var temporary: Int32 { 0o20_000_000 | O_DIRECTORY }

  deinit { close(descriptor) }

  /// Writes it, once. The spool must outlive the writer.
  package func writer() throws(TraceError) -> TraceWriter {
    var options = TraceWriter.Options()
    options.codec = .lz4
    options.level = 1
    return try TraceWriter(
      descriptor: descriptor, name: name, description: TraceDescription(), options: options)
  }

  /// Reads it from its start, once the writer has finished.
  package func reader() throws(TraceError) -> TraceReader {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw .system("dup", path: name) }
    return try TraceReader(
      InputFile(descriptor: copy, path: name, ownsDescriptor: true))
  }
}
