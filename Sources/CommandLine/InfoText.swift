import EventModel
import Reports
import TraceImport

/// What `info` prints for people, in at most 100 columns but for paths.
struct InfoText {
  let document: InfoDocument
  let profile: TraceProfile

  /// Rows of devices and of vectors; the rest is counted.
  private static let rows = 16
  private static let sparklineColumns = 64

  func text() -> String {
    var text = heading
    for line in document.provenance { text += "made by   \(line)\n" }
    text += kinds
    text += devices
    text += vectors
    if let columns = document.columns { text += self.columns(columns) }
    return text
  }

  private var heading: String {
    let geometry = document.geometry
    let perEvent =
      document.events == 0 ? 0 : Double(document.bytes) / Double(document.events)
    return """
      trace     \(document.path): format \(document.formatVersion), \(document.codec), \
      \(Format.count(document.bytes)) bytes
      events    \(Format.count(document.events)), \(Format.number(perEvent)) bytes each; \
      \(Format.count(document.lostEvents)) lost in recording
      \(keyFrames)clock     \(document.clockDomain), \(document.clockResolutionNanoseconds) ns steps; \
      \(Format.number(Double(document.durationNanoseconds) / 1e9)) s
      \(rate)machine   \(geometry.peCount) PEs, \(geometry.vPECount) vPEs, DeviceID \(geometry.deviceIDBits) \
      bits, INTID \(geometry.intidBits) bits, doorbell 0x\(String(geometry.doorbell, radix: 16))
      sha256    \(document.sha256)

      """
  }

  private var keyFrames: String {
    guard let frames = document.keyFrames else { return "" }
    return """
      keys      \(Format.count(UInt64(frames.count))) key frames from event \
      \(Format.count(frames.firstOrdinal)) on, at most \(Format.count(frames.mostEventsBetween)) events \
      apart: \(Format.count(frames.records)) records, \(Format.count(frames.bytes)) bytes

      """
  }

  private var rate: String {
    guard document.events > 1 else { return "" }
    let rate = document.rate
    let bins = profile.rate.resampled(columns: Self.sparklineColumns)
    let perSecond = 1e9 / Double(document.rate.curveStepNanoseconds)
    return """
      rate      \(Format.number(rate.eventsPerSecond)) events/s: \
      \(Format.number(rate.accessesPerSecond)) accesses, \
      \(Format.number(rate.interruptsPerSecond)) interrupts; peak \
      \(Format.number(rate.peakEventsPerSecond)) over 1 ms
                |\(Sparkline.text(bins))|
                0 … \(Format.number((bins.max() ?? 0) * perSecond)) events/s, \
      \(Format.number(Double(document.durationNanoseconds) / 1e6 / Double(max(1, bins.count)))) \
      ms a step

      """
  }

  private var kinds: String {
    var table = Table(
      [.word("kind"), .number("events"), .number("events/s")]
        + GapPercentiles.names.map { .number($0) })
    let seconds = max(1, Double(document.durationNanoseconds)) / 1e9
    for kind in EventKind.all {
      guard let count = document.eventsByKind["\(kind)"] else { continue }
      let gaps = document.gapsByKind["\(kind)"]?.list.map { Format.number(Double($0) / 1_000) }
      table.add(
        ["\(kind)", Format.count(count), Format.number(Double(count) / seconds)]
          + (gaps ?? GapPercentiles.names.map { _ in "–" }))
    }
    return "\nEvents, and percentiles of the time from one to the next of its kind, µs\n"
      + table.text()
  }

  private var devices: String {
    guard !document.devices.isEmpty else { return "" }
    let busiest = document.devices.sorted {
      ($1.dma + $1.msi, $0.streamID) < ($0.dma + $0.msi, $1.streamID)
    }
    let all = Double(max(1, document.devices.reduce(0) { $0 + $1.dma + $1.msi }))
    var table = Table([
      .word("StreamID"), .number("DMA accesses"), .number("MSIs"), .number("vectors"),
      .number("share, %"),
    ])
    for device in busiest.prefix(Self.rows) {
      table.add([
        "0x" + String(device.streamID, radix: 16), Format.count(device.dma),
        Format.count(device.msi), "\(device.vectors)",
        Format.number(Double(device.dma + device.msi) / all * 100),
      ])
    }
    return "\nDevices\(more(than: busiest.count))\n" + table.text()
  }

  private var vectors: String {
    guard !document.vectors.isEmpty else { return "" }
    let all = Double(max(1, document.vectors.reduce(0) { $0 + $1.msi }))
    var table = Table([
      .word("DeviceID"), .number("EventID"), .number("MSIs"), .number("share, %"),
      .number("INTID"), .word("target"),
    ])
    for vector in document.vectors.prefix(Self.rows) {
      table.add([
        "0x" + String(vector.deviceID, radix: 16), "\(vector.eventID)", Format.count(vector.msi),
        Format.number(Double(vector.msi) / all * 100), vector.intid.map { "\($0)" } ?? "–",
        vector.target ?? "–",
      ])
    }
    return "\nVectors\(more(than: document.vectorCount)), with the last recorded interrupt\n"
      + table.text()
  }

  private func more(than count: Int) -> String {
    count > Self.rows ? ": the busiest \(Self.rows) of \(Format.count(UInt64(count)))" : ""
  }

  private func columns(_ columns: [InfoDocument.Column]) -> String {
    var table = Table([
      .word("column"), .number("plain bytes"), .number("\(document.codec) bytes"),
      .number("plain/\(document.codec)"), .number("bytes/event"),
    ])
    for column in columns {
      table.add([
        column.name, Format.count(column.plainBytes), Format.count(column.storedBytes),
        Format.number(Double(column.plainBytes) / Double(max(1, column.storedBytes))),
        Format.number(Double(column.storedBytes) / Double(max(1, document.events))),
      ])
    }
    return "\nColumns, each encoded again on its own\n" + table.text()
  }
}
