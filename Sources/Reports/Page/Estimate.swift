import Gates
import History
import Statistics

/// A figure with its interval, and what the interval rests on.
struct Estimate {
  let value: Double
  let interval: ClosedRange<Double>?
  /// "8 launches", "454 passes of one launch".
  let basis: String

  /// The median of `metric`. With several launches the interval is that between launches; with one it is
  /// that of its passes, and says nothing of the next launch. Nil without samples.
  init?(_ metric: RunRecord.Metric?, confidence: Double) {
    guard let metric, !metric.samples.isEmpty else { return nil }
    let launches = metric.samplesByLaunch.filter { !$0.isEmpty }.map { median($0) }
    if launches.count > 1 {
      value = median(launches)
      basis = "\(launches.count) launches"
      interval = Evidence.paired(launches).finding(confidence: confidence).interval
        .map { $0.lower...$0.upper }
    } else {
      value = metric.value
      let count = metric.samples.count
      basis = count == 1 ? "one launch" : "\(Format.count(UInt64(count))) passes of one launch"
      interval = RankInterval.ofMedian(metric.samples, confidence: confidence)
        .map { $0.lower...$0.upper }
    }
  }

  /// 3.86 (3.85 … 3.88)
  var text: String { Format.number(value) + (intervalText.map { " (\($0))" } ?? "") }

  var intervalText: String? {
    interval.map { Format.number($0.lowerBound) + " … " + Format.number($0.upperBound) }
  }

  /// How many times as long as `other`: with the widest interval that both allow.
  func ratio(to other: Estimate) -> String {
    guard other.value > 0 else { return "–" }
    var text = Format.number(value / other.value) + " ×"
    if let mine = interval, let theirs = other.interval, theirs.lowerBound > 0 {
      text +=
        " (\(Format.number(mine.lowerBound / theirs.upperBound)) … "
        + "\(Format.number(mine.upperBound / theirs.lowerBound)))"
    }
    return text
  }
}
