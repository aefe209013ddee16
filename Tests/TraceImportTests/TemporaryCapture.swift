import Glibc
import Testing

/// A file of a test's own, gone when it ends.
enum TemporaryCapture {
  static func with<R>(_ bytes: [UInt8], _ body: (String) throws -> R) throws -> R {
    var template = Array("/tmp/doorbell-import-XXXXXX".utf8CString)
    // Safety: mkstemp fills in the six X of a NUL-terminated array of its own.
    let descriptor = unsafe mkstemp(&template)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    try #require(descriptor >= 0)
    defer { _ = unsafe unlink(path) }
    // Safety: the array's own count is passed.
    let written = unsafe write(descriptor, bytes, bytes.count)
    close(descriptor)
    try #require(written == bytes.count)
    return try body(path)
  }
}
