/// What a live recording took, left out and lost.
package struct RecordReport: Sendable {
  /// What became of each record, as an importer says it.
  package var records: ImportReport
  /// Events that are missing between those of the trace: each gap is a loss event in it.
  package var lostInGaps: UInt64 = 0
  /// Gaps of unknown size among them.
  package var unknownGaps: UInt64 = 0
  /// Events that the kernel counted as lost for which no gap shows.
  package var lostElsewhere: UInt64 = 0
  /// What each CPU's ring says that it lost; CPUs that lost nothing are left out.
  package var losses: [RingLoss] = []

  package var lostEvents: UInt64 { lostInGaps &+ lostElsewhere }
}

/// The counts in per_cpu/cpuN/stats of an instance.
package struct RingLoss: Sendable, Hashable {
  package var cpu: UInt16
  /// Old events that new ones displaced, because they were not read in time.
  package var overrun: UInt64 = 0
  /// Events that found no room: the ring was full of events not committed yet, or is not overwritten.
  package var dropped: UInt64 = 0

  package var total: UInt64 { overrun &+ dropped }

  /// The text of a stats file; lines that are not known are passed over.
  init(cpu: UInt16, stats: String) {
    self.cpu = cpu
    for line in stats.split(separator: "\n") {
      guard let colon = line.lastIndex(of: ":"),
        let count = UInt64(line[line.index(after: colon)...].drop { $0 == " " })
      else { continue }
      switch line[..<colon] {
      case "overrun": overrun = count
      case "commit overrun", "dropped events": dropped &+= count
      default: break
      }
    }
  }
}
