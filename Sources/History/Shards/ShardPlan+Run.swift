import Foundation

extension ShardPlan {
  /// What is done with traces: one design, some experiments, and words for `replay`.
  public struct Run: Codable, Hashable, Sendable, CustomStringConvertible {
    /// "null" beside a plug-in.
    public var design: String
    public var plugIn: PlugIn?
    public var experiments: [String]
    /// Words for `replay` beside trace, design and experiments.
    public var parameters: [String]
    /// What tells this run from others with the same design and experiments; becomes `Cell.variant`.
    public var variant: String?
    /// Fresh processes per part.
    public var launches: Int
    /// In the plan's traces.
    public var traces: [Int]

    /// A design of somebody's own.
    public struct PlugIn: Codable, Hashable, Sendable {
      /// Absolute.
      public var path: String
      /// SHA-256 of the file, in hex.
      public var contentHash: String
      public init(path: String, contentHash: String) {
        self.path = path
        self.contentHash = contentHash
      }
    }

    public init(
      design: String, plugIn: PlugIn? = nil, experiments: [String], parameters: [String] = [],
      variant: String? = nil, launches: Int = 1, traces: [Int]
    ) {
      self.design = design
      self.plugIn = plugIn
      self.experiments = experiments
      self.parameters = parameters
      self.variant = variant
      self.launches = launches
      self.traces = traces
    }

    /// The design as it is spoken of.
    public var designName: String {
      plugIn.map { ($0.path as NSString).lastPathComponent } ?? design
    }

    public var description: String {
      ([designName] + experiments + parameters).joined(separator: " ")
        + (variant.map { " (\($0))" } ?? "")
    }

    /// The cells that belong to this run, of all that its process gave, each with the run's variant.
    public func own(_ record: RunRecord) -> RunRecord {
      var record = record
      if plugIn != nil {
        record.cells = record.cells.filter { $0.architectureName == RunRecord.plugInArchitecture }
      }
      for place in record.cells.indices { record.cells[place].variant = variant }
      return record
    }
  }
}

extension RunRecord {
  /// Instead of interrupt hardware, which a plug-in brings along.
  public static let plugInArchitecture = "plug-in"
}
