import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// Plans and results on disk: JSON with sorted keys, whole or not there.
public enum ShardFile {
  private struct Versioned: Decodable { var schema: Int }

  static func json(_ document: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(document)
  }

  static func read<Document: Decodable>(
    _ path: String, schema: Int, kind: String
  ) throws(ShardError) -> Document {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      let reason =
        FileManager.default.fileExists(atPath: path)
        ? error.localizedDescription : "No such file or directory"
      throw .unreadable(path: path, reason: reason)
    }
    do {
      let found = try JSONDecoder().decode(Versioned.self, from: data).schema
      guard found == schema else {
        throw ShardError.notOne(
          path: path, kind: kind, reason: "schema \(found), this tool reads \(schema)")
      }
      return try JSONDecoder().decode(Document.self, from: data)
    } catch {
      throw error as? ShardError ?? .notOne(path: path, kind: kind, reason: "\(error)")
    }
  }

  /// Writes `document` under a name of its own, syncs it, and links it to `path`.
  /// - Returns: false if somebody was there first; then his file stays as it is.
  public static func create(_ document: some Encodable, at path: String) throws(ShardError) -> Bool
  {
    // Processes of several nodes write into one folder: a number of a process alone is not unique.
    let folder = (path as NSString).deletingLastPathComponent
    let hidden = ".\((path as NSString).lastPathComponent).\(UUID().uuidString)"
    let temporary = folder.isEmpty ? hidden : folder + "/" + hidden
    defer { try? FileManager.default.removeItem(atPath: temporary) }
    do {
      guard FileManager.default.createFile(atPath: temporary, contents: nil),
        let handle = FileHandle(forWritingAtPath: temporary)
      else { throw ShardError.unwritable(path: path, reason: "no file can be created there") }
      defer { try? handle.close() }
      try handle.write(contentsOf: json(document) + Data("\n".utf8))
      try handle.synchronize()
      // Safety: both paths are NUL-terminated copies that live for the call.
      if unsafe link(temporary, path) == 0 { return true }
      if errno == EEXIST { return false }
      throw ShardError.unwritable(path: path, reason: "link failed, errno \(errno)")
    } catch {
      throw error as? ShardError ?? .unwritable(path: path, reason: "\(error)")
    }
  }
}
