import EventModel
import Foundation
import History
import Testing
import TraceFormat

/// The traces that come with the project are those that the manifest describes.
@Suite struct TraceManifestTests {
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Traces")

  struct Manifest: Decodable {
    struct Info: Decodable {
      var bytes: UInt64
      var events: UInt64
      var sha256: String
      var eventsByKind: [String: UInt64]
      var provenance: [String]
    }
    struct Trace: Decodable {
      var file: String
      var source: String
      var sourceSHA256: String
      var command: String
      var info: Info
    }
    var version: Int
    var traces: [Trace]
  }

  static func manifest() throws -> Manifest {
    let data = try Data(contentsOf: folder.appendingPathComponent("manifest.json"))
    return try JSONDecoder().decode(Manifest.self, from: data)
  }

  @Test func everyTraceStandsInTheManifestAndTheReverse() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
      .filter { $0.hasSuffix(".dbtrace") }.sorted()
    #expect(try Self.manifest().traces.map(\.file).sorted() == files)
    #expect(files.count >= 5)
  }

  @Test func everyTraceHasTheStatedContent() throws {
    for trace in try Self.manifest().traces {
      let path = Self.folder.appendingPathComponent(trace.file)
      let data = try Data(contentsOf: path)
      #expect(UInt64(data.count) == trace.info.bytes, "\(trace.file)")
      #expect(SHA256.hex(data) == trace.info.sha256, "\(trace.file)")
      var reader = try TraceReader(path: path.path)
      var kinds: [String: UInt64] = [:]
      var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 4096)
      while true {
        // Safety: the pointer is used during the call only.
        let count = unsafe try batch.withUnsafeMutableBufferPointer {
          unsafe try reader.decode(into: $0)
        }
        if count == 0 { break }
        for event in batch[0..<count] { kinds["\(event.kind)", default: 0] += 1 }
      }
      #expect(kinds == trace.info.eventsByKind, "\(trace.file)")
      #expect(kinds.values.reduce(0, +) == trace.info.events, "\(trace.file)")
      #expect(trace.sourceSHA256.count == 64 && trace.command.contains("doorbell import"))
      #expect(trace.info.provenance.contains("source: \(trace.source)"), "\(trace.file)")
    }
  }

  @Test func theFolderIsSmall() throws {
    let total = try Self.manifest().traces.reduce(0) { $0 + $1.info.bytes }
    #expect(total <= 8 << 20)
  }
}
