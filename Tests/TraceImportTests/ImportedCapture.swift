import EventModel

@testable import TraceImport

/// What an import of a file gives, all at once, by the way that the command takes.
struct ImportedCapture {
  var format: CaptureFormat?
  var events: [TraceEvent] = []
  var report = ImportReport()

  init(path: String, _ importer: CaptureImporter = CaptureImporter()) throws {
    var input = try CaptureInput(path: path)
    format = try CaptureFormat(head: input.peek(CaptureFormat.headBytes))
    report = try importer.run(path: path) { span in
      for index in span.indices { events.append(span[index]) }
    }
  }

  init(_ bytes: [UInt8], _ importer: CaptureImporter = CaptureImporter()) throws {
    self = try TemporaryCapture.with(bytes) { try Self(path: $0, importer) }
  }

  func events(_ kind: EventKind) -> [TraceEvent] { events.filter { $0.kind == kind } }

  func tally(_ name: String) -> ImportReport.NameTally? {
    report.names.first { $0.name == name }
  }
}
