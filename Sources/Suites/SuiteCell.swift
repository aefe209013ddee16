import Foundation

/// One thing to measure, some launches of it.
public struct SuiteCell: Hashable, Sendable {
  /// A parameter and the value that it has here.
  public struct Choice: Hashable, Sendable {
    public var name: String
    public var value: String
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Number of the `[[run]]`, from 1.
  public var run: Int
  public var trace: String
  public var design: String
  public var plugIn: String?
  public var experiment: String
  /// Nil for a plug-in.
  public var architecture: String?
  public var choice: [Choice]
  public var variant: String?
  public var launches: Int

  public var designName: String { plugIn.map { ($0 as NSString).lastPathComponent } ?? design }
  public var traceName: String { (trace as NSString).lastPathComponent }

  /// Words for `replay` beside trace, design, plug-in and experiment.
  public var words: [String] {
    (architecture.map { ["--arch", $0] } ?? []) + choice.flatMap { ["--" + $0.name, $0.value] }
  }

  /// Two cells of which this is equal are one in a record.
  var identity: [String?] { [trace, designName, architecture, variant, experiment] }
  /// Of the proof that comes before the measurement: the same for all experiments of a design.
  var proof: [String?] { Array(identity.dropLast()) }
  var proofWords: [Choice] { choice.filter { SuiteParameter.ofProof.contains($0.name) } }
}
