import Foundation
import Testing

/// The real binary, run as a user runs it.
struct Tool {
  struct Result {
    var status: Int32
    var output: String
    var error: String
    var text: String { output + error }
  }

  /// Beside the test bundle, where the build puts both.
  static let path: String = {
    let bundle =
      Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
      ?? Bundle.main.bundlePath
    for folder in [bundle, Bundle.main.executablePath ?? ""] {
      let path = URL(fileURLWithPath: folder).deletingLastPathComponent().path + "/doorbell"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    return repository + "/.build/debug/doorbell"
  }()

  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  static func trace(_ name: String) -> String { repository + "/Traces/\(name).dbtrace" }
  static func golden(_ name: String) -> String {
    repository + "/Tests/TraceImportTests/Golden/" + name
  }

  /// Runs the tool to its end.
  static func run(_ arguments: String...) throws -> Result { try run(arguments) }

  static func run(_ arguments: [String]) throws -> Result {
    try shell("exec \"$0\" \"$@\"", [path] + arguments)
  }

  /// Runs a line of bash, in which `$0` is the tool and `$1`… are `arguments`.
  static func pipeline(_ line: String, _ arguments: String...) throws -> Result {
    try shell(line, [path] + arguments)
  }

  private static func shell(_ line: String, _ words: [String]) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-o", "pipefail", "-c", line] + words
    // Files and not pipes: a pipe that nobody empties would stop the tool.
    return try Folder.use { folder in
      var handles: [FileHandle] = []
      for name in ["out", "err"] {
        let path = folder.path(name)
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        handles.append(try FileHandle(forWritingTo: URL(fileURLWithPath: path)))
      }
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = handles[0]
      process.standardError = handles[1]
      try process.run()
      process.waitUntilExit()
      return Result(
        status: process.terminationReason == .exit
          ? process.terminationStatus : 128 + process.terminationStatus,
        output: try String(contentsOfFile: folder.path("out"), encoding: .utf8),
        error: try String(contentsOfFile: folder.path("err"), encoding: .utf8))
    }
  }
}

/// A folder of a test's own, gone when it ends.
struct Folder {
  let root: String
  func path(_ name: String) -> String { root + "/" + name }

  static func use<R>(_ body: (Folder) throws -> R) throws -> R {
    let root = NSTemporaryDirectory() + "doorbell-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    return try body(Folder(root: root))
  }
}
