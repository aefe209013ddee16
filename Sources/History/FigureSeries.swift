/// One figure of one cell of one trace on one host, night by night.
public struct FigureSeries: Codable, Hashable, Sendable {
  public struct Point: Codable, Hashable, Sendable {
    public var run: Int64
    public var started: String
    public var commit: String?
    public var value: Double
    public init(run: Int64, started: String, commit: String?, value: Double) {
      self.run = run
      self.started = started
      self.commit = commit
      self.value = value
    }
  }

  public var trace: String
  public var traceHash: String
  public var host: String
  public var architecture: String
  public var design: String
  public var experiment: String
  public var mode: String
  /// As in `RunRecord.Cell`.
  public var variant: String?
  public var name: String
  public var unit: String
  public var lowerIsBetter: Bool
  /// Oldest first.
  public var points: [Point]

  public init(
    trace: String, traceHash: String, host: String, architecture: String, design: String,
    experiment: String, mode: String, variant: String? = nil, name: String, unit: String,
    lowerIsBetter: Bool,
    points: [Point]
  ) {
    self.trace = trace
    self.traceHash = traceHash
    self.host = host
    self.architecture = architecture
    self.design = design
    self.experiment = experiment
    self.mode = mode
    self.variant = variant
    self.name = name
    self.unit = unit
    self.lowerIsBetter = lowerIsBetter
    self.points = points
  }
}
