import CLivePeer
import CPlatform
import Measurement

/// Runs blocks of interrupts, in Swift and in C, and keeps what they took. Recording is outside of both
/// loops.
@safe struct BlockRecord: ~Copyable {
  /// What one of the two loops took.
  struct Loop: ~Copyable {
    var signal = LatencyRecorder()
    var entry = LatencyRecorder()
    var seen = LatencyRecorder()

    func latencies(_ stampsFit: Bool) -> DeliveryExperiment.Latencies {
      .init(
        signal: signal.histogram, entry: stampsFit ? entry.histogram : LatencyHistogram(),
        seen: seen.histogram)
    }
  }

  // Safety: this value's alone, until `deinit`.
  private let stamps: UnsafeMutableBufferPointer<CLivePeerStamps>
  var swift = Loop()
  var peer = Loop()
  /// Median of a Swift block over that of the C block of the same round.
  private(set) var ratios: [Double] = []
  private(set) var stampsOutside: UInt64 = 0
  /// Interrupts that the last block offered.
  private(set) var lastCount = 0
  private var openMedian: (isPeer: Bool, value: UInt64)?

  init(_ block: Int) {
    unsafe stamps = .allocate(capacity: block)
    unsafe stamps.initialize(repeating: CLivePeerStamps())
  }

  deinit {
    // Safety: nobody else has the pointer.
    unsafe stamps.deallocate()
  }

  /// One block. An interrupt that did not come has no durations.
  mutating func run(
    _ device: InterruptDevice, inC isPeer: Bool
  ) throws(LiveError) -> InterruptDevice.End {
    lastCount = 0
    let end =
      isPeer
      ? try unsafe device.deliverInC(into: stamps, count: &lastCount)
      : try unsafe device.deliver(into: stamps, count: &lastCount)
    let clock = CycleClock.shared
    var entries: [UInt64] = []
    for index in 0..<(end == .done ? lastCount : max(0, lastCount - 1)) {
      // Safety: so many stamps were written.
      let stamp = unsafe stamps[index]
      if stamp.guest < stamp.before || stamp.guest > stamp.seen { stampsOutside += 1 }
      let signal = clock.nanoseconds(from: stamp.before, to: stamp.returned)
      let entry = clock.nanoseconds(from: stamp.before, to: stamp.guest)
      let seen = clock.nanoseconds(from: stamp.before, to: stamp.seen)
      entries.append(stampsOutside == 0 ? entry : seen)
      if isPeer {
        peer.record(signal, entry, seen)
      } else {
        swift.record(signal, entry, seen)
      }
    }
    if end == .done { pair(isPeer, entries) }
    return end
  }

  private mutating func pair(_ isPeer: Bool, _ entries: [UInt64]) {
    let median = entries.sorted()[entries.count / 2]
    if let open = openMedian, open.isPeer != isPeer {
      let (mine, other) = isPeer ? (open.value, median) : (median, open.value)
      ratios.append(Double(max(1, mine)) / Double(max(1, other)))
      openMedian = nil
    } else {
      openMedian = (isPeer, median)
    }
  }
}

extension BlockRecord.Loop {
  mutating func record(_ signal: UInt64, _ entry: UInt64, _ seen: UInt64) {
    self.signal.record(signal)
    self.entry.record(entry)
    self.seen.record(seen)
  }
}
