package import EventModel

/// A recording as a supply of behaviour: for each device and vCPU, runs of what it did.
///
///     var sample = RecordingSample()
///     for event in trace { sample.add(event) }
///     sample.finish()
///     let generator = try ScaledGenerator(sample, options)
///
/// Memory: at most a million sampled events (32 MiB), and what devices have mapped.
package struct RecordingSample: Sendable {
  private(set) var sources: [SampledSource] = []
  /// How long messages waited for their acknowledge, and the latter for the end of interrupt.
  private(set) var latencies: [(latency: UInt64, handling: UInt64)] = []
  /// Interrupt targets in the order of their first use.
  private(set) var targets: [InterruptTarget] = []
  /// How long the recording is without pauses.
  private(set) var busyNanoseconds: UInt64 = 0
  /// A gap of one source that is longer is left out: it would come by chance, and the rate with it.
  package private(set) var pauseNanoseconds: UInt64 = .max
  package private(set) var profile = TraceProfile()

  private var recorders: [SourceRecorder] = []
  private var byStream: [UInt32: Int] = [:]
  private var byDevice: [UInt32: Int] = [:]
  private var byASID: [UInt16: [Int]] = [:]
  private var byVCPU: [Int: Int] = [:]
  private var waiting: [Interrupt: Message] = [:]
  private var handled: [Interrupt: Message] = [:]
  private var kept = 0
  private var log2Stride = 0

  private struct Interrupt: Hashable {
    var target: InterruptTarget
    var intid: UInt32
  }

  /// One whose interrupt is pending, or being handled.
  private struct Message {
    var source: Int
    /// Among the source's events.
    var number: UInt64
    var sentAt: UInt64
    var takenAt: UInt64 = 0
  }

  static let blockEvents = 512
  private static let keptLimit = 1 << 20
  private static let latencyLimit = 1 << 14

  package init() {}

  package mutating func add(_ event: TraceEvent) {
    profile.add(event)
    switch event.kind {
    case .streamConfiguration:
      let source = source(ofStream: event.streamID)
      for asid in byASID.keys { byASID[asid]?.removeAll { $0 == source } }
      byASID[event.asid, default: []].append(source)
    case .map:
      if event.stage == 1 { recorders[source(ofStream: event.streamID)].map(event) }
    case .unmap: unmap(event)
    case .dma: record(recorders[source(ofStream: event.streamID)].access(event), event)
    case .msi: message(event)
    case .acknowledge, .endOfInterrupt: time(event)
    case .itsCommand: command(event)
    case .vcpuLoad, .vcpuPut, .vcpuBlock: residency(event)
    default: break
    }
  }

  /// After the last event.
  package mutating func finish() {
    let used = recorders.filter { $0.eventCount > 0 }
    let isBusy = used.contains { $0.eventCount >= UInt64(Self.blockEvents) }
    // Where something is going on, a long pause is the machine's (it boots, or waits for its user).
    if isBusy { pauseNanoseconds = max(1, profile.durationNanoseconds / 64) }
    sources = used.map { $0.finished(pause: pauseNanoseconds) }
    busyNanoseconds =
      isBusy ? sources.map(\.activeNanoseconds).max() ?? 0 : profile.durationNanoseconds
    for index in sources.indices {
      let active = sources[index].activeNanoseconds
      sources[index].idleNanoseconds = busyNanoseconds - min(busyNanoseconds, active)
    }
  }

  // MARK: Whose event it is

  private mutating func source(ofStream streamID: UInt32) -> Int {
    if let known = byStream[streamID] { return known }
    byStream[streamID] = recorders.count
    recorders.append(SourceRecorder(streamID: streamID))
    return recorders.count - 1
  }

  private mutating func vcpu(_ target: InterruptTarget) -> Int {
    if let known = targets.firstIndex(of: target) { return known }
    targets.append(target)
    return targets.count - 1
  }

  // MARK: What it did

  private mutating func record(_ sampled: SampledEvent, _ event: TraceEvent, _ source: Int? = nil) {
    let index = source ?? self.source(ofStream: event.streamID)
    guard recorders[index].append(sampled, time: event.time, log2Stride: log2Stride) else { return }
    kept += Self.blockEvents
    guard kept > Self.keptLimit else { return }
    // Too much: every second block goes, and from now on only every 2ⁿth comes.
    log2Stride += 1
    for index in recorders.indices { recorders[index].thin() }
    kept = recorders.reduce(0) { $0 + $1.keptEvents }
  }

  /// A recording may say the ASID only: the address space is that of a device with the leaf.
  private mutating func unmap(_ event: TraceEvent) {
    guard event.stage == 1 else { return }
    let candidates =
      byStream[event.streamID].map { [$0] } ?? byASID[event.asid] ?? []
    for index in candidates {
      if let sampled = recorders[index].unmap(event) {
        record(sampled, event, index)
        return
      }
    }
  }

  private mutating func message(_ event: TraceEvent) {
    let source = source(ofStream: event.streamID)
    byDevice[event.deviceID] = source
    guard !event.outcome.isLost else {
      recorders[source].hasFaultyMessages = true
      record(SampledEvent(gapNanoseconds: 0, action: .faultyMessage), event)
      return
    }
    let target = event.flags.contains(.interruptRecorded) ? vcpu(event.target) : 0
    let vector = recorders[source].vector(event.data, target: target)
    if waiting.count < Self.latencyLimit {
      let interrupt = Interrupt(target: event.target, intid: event.intid)
      if waiting[interrupt] == nil {
        waiting[interrupt] = Message(
          source: source, number: recorders[source].eventCount, sentAt: event.time)
      }
    }
    record(SampledEvent(gapNanoseconds: 0, vector: vector, action: .message), event)
  }

  private mutating func time(_ event: TraceEvent) {
    let interrupt = Interrupt(target: event.target, intid: event.intid)
    if event.kind == .acknowledge {
      guard var message = waiting.removeValue(forKey: interrupt), handled.count < Self.latencyLimit
      else { return }
      message.takenAt = max(message.sentAt, event.time)
      handled[interrupt] = message
      recorders[message.source].note(
        message: message.number, latency: message.takenAt - message.sentAt)
    } else if let message = handled.removeValue(forKey: interrupt) {
      let handling = event.time - min(event.time, message.takenAt)
      recorders[message.source].note(message: message.number, handling: handling)
      if latencies.count < Self.latencyLimit {
        latencies.append((message.takenAt - message.sentAt, handling))
      }
    }
  }

  /// MOVI and VMOVI of a vector that has been used.
  private mutating func command(_ event: TraceEvent) {
    let opcode = event.word0 & 0xFF
    guard opcode == 0x01 || opcode == 0x21,
      let source = byDevice[UInt32(event.word0 >> 32)],
      let vector = recorders[source].known(UInt32(truncatingIfNeeded: event.word1))
    else { return }
    record(SampledEvent(gapNanoseconds: 0, vector: vector, action: .move), event, source)
  }

  private mutating func residency(_ event: TraceEvent) {
    let vcpu = vcpu(event.target)
    if byVCPU[vcpu] == nil {
      byVCPU[vcpu] = recorders.count
      recorders.append(SourceRecorder(streamID: nil))
    }
    let action: SampledEvent.Action =
      event.kind == .vcpuLoad ? .load : event.kind == .vcpuPut ? .put : .block
    record(SampledEvent(gapNanoseconds: 0, action: action), event, byVCPU[vcpu])
  }
}
