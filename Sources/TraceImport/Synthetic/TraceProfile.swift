package import EventModel

/// What a trace is like, in numbers that can be laid beside those of another: how often things come, from
/// whom, and how soon memory is used again. Fed with the events in order, in bounded memory.
package struct TraceProfile: Sendable {
  package struct Device: Sendable {
    package var streamID: UInt32
    package var dma: UInt64 = 0
    package var msi: UInt64 = 0
    /// By EventID; no more than the limit are told apart.
    package var vectors: Set<UInt32> = []
    fileprivate var lastDMA: UInt64?
    fileprivate var lastMSI: UInt64?
    fileprivate var pages = ReuseStack<UInt64>(limit: TraceProfile.reuseLimit)
  }

  package private(set) var events: UInt64 = 0
  package private(set) var earliestTime = UInt64.max
  package private(set) var latestTime: UInt64 = 0
  /// By raw value.
  package private(set) var kinds = [UInt64](repeating: 0, count: 256)
  /// Nanoseconds between two events of a kind, whatever device they are of; by raw value, nil for kinds
  /// without two events.
  package private(set) var kindGaps = [LogHistogram?](repeating: nil, count: 256)
  /// Nanoseconds between two accesses, and two messages, of the same device.
  package private(set) var dmaGaps = LogHistogram()
  package private(set) var msiGaps = LogHistogram()
  /// Other pages of 4 KiB that a device accessed since it last accessed this one.
  package private(set) var reuse = LogHistogram()
  /// Accesses to a page that was not accessed before, or longer ago than the limit.
  package private(set) var firstUses: UInt64 = 0
  package private(set) var rate = RateCurve()
  private var lastOfKind = [UInt64](repeating: .max, count: 256)
  private var list: [Device] = []
  private var indices: [UInt32: Int] = [:]
  /// Of the last access, since many follow one another.
  private var lastIndex = 0

  package static let reuseLimit = 1 << 16
  /// The reuse of so many accesses is measured, from the first on; the search would take too long for
  /// all of a long trace.
  package static let reuseSample: UInt64 = 1_000_000
  private static let deviceLimit = 1 << 16
  fileprivate static let vectorLimit = 1 << 12

  package init() {}

  package var durationNanoseconds: UInt64 { events == 0 ? 0 : latestTime - earliestTime }
  package var devices: [Device] { list.sorted { $0.streamID < $1.streamID } }
  package func count(_ kind: EventKind) -> UInt64 { kinds[Int(kind.rawValue)] }

  package mutating func add(_ event: TraceEvent) {
    events += 1
    earliestTime = min(earliestTime, event.time)
    latestTime = max(latestTime, event.time)
    rate.add(event.time)
    let kind = Int(event.kind.rawValue)
    kinds[kind] += 1
    if lastOfKind[kind] != .max {
      if kindGaps[kind] == nil { kindGaps[kind] = LogHistogram() }
      kindGaps[kind]?.record(event.time - min(event.time, lastOfKind[kind]))
    }
    lastOfKind[kind] = event.time
    if event.kind.isAccess { access(event) }
  }

  private mutating func access(_ event: TraceEvent) {
    guard let index = index(ofStream: event.streamID) else { return }
    if event.kind == .msi {
      if let gap = list[index].message(event) { msiGaps.record(gap) }
      return
    }
    if let gap = list[index].access(event) { dmaGaps.record(gap) }
    guard count(.dma) <= Self.reuseSample else { return }
    if let distance = list[index].pages.use(event.iova >> 12) {
      reuse.record(UInt64(distance))
    } else {
      firstUses += 1
    }
  }

  private mutating func index(ofStream streamID: UInt32) -> Int? {
    if lastIndex < list.count, list[lastIndex].streamID == streamID { return lastIndex }
    if let index = indices[streamID] {
      lastIndex = index
      return index
    }
    guard list.count < Self.deviceLimit else { return nil }
    indices[streamID] = list.count
    list.append(Device(streamID: streamID))
    return list.count - 1
  }
}

extension TraceProfile.Device {
  /// - Returns: the time since the last one.
  fileprivate mutating func message(_ event: TraceEvent) -> UInt64? {
    msi += 1
    if vectors.count < TraceProfile.vectorLimit { vectors.insert(event.data) }
    defer { lastMSI = event.time }
    return lastMSI.map { event.time - min(event.time, $0) }
  }

  fileprivate mutating func access(_ event: TraceEvent) -> UInt64? {
    dma += 1
    defer { lastDMA = event.time }
    return lastDMA.map { event.time - min(event.time, $0) }
  }
}
