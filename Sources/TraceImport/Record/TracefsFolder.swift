import Glibc

/// A folder of tracefs: what the kernel says and takes about tracing, file by file
/// (linux, Documentation/trace/ftrace.rst).
package struct TracefsFolder: Sendable, Hashable {
  package let path: String

  package init(path: String) { self.path = path }

  /// Where tracefs is mounted by custom: of its own, and by old kernels inside of debugfs.
  package static var places: [String] { ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] }

  /// The first of `places` that is a tracefs.
  package static func mounted(
    at places: [String] = TracefsFolder.places
  ) throws(RecordError) -> TracefsFolder {
    for place in places {
      let folder = TracefsFolder(path: place)
      if folder.has("events") { return folder }
      if errno == EACCES {
        throw .refused(path: place, operation: "open", code: EACCES)
      }
    }
    throw .notMounted(places: places)
  }

  /// A text longer than this is no file of tracefs that we read.
  private static var textLimitBytes: Int { 1 << 22 }

  func folder(_ name: String) -> TracefsFolder { TracefsFolder(path: "\(path)/\(name)") }

  /// Whether there is a file or folder of this name; if not, `errno` says why.
  func has(_ name: String) -> Bool {
    // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
    unsafe access("\(path)/\(name)", F_OK) == 0
  }

  func text(_ name: String) throws(RecordError) -> String {
    let file = "\(path)/\(name)"
    // Safety: as above.
    let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .refused(path: file, operation: "open", code: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      // Safety: at most `block.count` bytes are written to the array.
      let got = unsafe read(descriptor, &block, block.count)
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw .refused(path: file, operation: "read", code: errno) }
      if got == 0 { break }
      bytes += block[..<got]
      guard bytes.count <= Self.textLimitBytes else {
        throw .malformed(
          path: file, expected: "at most \(Self.textLimitBytes) bytes", found: "more")
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Writes all of `text` at once, as tracefs needs it.
  func write(_ text: String, to name: String) throws(RecordError) {
    let file = "\(path)/\(name)"
    // Safety: as above.
    let descriptor = unsafe open(file, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .refused(path: file, operation: "open", code: errno) }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    while true {
      // Safety: the array's own count is passed.
      let put = unsafe Glibc.write(descriptor, bytes, bytes.count)
      if put < 0 && errno == EINTR { continue }
      guard put == bytes.count else {
        throw .refused(path: file, operation: "writing '\(text)'", code: put < 0 ? errno : EIO)
      }
      return
    }
  }

  /// The names in a folder, in no order; none if it cannot be read.
  func names(_ name: String) -> [String] {
    // Safety: the stream is ours until `closedir`, an entry is used before the next one is read, and its
    // name, which may end before the struct does, ends in NUL (readdir(3)).
    guard let stream = unsafe opendir("\(path)/\(name)") else { return [] }
    defer { _ = unsafe closedir(stream) }
    let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let text = unsafe (UnsafeRawPointer(entry) + nameOffset).assumingMemoryBound(to: CChar.self)
      let name = unsafe String(cString: text)
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
