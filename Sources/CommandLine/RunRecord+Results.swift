import EventModel
import History
import Measurement
import Replay

// From the types of the measuring layers to those of the run record.

extension RunRecord.LedgerRecord {
  init(_ account: Ledger.Account) {
    self.init(
      offered: account.offered, delivered: account.delivered, coalesced: account.coalesced,
      masked: account.masked,
      lost: Dictionary(uniqueKeysWithValues: account.lost.map { ("\($0.outcome)", $0.count) }))
  }
}

extension RunRecord.Distribution {
  init(name: String, unit: String, _ histogram: LatencyHistogram) {
    self.init(
      name: name, unit: unit,
      counts: histogram.buckets.map { Bucket(value: $0.value, count: $0.count) })
  }
}

extension RunRecord.ProcessorCounter {
  /// - Parameter events: over which it was counted.
  init(_ reading: ProcessorCounters.Reading, events: UInt64) {
    let name = reading.event.name
    switch reading.result {
    case .counted(let count, let share):
      self.init(
        name: name, perEvent: Double(count) / Double(max(1, events)), countedShare: share,
        reason: nil)
    case .notSupported(let reason):
      self.init(name: name, perEvent: nil, countedShare: nil, reason: "not supported (\(reason))")
    }
  }
}

extension WorkCounters {
  /// Counter → value, zeros included: a counter that became 0 is a change, too.
  var named: [String: UInt64] {
    Dictionary(uniqueKeysWithValues: Self.fields.map { ($0.name, self[keyPath: $0.path]) })
  }
}
