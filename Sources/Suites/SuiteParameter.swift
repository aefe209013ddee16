/// A parameter of `replay` that a suite may set: its option without the dashes.
public struct SuiteParameter: Hashable, Sendable {
  enum Form: Hashable, Sendable {
    case count
    /// A number with its unit, such as "300ms".
    case time
    /// An integer, or such as "50k".
    case rate
    case number
    case word([String])

    var expected: String {
      switch self {
      case .count: "an integer from 0 up"
      case .time: "a time as a string, such as \"300ms\""
      case .rate: "interrupts per second: an integer, or a string such as \"50k\""
      case .number: "a number"
      case .word(let words): "one of " + words.map { "\"\($0)\"" }.joined(separator: ", ")
      }
    }
  }

  public var name: String
  var form: Form
  /// Those that it means something to.
  public var experiments: Set<String>

  public static let everyExperiment = [
    "core", "path", "paced", "saturate", "scale", "pipeline", "set-up",
  ]

  private init(_ name: String, _ form: Form, _ experiments: String...) {
    self.name = name
    self.form = form
    self.experiments = Set(experiments.isEmpty ? Self.everyExperiment : experiments)
  }

  /// In alphabetical order.
  public static let all: [SuiteParameter] = [
    .init("arrivals", .word(["recorded", "fixed", "poisson", "bursts"]), "paced", "saturate"),
    .init("bound", .time, "saturate"),
    .init("decode-threads", .count, "pipeline"),
    .init("device-threads", .count, "scale"),
    .init("duration", .time, "core"),
    .init("early-events", .word(["drop", "pend"]), "set-up"),
    .init("interrupts", .count, "path"),
    .init("lag-budget", .time, "paced"),
    .init("limit", .count, "core", "path", "paced", "saturate", "scale", "set-up"),
    .init("loops", .count, "pipeline"),
    .init("passes", .count, "core", "set-up"),
    .init("percentile", .number, "saturate"),
    .init("rate", .rate, "paced"),
    .init("scale-passes", .count, "scale"),
    .init("seed", .count, "paced", "saturate"),
    .init("send-duration", .time, "paced"),
    .init("speed", .number, "paced"),
    .init("tlb-entries", .count),
    .init("vcpu-threads", .count, "scale"),
    .init("vpe-ids", .count, "set-up"),
    .init("wait", .word(["spin", "yield", "sleep"]), "paced", "saturate"),
    .init("warm-up", .time, "paced"),
  ]

  public static func named(_ name: String) -> SuiteParameter? { all.first { $0.name == name } }

  /// Those that the proof of a design depends on.
  static let ofProof: Set<String> = ["limit", "tlb-entries"]
}
