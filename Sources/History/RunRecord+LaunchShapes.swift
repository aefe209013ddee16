// What of several launches has no sum, and what stands for it instead.

extension RunRecord.Cell {
  /// Takes stages, curve and the processor's counters of `launches`, in any order the same.
  ///
  /// An interrupt taken apart is one of some launch: at each percentile the one that lies nearest to that
  /// percentile of all launches together. A curve is that of the launch with the median knee; those of all
  /// launches are kept beside it. Counters were counted over as many events in each launch: their mean.
  mutating func choose(from launches: [RunRecord.Cell]) {
    stages = nearestStages(launches)
    let curves = launches.flatMap { $0.launchCurves ?? ($0.curve.map { [$0] } ?? []) }
    if curves.count > 1 {
      launchCurves = curves
      curve = curves.sorted(by: Self.isBelow)[(curves.count - 1) / 2]
    }
    processorCounters = meanCounters(launches)
  }

  private func nearestStages(_ launches: [RunRecord.Cell]) -> [RunRecord.StageAttribution]? {
    let all = launches.flatMap { $0.stages ?? [] }
    guard !all.isEmpty else { return nil }
    let whole = distribution("total") ?? distribution("response")
    return Set(all.map(\.percentile)).sorted().compactMap { percentile in
      let there = all.filter { $0.percentile == percentile }
      // Without a distribution there is no telling; the middle one, then.
      let target =
        whole.map { $0.percentile(percentile) }
        ?? there.map(\.total).sorted()[(there.count - 1) / 2]
      func key(_ found: RunRecord.StageAttribution) -> [UInt64] {
        let distance = max(found.total, target) - min(found.total, target)
        return [distance, found.total] + found.stages.map(\.nanoseconds)
      }
      return there.min { key($0).lexicographicallyPrecedes(key($1)) }
    }
  }

  /// By the highest rate that most runs sustained; equal ones by what was taken there.
  private static func isBelow(_ a: [RunRecord.RatePoint], _ b: [RunRecord.RatePoint]) -> Bool {
    func key(_ curve: [RunRecord.RatePoint]) -> [Double] {
      [curve.filter { $0.sustained * 2 > $0.runs }.map(\.rate).max() ?? 0]
        + curve.flatMap { [$0.rate, $0.taken] }
    }
    return key(a).lexicographicallyPrecedes(key(b))
  }

  private func meanCounters(_ launches: [RunRecord.Cell]) -> [RunRecord.ProcessorCounter]? {
    guard let counters = launches.compactMap(\.processorCounters).first else { return nil }
    return counters.map { counter in
      let same = launches.compactMap { $0.processorCounters?.first { $0.name == counter.name } }
      let counted = same.compactMap(\.perEvent)
      guard !counted.isEmpty else { return counter }
      return RunRecord.ProcessorCounter(
        name: counter.name, perEvent: counted.sorted().reduce(0, +) / Double(counted.count),
        countedShare: same.compactMap(\.countedShare).min(), reason: nil)
    }
  }
}
