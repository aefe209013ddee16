/// One run of a history, without its record.
public struct StoredRun: Codable, Hashable, Sendable {
  public var id: Int64
  /// ISO 8601, UTC, as the record says.
  public var started: String
  public var commit: String?
  /// Version of the tool that measured.
  public var tool: String
  public var trace: String
  public var traceHash: String
  /// SHA-256 of the host's fingerprint.
  public var host: String
  public var cells: Int

  public init(
    id: Int64, started: String, commit: String?, tool: String, trace: String, traceHash: String,
    host: String, cells: Int
  ) {
    self.id = id
    self.started = started
    self.commit = commit
    self.tool = tool
    self.trace = trace
    self.traceHash = traceHash
    self.host = host
    self.cells = cells
  }
}
