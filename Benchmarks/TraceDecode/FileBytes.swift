import Glibc

enum FileBytes {
  struct Failure: Error {
    var path: String
  }

  static func read(_ path: String) throws -> [UInt8] {
    // Safety: the path is a valid C string; reads stay within the buffer.
    let descriptor = unsafe open(path, O_RDONLY)
    guard descriptor >= 0 else { throw Failure(path: path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = unsafe buffer.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      guard got >= 0 else { throw Failure(path: path) }
      if got == 0 { return bytes }
      bytes += buffer[..<got]
    }
  }
}
