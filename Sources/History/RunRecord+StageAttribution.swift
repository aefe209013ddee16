extension RunRecord {
  /// One interrupt taken apart: the one that stands at a percentile of the whole.
  public struct StageAttribution: Codable, Hashable, Sendable {
    /// Of the cell's total or response.
    public var percentile: Double
    /// Nanoseconds: the sum of the stages.
    public var total: UInt64
    /// In the order in which the interrupt passed them. A stage that the design or the experiment does
    /// not have is absent.
    public var stages: [Stage]

    public init(percentile: Double, total: UInt64, stages: [Stage]) {
      self.percentile = percentile
      self.total = total
      self.stages = stages
    }

    public struct Stage: Codable, Hashable, Sendable {
      public var name: String
      public var nanoseconds: UInt64
      public init(name: String, nanoseconds: UInt64) {
        self.name = name
        self.nanoseconds = nanoseconds
      }
    }

    public func stage(_ name: String) -> UInt64? {
      stages.first { $0.name == name }?.nanoseconds
    }
  }
}
