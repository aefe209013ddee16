import EventModel

@testable import TraceImport

/// A capture in memory, handed out in pieces of a chosen size.
struct TextSource: ~Copyable, ByteSource {
  let name = "text"
  private let bytes: [UInt8]
  private let pieceBytes: Int
  private(set) var bytesRead: UInt64 = 0
  var totalBytes: UInt64? { UInt64(bytes.count) }

  init(_ bytes: [UInt8], pieceBytes: Int = 1 << 20) {
    self.bytes = bytes
    self.pieceBytes = pieceBytes
  }

  mutating func read(into output: inout OutputRawSpan) throws(ImportError) -> Int {
    let start = Int(bytesRead)
    let count = min(pieceBytes, output.freeCapacity, bytes.count - start)
    for byte in bytes[start..<start + count] { output.append(byte) }
    bytesRead += UInt64(count)
    return count
  }
}

/// What an import gives, all at once.
struct Imported {
  var events: [TraceEvent] = []
  var report = ImportReport()

  init(_ bytes: [UInt8], pieceBytes: Int = 1 << 20, blockBytes: Int = 1 << 16) throws {
    var source = TextSource(bytes, pieceBytes: pieceBytes)
    report = try QEMULogImporter(blockBytes: blockBytes).run(source: &source) { span in
      for index in span.indices { events.append(span[index]) }
    }
  }

  init(_ lines: [String]) throws {
    try self.init(Array((lines.joined(separator: "\n") + "\n").utf8))
  }

  init(path: String) throws {
    var input = try CaptureInput(path: path)
    report = try QEMULogImporter().run(source: &input) { span in
      for index in span.indices { events.append(span[index]) }
    }
  }

  func events(_ kind: EventKind) -> [TraceEvent] { events.filter { $0.kind == kind } }

  func tally(_ name: String) -> ImportReport.NameTally? {
    report.names.first { $0.name == name }
  }
}

/// Files of `Golden`, by path.
enum Golden {
  static func path(_ name: String, from file: String = #filePath) -> String {
    let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return folder.joined(separator: "/") + "/Golden/" + name
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    var source = try DescriptorSource(path: path(name))
    return try source.peek(Int(source.totalBytes ?? 0))
  }
}
