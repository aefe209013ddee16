import ArgumentParser
import Foundation
import History

/// One side of a gate: what is started afresh for every launch, or launches that were stored.
struct Arm {
  enum Source {
    /// An executable `doorbell`.
    case tool(String)
    /// A shared object, run by this very tool.
    case plugin(String)
    case stored([RunRecord])
  }

  /// As the user named it.
  var name: String
  var source: Source
  /// Given to every launch, behind the others.
  var arguments: [String] = []

  /// Where a build folder may hold its executable.
  private static let places = [
    "doorbell", "release/doorbell", ".build/release/doorbell", "bin/doorbell", "debug/doorbell",
    ".build/debug/doorbell",
  ]

  /// - Parameter path: an executable, a build folder, a plug-in, a run record or a folder of them.
  init(_ path: String) throws {
    name = path
    var isFolder: ObjCBool = false
    // Safety: the flag is a local that lives during the call.
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw Failure(
        "\(path): No such file or directory; name an executable, a build folder, a plug-in, or a "
          + "stored baseline (a run record, a folder of them)")
    }
    if isFolder.boolValue {
      for place in Self.places {
        let tool = path + "/" + place
        if FileManager.default.isExecutableFile(atPath: tool) {
          source = .tool(tool)
          return
        }
      }
    } else if path.hasSuffix(".so") || path.contains(".so.") {
      source = .plugin(path)
      return
    }
    if let records = try RecordFiles.read(path) {
      source = .stored(records)
    } else if !isFolder.boolValue, FileManager.default.isExecutableFile(atPath: path) {
      source = .tool(path)
    } else {
      throw Failure(
        "\(path): neither an executable nor a run record"
          + (isFolder.boolValue
            ? ", and no " + Self.places.joined(separator: ", ") + " in it" : "")
          + "; build it with 'swift build -c release'")
    }
  }

  /// The executable of the running process.
  static func thisTool() throws -> String {
    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  }

  var stored: [RunRecord]? {
    if case .stored(let records) = source { records } else { nil }
  }

  var plugin: String? {
    if case .plugin(let path) = source { path } else { nil }
  }

  /// What is compared, as a file; nil for a stored arm.
  private var file: String? {
    switch source {
    case .tool(let path), .plugin(let path): path
    case .stored: nil
    }
  }

  /// The same bytes with the same arguments: whatever one does, the other does.
  func isIdentical(to other: Arm) -> Bool {
    guard let file, let theirs = other.file, arguments == other.arguments,
      (plugin == nil) == (other.plugin == nil)
    else { return false }
    return FileManager.default.contentsEqual(atPath: file, andPath: theirs)
  }

  /// Plug-ins bring designs of their own, which no build has.
  func requireComparable(to other: Arm) throws {
    guard stored == nil, other.stored == nil, (plugin == nil) != (other.plugin == nil) else {
      return
    }
    throw ValidationError(
      "\(plugin ?? other.plugin ?? "") is a plug-in and the other arm is a build; gate a plug-in "
        + "against a plug-in or a stored baseline")
  }

  /// What to start, and its first arguments.
  ///
  /// Precondition: the arm is not stored.
  func command(_ designs: [String]) -> (executable: String, words: [String]) {
    switch source {
    case .tool(let path): (path, ["--design"] + designs)
    case .plugin(let path):
      ("/proc/self/exe", ["--design", "null", "--backend", path])
    case .stored: preconditionFailure("a stored arm is not started")
    }
  }
}
