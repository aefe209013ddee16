import Glibc

/// Where a trace is written to: a file that appears under its name only when it is whole, or a
/// pipe.
///
/// The file grows under `<path>.partial`. `commit` syncs it, renames it and syncs the folder, so
/// that after a crash the name shows the old file or the new one, never a mixture; the partial
/// file keeps every whole frame.
@safe
struct OutputFile: ~Copyable {
  let path: String
  private let partialPath: String?
  private let descriptor: Int32
  private(set) var size: UInt64 = 0

  init(path: String) throws(TraceError) {
    self.path = path
    let partial = path + ".partial"
    partialPath = partial
    // Safety: the path is a valid C string for the call.
    descriptor = unsafe open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .system("open", path: partial) }
  }

  /// - Parameter descriptor: a pipe or terminal, which stays open.
  init(descriptor: Int32, name: String) {
    path = name
    partialPath = nil
    self.descriptor = descriptor
  }

  deinit { if partialPath != nil { close(descriptor) } }

  var isStream: Bool { partialPath == nil }

  mutating func write(_ bytes: [UInt8]) throws(TraceError) {
    // Safety: the pointer is used within the call only.
    try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(TraceError) in
      unsafe try write(UnsafeRawBufferPointer(bytes))
    }
  }

  mutating func write(_ bytes: UnsafeRawBufferPointer) throws(TraceError) {
    unsafe try Self.write(bytes, to: descriptor, at: nil, path: path)
    size += UInt64(bytes.count)
  }

  /// Replaces the first bytes. Not for streams.
  func patch(_ bytes: [UInt8]) throws(TraceError) {
    // Safety: the pointer is used within the call only.
    try unsafe bytes.withUnsafeBufferPointer { (bytes) throws(TraceError) in
      unsafe try Self.write(UnsafeRawBufferPointer(bytes), to: descriptor, at: 0, path: path)
    }
  }

  /// Makes what was written durable, under the final name unless this is a stream.
  func commit() throws(TraceError) {
    guard let partialPath else { return }
    guard fsync(descriptor) == 0 else { throw .system("sync", path: partialPath) }
    // Safety: both are valid C strings for the call.
    guard unsafe rename(partialPath, path) == 0 else { throw .system("rename", path: path) }
    let folderDescriptor = unsafe open(Self.folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folderDescriptor >= 0 else { throw .system("open folder", path: path) }
    defer { close(folderDescriptor) }
    // Some file systems cannot sync a folder; the rename itself is done.
    _ = fsync(folderDescriptor)
  }

  static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }

  private static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int?, path: String
  ) throws(TraceError) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let left = bytes.count - done
      let put: Int
      // Safety: `done` is below the count.
      if let offset {
        put = unsafe pwrite(descriptor, base + done, left, offset + done)
      } else {
        put = unsafe Glibc.write(descriptor, base + done, left)
      }
      if put < 0 {
        if errno == EINTR { continue }
        throw .system("write", path: path)
      }
      done += put
    }
  }
}
