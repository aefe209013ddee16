import Foundation
import Gates
import History

/// What a report is made of, told apart by its content.
struct ReportDocuments {
  private(set) var records: [RunRecord] = []
  private(set) var comparisons: [Comparison] = []

  /// Adds a run record, all run records of a folder, or a comparison.
  mutating func read(_ path: String) throws {
    if let comparison = try Self.comparison(path) {
      comparisons.append(comparison)
    } else if let found = try RecordFiles.read(path) {
      records += found
    } else {
      throw Failure(
        "\(path): neither a run record nor a comparison, nor a folder of run records; 'doorbell replay "
          + "--output FILE' writes a record, 'doorbell compare --format json' a comparison")
    }
  }

  /// Nil if the file is something else. A comparison is known by its `figures`, which no record has.
  private static func comparison(_ path: String) throws -> Comparison? {
    struct Shape: Decodable {
      struct Ignored: Decodable {}
      var figures: [Ignored]
    }
    guard let data = FileManager.default.contents(atPath: path),
      (try? JSONDecoder().decode(Shape.self, from: data)) != nil
    else { return nil }
    do {
      return try JSONDecoder().decode(Comparison.self, from: data)
    } catch {
      throw Failure(
        "\(path): a comparison that cannot be read: \(error); make it anew with 'doorbell compare "
          + "--format json'")
    }
  }
}
