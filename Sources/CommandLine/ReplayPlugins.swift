import Backends
import Foundation
import History

/// What `replay --backend` does: for each plug-in a child that proves and measures it with the options of
/// this command.
enum ReplayPlugins {
  /// Instead of interrupt hardware, which a plug-in brings along.
  static let architecture = RunRecord.plugInArchitecture

  /// What the child hands over.
  struct Part: Codable {
    var cells: [RunRecord.Cell]
    var warnings: [String]

    /// - Parameter library: named in every cell, so that a record says which plug-in it was.
    init(cells: [RunRecord.Cell], warnings: [String], _ library: PluginLibrary) {
      let file = FileManager.default.contents(atPath: library.path).map { SHA256.hex($0) }
      self.cells = cells.map { cell in
        var cell = cell
        cell.parameters["backend"] = library.path
        cell.parameters["backend-version"] = library.version
        cell.parameters["backend-interface"] = library.interface
        cell.parameters["backend-sha256"] = file
        return cell
      }
      self.warnings = warnings.map {
        $0.replacing("\(library.design): ", with: "\(library.name): ", maxReplacements: 1)
      }
    }

    /// A plug-in that did not come to its end: not equal to anything.
    init(_ plugin: String, _ breach: PluginChild.Breach) {
      var cell = RunRecord.Cell(
        design: (plugin as NSString).lastPathComponent, setUp: architecture,
        delivery: architecture, experiment: "equality")
      cell.architecture = architecture
      cell.parameters["backend"] = plugin
      cell.conformance = .init(
        accessesCompared: 0, interruptsCompared: 0, agreedWithReference: false,
        recordedCompared: 0, agreedWithRecording: false,
        firstDifference: "      \(breach.kind.rawValue): \(breach.text)")
      cells = [cell]
      warnings = []
    }
  }

  static func run(_ plugins: [String], deadline: TimeInterval) throws -> [Part] {
    try plugins.enumerated().map { index, plugin in
      let words = Array(ProcessInfo.processInfo.arguments.dropFirst())
      switch try PluginChild(plugin: plugin, deadline: deadline)
        .run(words, option: "--backend-child", prefix: "\(index):")
      {
      case .finished(let data): return try JSONDecoder().decode(Part.self, from: data)
      case .notLoadable(let reason): throw Failure(reason)
      case .broken(let breach): return Part(plugin, breach)
      }
    }
  }

  static func indexAndFolder(_ value: String) -> (index: Int, folder: String) {
    let parts = value.split(separator: ":", maxSplits: 1)
    return (Int(parts[0]) ?? 0, String(parts.last ?? ""))
  }
}
