import Foundation

/// SHA-256 of whole files by coreutils' `sha256sum`, which hashes executables and traces of gigabytes in
/// seconds, in a debug build too.
enum ContentHash {
  static func ofFile(_ path: String) throws -> String {
    try Console.step("hash of \(path)") { try hash(path) }
  }

  private static func hash(_ path: String) throws -> String {
    guard FileManager.default.fileExists(atPath: path) else {
      throw Failure("\(path): No such file or directory; check the path")
    }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // From standard input: a name with odd characters would be escaped, and the line with it.
    process.arguments = ["sha256sum"]
    process.standardInput = FileHandle(forReadingAtPath: path)
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let hash = String(decoding: data.prefix(64), as: UTF8.self)
    guard process.terminationStatus == 0, hash.count == 64, hash.allSatisfy(\.isHexDigit) else {
      throw Failure(
        "\(path): sha256sum gave no hash; is coreutils installed and the file readable?")
    }
    return hash
  }

  /// Of this executable.
  static func ofTool() throws -> String { try ofFile("/proc/\(getpid())/exe") }
}
