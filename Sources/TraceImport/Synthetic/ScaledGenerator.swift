package import EventModel

/// Makes a trace of any size that behaves as a recording does.
///
/// Each device and vCPU of the new machine repeats what one of the recording did, in runs of 512 events
/// drawn by chance (a block bootstrap: Künsch, Annals of Statistics 17, 1989). Within a run gaps, kinds and
/// the distances of reuse are the recorded ones; so their distributions are kept, and how they follow one
/// another. Memory is named by its distance in the order of last use, so that runs fit together in any
/// order: the leaf that was used so many others ago, mapped first if it is not.
///
/// Not kept: long pauses, which devices and vCPUs act together, the recording's own set-up and re-binds
/// (devices are bound once, at the start), and commands other than moves of interrupts and the invalidation
/// of what is unmapped.
package struct ScaledGenerator {
  package let geometry: TableGeometry
  package let shapeText: String
  /// What some designs have no room for, for people to read.
  package var limits: [String] { shape.limits }
  let shape: SyntheticGuest.Shape
  let sample: RecordingSample
  /// Devices and vCPUs of the recording, in order of appearance.
  let devices: [SampledSource]
  let vcpuLives: [SampledSource]
  private let options: SynthesisOptions
  /// Gaps are divided by this.
  let paceThousandths: UInt64
  private let poolBases: [[UInt64]]

  /// - Parameter sample: finished.
  package init(
    _ sample: RecordingSample, _ options: SynthesisOptions
  ) throws(SynthesisError) {
    self.sample = sample
    self.options = options
    devices = sample.sources.filter { $0.streamID != nil }
    vcpuLives = sample.sources.filter { $0.streamID == nil }
    guard !devices.isEmpty else { throw .nothingToScale(missing: "accesses or interrupts") }
    let vectors = devices.map(\.targets.count).max() ?? 0
    var shape = try options.shape(
      devices: devices.count, vectors: max(1, vectors), vcpus: max(1, sample.targets.count))
    shape.faultyVectors = devices.contains { $0.hasFaultyMessages } ? 1 : 0
    self.shape = shape
    geometry = shape.geometry
    paceThousandths = try Self.pace(sample, options, devices: shape.devices, of: devices.count)
    poolBases = try Self.place(devices, count: shape.devices)
    shapeText =
      "\(shape.devices) devices (\(devices.count) recorded) × up to \(shape.vectorsPerDevice) vectors "
      + "(\(vectors)), \(shape.vcpus) vCPUs (\(sample.targets.count)), pace × "
      + "\(Double(paceThousandths) / 1_000)"
  }

  /// A factor is of each device; a number is of interrupts per second of all.
  private static func pace(
    _ sample: RecordingSample, _ options: SynthesisOptions, devices: Int, of recorded: Int
  ) throws(SynthesisError) -> UInt64 {
    guard let rate = options.rate else { return 1_000 }
    guard !rate.isFactor else {
      return UInt64(
        try SynthesisOptions.check("pace in thousandths", rate.value, 1...1_000_000_000))
    }
    let interrupts = sample.profile.count(.msi)
    let duration = sample.busyNanoseconds
    guard interrupts > 0, duration > 0 else { throw .nothingToScale(missing: "interrupts") }
    _ = try SynthesisOptions.check("interrupts per second", rate.value, 1...1_000_000_000)
    // rate × duration / 10⁹ interrupts are wanted in the time of interrupts × devices / recorded.
    let wanted = rate.value.multipliedFullWidth(by: max(1, duration / 1_000))
    let (quotient, _) = UInt64(1_000_000).dividingFullWidth((wanted.high % 1_000_000, wanted.low))
    let there = max(1, interrupts * UInt64(devices) / UInt64(recorded))
    return UInt64(
      try SynthesisOptions.check("pace in thousandths", quotient * 1_000 / there, 1...1_000_000_000)
    )
  }

  /// Where the leaves of each device lie, pool by pool.
  private static func place(
    _ devices: [SampledSource], count: Int
  ) throws(SynthesisError) -> [[UInt64]] {
    var next = SyntheticGuest.memoryBase
    var bases: [[UInt64]] = []
    for device in 0..<count {
      var row: [UInt64] = []
      for pool in devices[device % devices.count].pools {
        let mask = (UInt64(1) << UInt64(pool.log2Bytes)) - 1
        next = (next + mask) & ~mask
        row.append(next)
        next += UInt64(max(1, pool.leaves)) << UInt64(pool.log2Bytes)
      }
      bases.append(row)
      _ = try SynthesisOptions.check("bytes of memory for DMA", next, 0...1 << 44)
    }
    return bases
  }

  /// The recorded device whose behaviour a stream of the new trace has.
  package func recordedStream(of streamID: UInt32) -> UInt32 {
    devices[Int(streamID - 0x100) / 8 % devices.count].streamID ?? streamID
  }

  /// - Parameter sink: takes the events in order, some thousand at a time.
  package func run(sink: (Span<TraceEvent>) throws -> Void) throws {
    let pools = (0..<shape.devices).map { device in
      devices[device % devices.count].pools.enumerated().map { place, pool in
        LeafPool(
          log2Bytes: pool.log2Bytes, level: pool.level, count: max(1, pool.leaves), place: place,
          physicalBase: poolBases[device][place])
      }
    }
    var guest = SyntheticGuest(shape, geometry: geometry, pools: pools)
    var output = EventOutput(limit: options.events)
    guest.boot()
    for device in 0..<shape.devices {
      prepare(device, &guest)
      guest.attach(device)
      if hasMessages(device) { guest.bind(device) }
      guard try output.take(&guest.events, sink) else {
        throw SynthesisError.tooFewEvents(
          asked: options.events, device: device, devices: shape.devices)
      }
    }
    var traffic = ScaledTraffic(self, seed: options.seed, from: guest.time)
    repeat { traffic.next(&guest) } while try output.takeIfMany(&guest.events, sink)
  }

  /// How many vectors the device has, and which vCPUs take them.
  private func prepare(_ device: Int, _ guest: inout SyntheticGuest) {
    let recorded = devices[device % devices.count].targets
    let clone = device / devices.count
    let count = recorded.isEmpty ? 0 : vectorCount(recorded.count)
    guest.vectorCounts[device] = count
    for vector in 0..<count {
      let round = vector / recorded.count + clone
      let target = recorded[vector % recorded.count] + round * max(1, sample.targets.count)
      guest.vectors[guest.vectorIndex(device, vector)].target = UInt16(target % shape.vcpus)
    }
  }

  private func hasMessages(_ device: Int) -> Bool {
    let source = devices[device % devices.count]
    return !source.targets.isEmpty || source.hasFaultyMessages
  }

  private func vectorCount(_ recorded: Int) -> Int {
    guard let amount = options.vectors else { return recorded }
    return max(1, min(Int(amount.apply(to: UInt64(recorded))), shape.vectorsPerDevice))
  }
}
