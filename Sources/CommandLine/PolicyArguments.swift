import ArgumentParser
import Gates

/// What counts as a regression.
struct PolicyArguments: ParsableArguments {
  @Option(help: "Let changes of time below this share pass (2%).")
  var threshold = Share(0.02)

  @Option(help: "Fail by chance, over all cells together, in at most this share of gates (1%).")
  var falseAlarms = Share(0.01)

  @Option(help: "Give intervals this confidence, and clear a cell by them (95%).")
  var confidence = Share(0.95)

  @Flag(help: "Show work counters that rose, but let time alone decide.")
  var acceptWork = false

  func validate() throws {
    guard threshold.value > 0 else { throw ValidationError("--threshold takes more than 0%") }
    guard (1e-6...0.5).contains(falseAlarms.value) else {
      throw ValidationError("--false-alarms takes a share from 0.0001% to 50%")
    }
    guard (0.5...0.9999).contains(confidence.value) else {
      throw ValidationError("--confidence takes a share from 50% to 99.99%")
    }
  }

  var policy: Policy {
    var policy = Policy()
    policy.threshold = threshold.value
    policy.falseAlarm = falseAlarms.value
    policy.confidence = confidence.value
    policy.acceptsWork = acceptWork
    return policy
  }
}

/// A share on the command line: 2%, 0.5%.
struct Share: ExpressibleByArgument {
  var value: Double

  init(_ value: Double) { self.value = value }

  init?(argument: String) {
    guard argument.hasSuffix("%"), let percent = Double(argument.dropLast()), percent >= 0,
      percent <= 1000
    else { return nil }
    value = percent / 100
  }

  var defaultValueDescription: String { "\(value * 100)%" }
}
