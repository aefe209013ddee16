import Foundation
import Gates
import HistoryStore
import Reports
import Statistics

/// A folder that holds a site: its pages, and what the next build need not work out again.
///
/// A build renders every page and writes those whose bytes changed, each whole or not at all; the index comes
/// after what it leads to. What takes long is the search for steps, whose answers are kept by their question.
/// So the folder is byte for byte the one that a build from nothing makes, whatever was in it before.
struct SiteFolder {
  let path: String

  /// Of the file beside the pages.
  private static let stateName = "doorbell-site.json"

  private struct State: Codable, Equatable {
    var version = 1
    var pages: [String] = []
    /// Index, statistic and p of each step, by the digest of the search.
    var steps: [String: [[Double]]] = [:]
  }

  struct Outcome {
    var pages: Int
    var written: Int
    var removed: Int
  }

  /// - Returns: what was done.
  func build(_ history: String, _ policy: Policy) throws -> Outcome {
    let old = try state()
    var answers = StepAnswers(
      old.steps.mapValues { steps in
        steps.map { .init(index: Int($0[0]), statistic: $0[1], p: $0[2]) }
      })
    let pages = try HistoryPages(HistoryStore(path: history), policy: policy, answers: &answers)
    let files = try Site(pages).files()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let names = files.map(\.name)
    var state = State(
      pages: Set(names + old.pages).sorted(),
      steps: answers.byDigest.mapValues { steps in
        steps.map { [Double($0.index), $0.statistic, $0.p] }
      })
    // First, with the old pages in it: a build that is killed leaves a folder that the next one knows.
    try write(state)
    var outcome = Outcome(pages: files.count, written: 0, removed: 0)
    for file in files where try write(Data(file.content.utf8), to: file.name) {
      outcome.written += 1
    }
    for name in old.pages where !names.contains(name) {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
      outcome.removed += 1
    }
    state.pages = names.sorted()
    try write(state)
    return outcome
  }

  /// Nothing in a folder that is new or empty. A folder with something else in it is left alone.
  private func state() throws -> State {
    let file = "\(path)/\(Self.stateName)"
    guard let data = FileManager.default.contents(atPath: file) else {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      guard names.isEmpty else {
        throw Failure(
          "\(path): holds \(names.sorted()[0]) and no \(Self.stateName), so it is no site of doorbell's; name an empty "
            + "folder")
      }
      return State()
    }
    guard let state = try? JSONDecoder().decode(State.self, from: data),
      state.version == 1, state.steps.values.allSatisfy({ $0.allSatisfy(Self.isStep) }),
      state.pages.allSatisfy({ !$0.contains("/") && $0.hasSuffix(".html") })
    else {
      throw Failure(
        "\(file): not what this doorbell wrote there; remove the folder, and the next build makes it whole"
      )
    }
    return state
  }

  private static func isStep(_ numbers: [Double]) -> Bool {
    numbers.count == 3 && (0...1e9).contains(numbers[0]) && numbers[0] == numbers[0].rounded()
  }

  private func write(_ state: State) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    _ = try write(try encoder.encode(state), to: Self.stateName)
  }

  /// - Returns: whether anything had to be written.
  private func write(_ data: Data, to name: String) throws -> Bool {
    let file = "\(path)/\(name)"
    guard FileManager.default.contents(atPath: file) != data else { return false }
    do {
      try data.write(to: URL(fileURLWithPath: file), options: .atomic)
    } catch let error as CocoaError {
      throw Failure("\(file): cannot be written: \(error.localizedDescription)")
    }
    return true
  }
}
