import Foundation
import Reports
import TraceImport

/// What `record --list` prints: the events that are known, and what this kernel has of them.
struct RecordList {
  private let catalogue: TracepointCatalogue
  private let tracefs: TracefsFolder

  init(_ catalogue: TracepointCatalogue, _ tracefs: TracefsFolder) {
    self.catalogue = catalogue
    self.tracefs = tracefs
  }

  func print(_ format: OutputFormat) throws {
    struct Document: Encodable {
      struct Event: Encodable {
        var name: String
        var standing: String
      }
      var version = 1
      var tracefs: String
      var events: [Event]
    }
    let document = Document(
      tracefs: tracefs.path,
      events: catalogue.entries.map {
        Document.Event(name: $0.name.description, standing: Self.word($0.standing))
      })
    try format.print(document, text: table)
  }

  private func table() -> String {
    var table = Table([.word("event"), .word("here")])
    for entry in catalogue.entries {
      table.add([entry.name.description, Self.word(entry.standing)])
    }
    return "\(tracefs.path)\n" + table.text()
      + "recorded: taken without --event; no meaning: here, but no event of a trace holds it\n"
  }

  private static func word(_ standing: TracepointCatalogue.Standing) -> String {
    switch standing {
    case .recorded: "recorded"
    case .withoutMeaning: "no meaning"
    case .missing: "missing"
    }
  }
}
