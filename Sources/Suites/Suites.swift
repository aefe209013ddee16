// Suites: what to measure, written down once: traces × designs × experiments × parameters in a TOML file.
//
//   schema = 1
//   launches = 3
//   [[run]]
//   traces = ["../Traces/nvme.dbtrace"]
//   designs = ["trapped", "eventfd", "direct"]
//   experiments = ["core", "paced"]
//   rate = ["20k", "50k"]                    # several values: one cell for each
//
//   let suite = try SuiteFile.read("suite.toml")
//   suite.cells                              // one per trace × design × experiment × hardware × values
//
// Reading is strict: a key that means nothing, a value of another type, a design or trace that is not there and
// a parameter that none of a run's experiments takes are refused, each with its place in the file. Whether a
// value is in range is `replay`'s to say, once for hand and suite. TOML comes from the TOMLKit package, which
// enters the project here only.
//
// It starts nothing: `suite run` and `shard plan` of `CommandLine` do, from the same cells.
// Invariants: the same file gives the same cells in the same order. Threads: values; any thread.

import Foundation

/// A suite as its file says it.
public struct Suite: Hashable, Sendable {
  public static let currentSchema = 1

  /// The file, for messages.
  public var path: String
  public var runs: [Run]

  /// A `[[run]]`: every combination of its values is a cell.
  public struct Run: Hashable, Sendable {
    /// Tells it from another run of the same; becomes a part of its cells' variant.
    public var name: String?
    /// Absolute paths of files that were there.
    public var traces: [String]
    public var designs: [String]
    /// Absolute paths of shared objects that were there.
    public var plugIns: [String]
    public var experiments: [String]
    public var architectures: [String]
    /// Fresh processes per cell.
    public var launches: Int
    /// Name of a parameter → its values, as words for `replay`.
    public var parameters: [String: [String]]
  }

  /// In the order of runs, traces, experiments, values, hardware and designs.
  public var cells: [SuiteCell] { runs.indices.flatMap { cells(of: $0) } }

  private func cells(of index: Int) -> [SuiteCell] {
    let run = runs[index]
    var cells: [SuiteCell] = []
    for trace in run.traces {
      for experiment in run.experiments {
        for choice in run.choices(for: experiment) {
          for architecture in run.architectures {
            for design in run.designs {
              cells.append(
                SuiteCell(
                  run: index + 1, trace: trace, design: design, plugIn: nil, experiment: experiment,
                  architecture: architecture, choice: choice, variant: run.variant(of: choice),
                  launches: run.launches))
            }
          }
          // A plug-in brings its own hardware.
          for plugIn in run.plugIns {
            cells.append(
              SuiteCell(
                run: index + 1, trace: trace, design: "null", plugIn: plugIn,
                experiment: experiment,
                architecture: nil, choice: choice, variant: run.variant(of: choice),
                launches: run.launches))
          }
        }
      }
    }
    return cells
  }
}

extension Suite.Run {
  /// Every combination of the values that an experiment takes, names in alphabetical order.
  fileprivate func choices(for experiment: String) -> [[SuiteCell.Choice]] {
    let taken = parameters.keys.sorted().filter {
      SuiteParameter.named($0)?.experiments.contains(experiment) == true
    }
    return taken.reduce([[]]) { found, name in
      found.flatMap { choice in
        (parameters[name] ?? []).map { choice + [SuiteCell.Choice(name: name, value: $0)] }
      }
    }
  }

  /// The run's name, and those parameters that have several values.
  fileprivate func variant(of choice: [SuiteCell.Choice]) -> String? {
    let words =
      (name.map { [$0] } ?? [])
      + choice.filter { (parameters[$0.name]?.count ?? 0) > 1 }.map { "\($0.name)=\($0.value)" }
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}
