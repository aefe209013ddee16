import Foundation
import History

/// Run records named on the command line: a file, or a folder whose `.json` files are launches.
enum RecordFiles {
  /// The records at `path`; nil if there is a file or folder that holds none.
  static func read(_ path: String) throws -> [RunRecord]? {
    try Console.step("records of \(path)") { try found(path) }
  }

  private static func found(_ path: String) throws -> [RunRecord]? {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw Failure(
        "\(path): No such file or directory; name a run record, a folder of them or a build")
    }
    guard isFolder.boolValue else {
      return try startsAsJSON(path) ? [RunRecord.read(from: path)] : nil
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    let records = try names.filter { $0.hasSuffix(".json") && startsAsJSON("\(path)/\($0)") }
      .sorted()
      .map { try RunRecord.read(from: "\(path)/\($0)") }
    return records.isEmpty ? nil : records
  }

  private static func startsAsJSON(_ path: String) -> Bool {
    guard let handle = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? handle.close() }
    return (try? handle.read(upToCount: 1)) == Data("{".utf8)
  }
}
