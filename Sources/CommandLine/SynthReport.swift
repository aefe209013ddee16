import EventModel
import Reports
import TraceImport

/// What a made trace is like, and beside it what its source was.
struct SynthReport: Encodable {
  struct Column: Encodable {
    var events: UInt64
    var durationNanoseconds: UInt64
    var devices: Int
    var interruptsPerSecond: Double
    var accessesPerSecond: Double
    /// Nanoseconds between two accesses, or interrupts, of one device.
    var accessGap: GapPercentiles
    var interruptGap: GapPercentiles
    /// Other pages accessed since a page was accessed last.
    var pageReuse: GapPercentiles
    /// Accesses to a page that was not accessed before.
    var firstUseShare: Double
    var eventsByKind: [String: UInt64]
    /// Share of accesses and interrupts by the recorded StreamID.
    var shareByDevice: [UInt32: Double]

    init(_ profile: TraceProfile, stream: (UInt32) -> UInt32) {
      events = profile.events
      durationNanoseconds = profile.durationNanoseconds
      devices = profile.devices.count
      let seconds = max(1, Double(profile.durationNanoseconds)) / 1e9
      interruptsPerSecond = Double(profile.count(.msi)) / seconds
      accessesPerSecond = Double(profile.count(.dma)) / seconds
      accessGap = GapPercentiles(profile.dmaGaps)
      interruptGap = GapPercentiles(profile.msiGaps)
      pageReuse = GapPercentiles(profile.reuse)
      let measured = profile.reuse.count + profile.firstUses
      firstUseShare = measured == 0 ? 0 : Double(profile.firstUses) / Double(measured)
      eventsByKind = [:]
      for kind in EventKind.all where profile.count(kind) > 0 {
        eventsByKind["\(kind)"] = profile.count(kind)
      }
      let all = Double(max(1, profile.count(.dma) + profile.count(.msi)))
      shareByDevice = [:]
      for device in profile.devices {
        shareByDevice[stream(device.streamID), default: 0] += Double(device.dma + device.msi) / all
      }
    }
  }

  var version = 1
  var source: String
  var machine: String
  var seed: UInt64
  var recording: Column?
  var pauseNanoseconds: UInt64?
  var made: Column
  private let profile: TraceProfile

  private enum CodingKeys: CodingKey {
    case version, source, machine, seed, recording, made, pauseNanoseconds
  }

  init(_ source: String, _ machine: String, _ profile: TraceProfile, _ seed: UInt64) {
    self.source = source
    self.machine = machine
    self.seed = seed
    self.profile = profile
    made = Column(profile) { $0 }
  }

  /// - Parameter pauseNanoseconds: gaps longer than this were left out.
  mutating func compare(
    with recording: TraceProfile, pauseNanoseconds: UInt64, stream: (UInt32) -> UInt32
  ) {
    if pauseNanoseconds != .max { self.pauseNanoseconds = pauseNanoseconds }
    self.recording = Column(recording) { $0 }
    made = Column(profile, stream: stream)
  }

  func text() -> String {
    var table = Table(
      [.word("what")] + (recording == nil ? [] : [.number("recording")]) + [.number("made")])
    func add(_ what: String, _ value: (Column) -> String) {
      table.add([what] + (recording.map { [value($0)] } ?? []) + [value(made)])
    }
    add("events") { Format.count($0.events) }
    add("duration, s") { Format.number(Double($0.durationNanoseconds) / 1e9) }
    add("devices") { "\($0.devices)" }
    add("accesses/s") { Format.number($0.accessesPerSecond) }
    add("interrupts/s") { Format.number($0.interruptsPerSecond) }
    addPercentiles("gap between accesses of a device, µs", \.accessGap, divisor: 1_000, add)
    addPercentiles("gap between interrupts of a device, µs", \.interruptGap, divisor: 1_000, add)
    addPercentiles("other pages since a page's last use", \.pageReuse, divisor: nil, add)
    add("accesses to a new page, %") { Format.number($0.firstUseShare * 100) }
    for kind in EventKind.all {
      let counts = [recording, made].compactMap { $0?.eventsByKind["\(kind)"] }
      guard !counts.isEmpty else { continue }
      add("\(kind), per 1,000 events") {
        Format.number(
          Double($0.eventsByKind["\(kind)"] ?? 0) / Double(max(1, $0.events)) * 1_000)
      }
    }
    for stream in leadingDevices {
      add("share of 0x\(String(stream, radix: 16)), %") {
        Format.number(($0.shareByDevice[stream] ?? 0) * 100)
      }
    }
    var heading = "from   \(source), seed \(seed)\nhas    \(machine)\n"
    if let pauseNanoseconds {
      heading +=
        "less   pauses of a device over \(Format.number(Double(pauseNanoseconds) / 1e9)) s, "
        + "which its rates do not count\n"
    }
    return heading + "\n" + table.text()
  }

  private func addPercentiles(
    _ what: String, _ path: KeyPath<Column, GapPercentiles>, divisor: Double?,
    _ add: (String, (Column) -> String) -> Void
  ) {
    for (index, name) in GapPercentiles.names.enumerated() {
      add("\(what): \(name)") {
        let value = $0[keyPath: path].list[index]
        return divisor.map { Format.number(Double(value) / $0) } ?? Format.count(value)
      }
    }
  }

  /// The recorded devices that do most, eight at most. Those of a scenario are all alike.
  private var leadingDevices: [UInt32] {
    guard let recording else { return [] }
    return recording.shareByDevice.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .prefix(8).map(\.key)
  }
}
