import Glibc

extension ImportError {
  static var noSuchFile: Int32 { ENOENT }

  static func isPermission(_ code: Int32) -> Bool { code == EACCES || code == EPERM }

  /// What the C library calls error `code`.
  static func text(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    // Safety: strerror_r writes at most `buffer.count` bytes and ends them with NUL.
    guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "unknown" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
