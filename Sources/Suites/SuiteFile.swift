import Foundation
import TOMLKit

/// Reads a suite from its TOML file.
public struct SuiteFile {
  private let path: String

  /// - Parameter designs: that exist, and the architectures; `absence` says why a design is not on one.
  public struct Catalogue: Sendable {
    var designs: [String]
    var architectures: [String]
    var absence: @Sendable (_ design: String, _ architecture: String) -> String?
    public init(
      designs: [String], architectures: [String],
      absence: @escaping @Sendable (_ design: String, _ architecture: String) -> String?
    ) {
      self.designs = designs
      self.architectures = architectures
      self.absence = absence
    }
  }

  /// Refuses what is not a suite, names designs that `catalogue` does not have or traces that are not there.
  public static func read(_ path: String, _ catalogue: Catalogue) throws(SuiteError) -> Suite {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      let reason =
        FileManager.default.fileExists(atPath: path)
        ? "not a file of UTF-8 text" : "No such file or directory"
      throw .unreadable(path: path, reason: reason)
    }
    return try SuiteFile(path: path).suite(text, catalogue)
  }

  private func suite(_ text: String, _ catalogue: Catalogue) throws(SuiteError) -> Suite {
    let document: TOMLTable
    do {
      document = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      let begin = error.source.begin
      throw .syntax(
        path: path, line: begin.line, column: begin.column, reason: error.description)
    } catch {
      throw .syntax(path: path, line: 1, column: 1, reason: "\(error)")
    }
    let root = SuiteTable(document, path: path, place: nil)
    try root.refuseOthers(than: ["schema", "launches", "run"])
    let schema = try root.integer("schema")
    guard schema == Suite.currentSchema else {
      throw root.refusal(
        "schema", expected: "\(Suite.currentSchema)", found: schema.map { "\($0)" } ?? "none",
        advice: "write 'schema = \(Suite.currentSchema)' if it is a suite for this doorbell")
    }
    let launches = try root.launches() ?? 1
    var suite = Suite(path: path, runs: [])
    for table in try root.tables("run") {
      suite.runs.append(try run(table, launches, catalogue))
    }
    try refuseDoubles(suite)
    return suite
  }

  private func run(
    _ table: SuiteTable, _ launches: Int, _ catalogue: Catalogue
  ) throws(SuiteError) -> Suite.Run {
    let parameters = SuiteParameter.all
    try table.refuseOthers(
      than: ["name", "traces", "designs", "plug-ins", "experiments", "arch", "launches"]
        + parameters.map(\.name))
    let plugIns = try files(table, "plug-ins") ?? []
    var run = Suite.Run(
      name: try table.string("name"), traces: try files(table, "traces") ?? [],
      designs: try table.strings("designs", among: catalogue.designs)
        ?? (plugIns.isEmpty ? ["trapped", "eventfd", "direct", "null"] : []),
      plugIns: plugIns,
      experiments: try table.strings("experiments", among: SuiteParameter.everyExperiment)
        ?? ["core", "path"],
      architectures: try table.strings("arch", among: catalogue.architectures) ?? ["arm-gicv4"],
      launches: try table.launches() ?? launches, parameters: [:])
    guard !run.traces.isEmpty else {
      throw table.refusal(
        "traces", expected: "paths of traces", found: "none",
        advice: "name one, such as \"../../Traces/nvme.dbtrace\"")
    }
    for parameter in parameters {
      guard let values = try table.words(parameter) else { continue }
      guard !parameter.experiments.isDisjoint(with: run.experiments) else {
        throw table.refusal(
          parameter.name,
          expected: "one of the experiments that take it: "
            + parameter.experiments.sorted().joined(separator: ", "),
          found: run.experiments.joined(separator: ", "),
          advice: "take it out, or into a run of those")
      }
      run.parameters[parameter.name] = values
    }
    for architecture in run.architectures {
      for design in run.designs {
        guard let reason = catalogue.absence(design, architecture) else { continue }
        throw table.refusal(
          "designs", expected: "designs that \(architecture) has", found: "\(design): \(reason)",
          advice: "put it into a run with another 'arch'")
      }
    }
    return run
  }

  /// Paths are relative to the suite's own folder.
  private func files(_ table: SuiteTable, _ key: String) throws(SuiteError) -> [String]? {
    guard let names = try table.strings(key) else { return nil }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    var files: [String] = []
    for name in names {
      let file = URL(fileURLWithPath: name, relativeTo: folder).standardizedFileURL.path
      var isFolder: ObjCBool = false
      // Safety: the flag is a local that lives during the call.
      guard unsafe FileManager.default.fileExists(atPath: file, isDirectory: &isFolder),
        !isFolder.boolValue
      else {
        throw table.refusal(
          key, expected: "a file \(file)", found: isFolder.boolValue ? "a folder" : "none",
          advice: "paths are relative to the suite; check this one")
      }
      files.append(file)
    }
    return files
  }

  /// What a record could not tell apart.
  private func refuseDoubles(_ suite: Suite) throws(SuiteError) {
    var seen: [[String?]: SuiteCell] = [:]
    var proofs: [[String?]: SuiteCell] = [:]
    var names: [String: String] = [:]
    for cell in suite.cells {
      func refuse(_ other: SuiteCell, _ what: String) -> SuiteError {
        .refused(
          path: path, place: "run \(cell.run)",
          expected: "cells that differ from those of run \(other.run)",
          found: "\(cell.traceName) \(cell.designName) \(what) in both",
          advice: "put the values into one run as a list, or give one run a 'name'")
      }
      if let other = seen[cell.identity] { throw refuse(other, cell.experiment) }
      seen[cell.identity] = cell
      if let other = proofs[cell.proof], other.proofWords != cell.proofWords {
        throw refuse(other, "proved with unlike 'limit' or 'tlb-entries'")
      }
      proofs[cell.proof] = cell
      if let other = names[cell.traceName], other != cell.trace {
        throw .refused(
          path: path, place: "traces of run \(cell.run)",
          expected: "traces of different file names",
          found: "\(other) and \(cell.trace)", advice: "rename one: results are told apart by it")
      }
      names[cell.traceName] = cell.trace
    }
  }
}
