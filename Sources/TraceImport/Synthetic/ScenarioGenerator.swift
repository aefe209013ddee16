package import EventModel

/// Makes the trace of a named scenario.
///
///     let generator = try ScenarioGenerator(.burst, SynthesisOptions())
///     try generator.run { events in try writer.append(events) }
///
/// Time goes by in events of three sorts, each at its own pace: requests (accesses of a device, then its
/// message), moves of interrupts, and slices of CPU time where vCPUs share CPUs.
///
/// Memory: the machine's state and some thousand events, however many are asked for.
package struct ScenarioGenerator {
  package let geometry: TableGeometry
  package let shapeText: String
  /// What some designs have no room for, for people to read.
  package var limits: [String] { shape.limits }
  let load: Load
  private let options: SynthesisOptions
  private let shape: SyntheticGuest.Shape
  private let gapNanoseconds: UInt64

  package init(_ scenario: Scenario, _ options: SynthesisOptions) throws(SynthesisError) {
    load = scenario.load
    self.options = options
    var shape = try options.shape(
      devices: load.devices, vectors: load.vectors, vcpus: load.vcpus)
    if load.requestsPerError > 0 {
      shape.faultyVectors = SyntheticGuest.Fault.allCases.count
      _ = try SynthesisOptions.check(
        "vectors per device", UInt64(shape.vectorsPerDevice),
        1...SynthesisOptions.vectorLimit - UInt64(shape.faultyVectors))
    }
    self.shape = shape
    geometry = shape.geometry
    let base = UInt64(load.messages) * 1_000_000_000 / load.gapNanoseconds
    let rate = try SynthesisOptions.check(
      "interrupts per second", options.rate.map { $0.apply(to: base) } ?? base,
      1...1_000_000_000)
    gapNanoseconds = max(1, UInt64(load.messages) * 1_000_000_000 / UInt64(rate))
    shapeText =
      "\(shape.devices) devices × \(shape.vectorsPerDevice) vectors, \(shape.vcpus) vCPUs, "
      + "\(rate) interrupts/s"
  }

  /// - Parameter sink: takes the events in order, some thousand at a time.
  package func run(sink: (Span<TraceEvent>) throws -> Void) throws {
    let bytes = UInt64(load.pages) << 12
    // The last device of a scenario with errors is one that no driver binds.
    let devices = shape.devices + (load.requestsPerError > 0 ? 1 : 0)
    var whole = shape
    whole.devices = devices
    let pools = (0..<devices).map { device in
      [
        LeafPool(
          log2Bytes: 12, level: 3, count: load.pages, place: 0,
          physicalBase: SyntheticGuest.memoryBase + UInt64(device) * bytes)
      ]
    }
    var traffic = ScenarioTraffic(
      load, shape, gapNanoseconds: gapNanoseconds, seed: options.seed)
    var guest = SyntheticGuest(whole, geometry: geometry, pools: pools)
    var output = EventOutput(limit: options.events)
    guest.boot()
    for device in 0..<devices {
      guest.attach(device)
      if device < shape.devices { guest.bind(device) }
      guard try output.take(&guest.events, sink) else {
        throw SynthesisError.tooFewEvents(
          asked: options.events, device: device, devices: devices)
      }
    }
    traffic.start(guest.time)
    repeat { traffic.next(&guest) } while try output.takeIfMany(&guest.events, sink)
  }
}
