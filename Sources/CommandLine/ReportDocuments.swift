import Foundation
import Gates
import History

/// What a report is made of, told apart by its content.
struct ReportDocuments {
  private(set) var records: [RunRecord] = []
  private(set) var comparisons: [Comparison] = []
  private(set) var gates: [GateDocument] = []

  /// Adds a run record, all run records of a folder, a comparison or a gate's document.
  mutating func read(_ path: String) throws {
    switch Self.shape(path) {
    case .comparison: comparisons.append(try Self.decode(path, from: "compare"))
    case .gate: gates.append(try Self.decode(path, from: "gate"))
    case nil:
      guard let found = try RecordFiles.read(path) else {
        throw Failure(
          "\(path): neither a run record nor a comparison or a gate's document, nor a folder of run records; "
            + "'doorbell replay --output FILE' writes a record, 'doorbell compare --format json' a comparison"
        )
      }
      records += found
    }
  }

  private enum Shape { case comparison, gate }

  /// Nil if the file is something else. A comparison is known by its `figures`, a gate by its `conclusion`;
  /// a run record has neither.
  private static func shape(_ path: String) -> Shape? {
    struct Probe: Decodable {
      struct Ignored: Decodable {}
      var figures: [Ignored]?
      var conclusion: Ignored?
    }
    guard let data = FileManager.default.contents(atPath: path),
      let probe = try? JSONDecoder().decode(Probe.self, from: data)
    else { return nil }
    return probe.figures != nil ? .comparison : probe.conclusion != nil ? .gate : nil
  }

  private static func decode<Document: Decodable>(
    _ path: String, from verb: String
  ) throws -> Document {
    do {
      return try JSONDecoder().decode(
        Document.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw Failure(
        "\(path): a document of \(verb) that cannot be read: \(error); make it anew with --format json"
      )
    }
  }
}
