/// Option TIME_SHIFT of a guest's trace.dat: how the times of each of its CPUs become the host's,
/// measured by trace-cmd while both were recording.
///
/// Layout: u64 trace of the host, u32 flags, u32 CPUs; per CPU u32 count, then that many u64 times, u64
/// offsets and u64 scalings; then per CPU as many u64 fraction bits, which older files lack
/// (trace-cmd, Documentation/trace-cmd/trace-cmd.dat.v7.5.txt and lib/trace-cmd/trace-input.c).
struct GuestClock: Hashable {
  struct Sample: Hashable {
    /// The guest's time at which the offset was measured.
    var time: UInt64
    var offset: Int64
    var scaling: UInt64
    var fractionBits: UInt64 = 0
  }

  /// The host's trace that was recorded together with this one.
  let peer: UInt64
  private let isInterpolated: Bool
  /// By CPU, in the order of time.
  private let samples: [[Sample]]

  /// - Returns: nil if counts and sizes do not go together.
  init?(_ data: OrderedBytes) {
    var cursor = OrderedCursor(data)
    guard let peer = cursor.number(8), let flags = cursor.number(4), let count = cursor.size(4)
    else { return nil }
    var samples: [[Sample]] = []
    for _ in 0..<count {
      guard let count = cursor.size(4) else { return nil }
      guard let times = Self.numbers(count, &cursor), let offsets = Self.numbers(count, &cursor),
        let scalings = Self.numbers(count, &cursor)
      else { return nil }
      samples.append(
        (0..<count).map {
          Sample(
            time: times[$0], offset: Int64(bitPattern: offsets[$0]), scaling: scalings[$0])
        })
    }
    if cursor.remaining > 0 {
      for cpu in samples.indices {
        guard let bits = Self.numbers(samples[cpu].count, &cursor) else { return nil }
        for index in bits.indices { samples[cpu][index].fractionBits = bits[index] }
      }
    }
    self.peer = peer
    isInterpolated = flags & 1 != 0
    self.samples = samples.map { all in
      all.sorted { $0.time < $1.time }.reduce(into: []) { kept, next in
        if kept.last?.time != next.time { kept.append(next) }
      }
    }
  }

  private static func numbers(_ count: Int, _ cursor: inout OrderedCursor) -> [UInt64]? {
    guard count <= cursor.remaining / 8 else { return nil }
    return (0..<count).map { _ in cursor.number(8) ?? 0 }
  }

  /// A time of the guest's CPU on the clock of the host.
  func hostTime(_ time: UInt64, cpu: UInt16) -> UInt64 {
    guard Int(cpu) < samples.count, let first = samples[Int(cpu)].first else { return time }
    let samples = samples[Int(cpu)]
    if samples.count == 1 { return time &+ UInt64(bitPattern: first.offset) }
    // The last sample that is not later, but not the very last: two are needed.
    var low = 0
    var high = samples.count - 1
    while low + 1 < high {
      let middle = (low + high) / 2
      if samples[middle].time <= time { low = middle } else { high = middle }
    }
    return hostTime(time, samples[low], samples[low + 1])
  }

  private func hostTime(_ time: UInt64, _ one: Sample, _ other: Sample) -> UInt64 {
    var offset = one.offset
    if isInterpolated, other.time > one.time {
      let elapsed = Double(Int64(bitPattern: time &- one.time))
      let slope = Double(other.offset &- one.offset) / Double(other.time - one.time)
      offset &+= Int64(clamping: elapsed * slope)
    }
    // Without a scaling both clocks tick alike.
    var scaled = time
    if one.scaling > 1 || one.fractionBits > 0 {
      let (high, low) = time.multipliedFullWidth(by: one.scaling)
      scaled =
        one.fractionBits == 0
        ? low : low >> one.fractionBits | high << (64 &- one.fractionBits)
    }
    return scaled &+ UInt64(bitPattern: offset)
  }
}

/// Option GUEST of a host's trace.dat: a guest that was recorded together with it.
///
/// Layout: name, NUL, u64 trace of the guest, u32 CPUs, per CPU u32 number and u32 task of the host.
struct RecordedGuest: Hashable {
  var name: String
  var trace: UInt64
  /// Tasks of the host that are the guest's CPUs, by CPU.
  var tasks: [UInt64: UInt64] = [:]

  init?(_ data: OrderedBytes) {
    var cursor = OrderedCursor(data)
    guard let name = cursor.string(), let trace = cursor.number(8), let count = cursor.size(4)
    else { return nil }
    self.name = name
    self.trace = trace
    for _ in 0..<count {
      guard let cpu = cursor.number(4), let task = cursor.number(4) else { return nil }
      tasks[cpu] = task
    }
  }
}
