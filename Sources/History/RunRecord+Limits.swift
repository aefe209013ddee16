extension RunRecord {
  /// The first figure that no run can have given, in words: a document that holds one was damaged or made up,
  /// and arithmetic on it could overflow. Nil if there is none.
  ///
  /// Counts end at 2⁵³, which every reader of JSON keeps exactly; times and rates at 10¹⁸, some thirty years
  /// in nanoseconds.
  func implausibleFigure() -> String? {
    func isCount(_ value: UInt64) -> Bool { value <= 1 << 53 }
    func isCount(_ value: Int) -> Bool { (0...(1 << 31)).contains(value) }
    func isAmount(_ value: Double) -> Bool { abs(value) <= 1e18 }
    guard isCount(launches), launches > 0 else { return "launches: \(launches)" }
    guard isCount(trace.events), isCount(trace.lostEvents) else { return "trace: events" }
    guard isCount(trace.devices ?? 0) else { return "trace: devices" }
    for curve in slowPaths ?? [] {
      let isPlausible = curve.points.allSatisfy {
        isCount($0.length) && isAmount($0.walk) && isAmount($0.map)
      }
      guard isPlausible else { return "slow path '\(curve.name)'" }
    }
    for metric in harness where !metric.isPlausible(isAmount) { return "harness: \(metric.name)" }
    for cell in cells {
      if let place = cell.implausibleFigure(isAmount, isCount, isCount) {
        return "\(cell.design) \(cell.experiment): \(place)"
      }
    }
    return nil
  }
}

extension RunRecord.Metric {
  fileprivate func isPlausible(_ isAmount: (Double) -> Bool) -> Bool {
    isAmount(value) && samples.allSatisfy(isAmount)
      && (launchSizes ?? []).allSatisfy { (0...samples.count).contains($0) }
      && (launchSizes?.count ?? 0) <= 1 << 31
  }
}

extension RunRecord.Cell {
  fileprivate func implausibleFigure(
    _ isAmount: (Double) -> Bool, _ isCount: (UInt64) -> Bool, _ isSmallCount: (Int) -> Bool
  ) -> String? {
    for metric in metrics where !metric.isPlausible(isAmount) { return metric.name }
    for shape in distributions {
      var total: UInt64 = 0
      for bucket in shape.counts {
        guard isCount(bucket.value), isCount(bucket.count), isCount(total + bucket.count) else {
          return "distribution '\(shape.name)'"
        }
        total += bucket.count
      }
    }
    for (name, count) in setUpCounters.merging(deliveryCounters, uniquingKeysWith: max)
    where !isCount(count) {
      return "counter '\(name)'"
    }
    if let ledger {
      let counts = [ledger.offered, ledger.delivered, ledger.coalesced, ledger.masked]
      guard (counts + ledger.lost.values).allSatisfy(isCount) else { return "ledger" }
    }
    for found in stages ?? [] {
      let isPlausible =
        (0...100).contains(found.percentile) && isCount(found.total)
        && found.stages.allSatisfy { isCount($0.nanoseconds) }
      guard isPlausible else { return "stages" }
    }
    for point in (curve ?? []) + (launchCurves ?? []).joined() {
      let counts = [
        point.coalesced, point.lost, point.p50, point.p99, point.p999, point.maximum, point.lag,
      ]
      let isPlausible =
        isAmount(point.rate) && isAmount(point.taken) && counts.allSatisfy(isCount)
        && [point.runs, point.sustained, point.discarded].allSatisfy(isSmallCount)
      guard isPlausible else { return "latency at rate \(point.rate)" }
    }
    return nil
  }
}
