import EventModel
import TraceImport

/// Counts what `info` prints while a trace is read. Bounded memory.
struct InfoTally {
  private struct VectorKey: Hashable {
    var device: UInt32
    var event: UInt32
  }

  private(set) var profile = TraceProfile()
  private var vectorCounts: [VectorKey: InfoDocument.Vector] = [:]
  private var sources: [UInt32: Set<UInt32>] = [:]
  private static let vectorLimit = 1 << 16
  private static let reportLimit = 1 << 10

  mutating func add(_ event: TraceEvent) {
    profile.add(event)
    guard event.kind == .msi else { return }
    // By MSI-X entry where it is known, else by what was sent.
    sources[event.streamID, default: []].insert(
      event.vector == TraceEvent.unknownVector ? event.data | 1 << 31 : UInt32(event.vector))
    let key = VectorKey(device: event.deviceID, event: event.data)
    guard vectorCounts[key] != nil || vectorCounts.count < Self.vectorLimit else { return }
    var vector =
      vectorCounts[key] ?? InfoDocument.Vector(deviceID: event.deviceID, eventID: event.data)
    vector.msi += 1
    if event.flags.contains(.interruptRecorded) {
      vector.intid = event.intid
      if vector.target != event.target.description { vector.target = event.target.description }
    }
    vectorCounts[key] = vector
  }

  var eventsByKind: [String: UInt64] {
    var counts: [String: UInt64] = [:]
    for (raw, count) in profile.kinds.enumerated() where count > 0 {
      counts["\(EventKind(rawValue: UInt8(raw)))"] = count
    }
    return counts
  }

  var gapsByKind: [String: GapPercentiles] {
    var gaps: [String: GapPercentiles] = [:]
    for (raw, histogram) in profile.kindGaps.enumerated() {
      guard let histogram else { continue }
      gaps["\(EventKind(rawValue: UInt8(raw)))"] = GapPercentiles(histogram)
    }
    return gaps
  }

  var devices: [InfoDocument.Device] {
    profile.devices.map {
      InfoDocument.Device(
        streamID: $0.streamID, dma: $0.dma, msi: $0.msi, vectors: sources[$0.streamID]?.count ?? 0)
    }
  }

  var vectorCount: Int { vectorCounts.count }

  var vectors: [InfoDocument.Vector] {
    let sorted = vectorCounts.values.sorted {
      ($1.msi, $0.deviceID, $0.eventID) < ($0.msi, $1.deviceID, $1.eventID)
    }
    return Array(sorted.prefix(Self.reportLimit))
  }

  var rate: InfoDocument.Rate {
    let seconds = max(1, Double(profile.durationNanoseconds)) / 1e9
    return InfoDocument.Rate(
      eventsPerSecond: Double(profile.events) / seconds,
      accessesPerSecond: Double(profile.count(.dma)) / seconds,
      interruptsPerSecond: Double(profile.count(.msi)) / seconds,
      peakEventsPerSecond: Double(profile.rate.peak) * 1e9
        / Double(RateCurve.peakWindowNanoseconds),
      curve: profile.rate.bins, curveStepNanoseconds: profile.rate.binNanoseconds)
  }
}
