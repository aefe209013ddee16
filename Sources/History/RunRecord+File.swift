public import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// What can go wrong with a run record on disk.
public enum RunRecordError: Error, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case notARunRecord(path: String, reason: String)
  case newerSchema(path: String, found: Int, supported: Int)
  case unwritable(path: String, reason: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason); check the path"
    case .notARunRecord(let path, let reason):
      "\(path): not a run record: \(reason); expected the JSON that 'doorbell replay --output' "
        + "writes"
    case .newerSchema(let path, let found, let supported):
      "\(path): run record of schema \(found), this tool reads up to \(supported); "
        + "use a newer doorbell"
    case .unwritable(let path, let reason):
      "\(path): cannot be written: \(reason); nothing was changed there"
    }
  }
}

extension RunRecord {
  /// Keys sorted, so that equal records are equal bytes.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }

  public static func read(from path: String) throws(RunRecordError) -> RunRecord {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
    struct Versioned: Decodable { var schema: Int }
    do {
      let version = try JSONDecoder().decode(Versioned.self, from: data).schema
      guard version <= currentSchema else {
        throw RunRecordError.newerSchema(path: path, found: version, supported: currentSchema)
      }
      let record = try JSONDecoder().decode(RunRecord.self, from: data)
      if let place = record.implausibleFigure() {
        throw RunRecordError.notARunRecord(
          path: path, reason: "\(place) is beyond what a run can give")
      }
      return record
    } catch let error as RunRecordError {
      throw error
    } catch {
      throw .notARunRecord(path: path, reason: "\(error)")
    }
  }

  /// Writes to a temporary file beside `path`, syncs it and renames it: a reader sees the old
  /// document or the new one, never half of one.
  public func write(to path: String) throws(RunRecordError) {
    let temporary = path + ".partial-\(getpid())"
    do {
      let data = try json()
      guard FileManager.default.createFile(atPath: temporary, contents: nil),
        let handle = FileHandle(forWritingAtPath: temporary)
      else { throw RunRecordError.unwritable(path: path, reason: "no file can be created there") }
      defer { try? handle.close() }
      try handle.write(contentsOf: data)
      try handle.write(contentsOf: Data("\n".utf8))
      try handle.synchronize()
      // Safety: both paths are NUL-terminated copies that live for the call.
      guard unsafe rename(temporary, path) == 0 else {
        throw RunRecordError.unwritable(path: path, reason: "rename failed, errno \(errno)")
      }
    } catch {
      try? FileManager.default.removeItem(atPath: temporary)
      throw error as? RunRecordError ?? .unwritable(path: path, reason: "\(error)")
    }
  }
}
