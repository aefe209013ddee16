import Gates
import History
import Plots

/// Devices × events: what a design costs per event as a trace has more devices, and more events. It is arranged from
/// run records of `core` on traces that differ in both; nothing between two of them is guessed.
struct SurfacePage {
  /// One measured place.
  private struct Place {
    var devices: Int
    var events: UInt64
    var trace: String
    var estimate: Estimate
  }

  private struct Key: Hashable {
    var version: String
    var host: HostFingerprint
    var architecture: String
    var name: String
  }

  private struct Surface {
    var key: Key
    var style: Int
    var places: [Place]

    var devices: [Int] { Set(places.map(\.devices)).sorted() }
  }

  /// Each number of events of a column differs by less than this share from the column's.
  private static let sameCount = 0.05

  private var surfaces: [Surface] = []
  private let confidence: String

  /// - Parameter subjects: those without a number of devices are left out.
  init(_ subjects: [ReportSubject], _ names: CellNames, policy: Policy) {
    confidence = Format.percentile(policy.confidence * 100) + " %"
    var order: [Key] = []
    var found: [Key: Surface] = [:]
    for subject in subjects {
      let record = subject.record
      guard let devices = record.trace.devices, devices > 0 else { continue }
      // Where a replay was cut short, this is what it measured.
      let events = record.trace.eventsByKind.values.reduce(0, +)
      for cell in subject.cells("core") where cell.voidReason == nil {
        guard
          let estimate = Estimate(
            cell.metric("delivery-ns-per-event"), confidence: policy.confidence)
        else { continue }
        let key = Key(
          version: record.tool.version, host: record.host, architecture: subject.architecture,
          name: names[cell])
        if found[key] == nil { order.append(key) }
        found[key, default: Surface(key: key, style: names.style(cell), places: [])].places.append(
          Place(
            devices: devices, events: events, trace: record.trace.name, estimate: estimate))
      }
    }
    surfaces = order.compactMap { found[$0] }.filter(Self.isSurface)
  }

  /// Two numbers of devices and two of events at least, and most of what lies between them measured: recordings of
  /// different loads are no surface.
  private static func isSurface(_ surface: Surface) -> Bool {
    let (rows, columns) = (surface.devices.count, columns(of: surface.places).count)
    return rows > 1 && columns > 1 && surface.places.count * 4 >= rows * columns * 3
  }

  /// The least number of events of each column.
  private static func columns(of places: [Place]) -> [UInt64] {
    var columns: [UInt64] = []
    for events in places.map(\.events).sorted()
    where columns.last.map({ Double(events) > Double($0) * (1 + sameCount) }) ?? true {
      columns.append(events)
    }
    return columns
  }

  var headlines: [String] {
    surfaces.filter { $0.key.name != "null" }.compactMap { surface in
      let rising = surface.places.sorted { $0.estimate.value < $1.estimate.value }
      guard let least = rising.first, let most = rising.last else { return nil }
      func place(_ place: Place) -> String {
        "\(Format.number(place.estimate.value)) ns per event (devices: \(Format.count(UInt64(place.devices))), "
          + "events: \(Format.count(place.events)))"
      }
      return "\(surface.key.name) takes from \(place(least)) to \(place(most))."
    }
  }

  /// Nil if the records make no surface.
  var chapter: ReportPage.Chapter? {
    guard !surfaces.isEmpty else { return nil }
    let values = surfaces.flatMap(\.places).map(\.estimate.value)
    let range = (values.min() ?? 0)...(values.max() ?? 1)
    let namesArchitecture = Set(surfaces.map(\.key.architecture)).count > 1
    let traces = Set(surfaces.flatMap(\.places).map(\.trace)).sorted()
    return ReportPage.Chapter(
      title: "Devices × events",
      facts: [("Measured on", "\(traces.count) traces"), ("Experiment", "core, delivery")],
      sections: [
        PageSection(
          "What more devices cost",
          "Nanoseconds per event of core, by the devices and the events of a trace: each cell is a run on a trace of "
            + "its own, and what was not measured is empty. All pictures have one scale.",
          figures: surfaces.map { figure($0, range, namesArchitecture) })
      ])
  }

  private func figure(
    _ surface: Surface, _ range: ClosedRange<Double>, _ namesArchitecture: Bool
  ) -> PageSection.Figure {
    let columns = Self.columns(of: surface.places)
    func place(_ devices: Int, _ column: Int) -> Place? {
      surface.places.first { place in
        place.devices == devices && columns.lastIndex { $0 <= place.events } == column
      }
    }
    let grid = surface.devices.map { devices in columns.indices.map { place(devices, $0) } }
    var table = Table([
      .number("devices"), .number("events"), .number("ns per event"), .number("from"),
      .number("to"), .word("interval rests on"), .word("trace"),
    ])
    for place in surface.places.sorted(by: { ($0.devices, $0.events) < ($1.devices, $1.events) }) {
      table.add([
        Format.count(UInt64(place.devices)), Format.count(place.events),
        Format.number(place.estimate.value),
        place.estimate.interval.map { Format.number($0.lowerBound) } ?? "–",
        place.estimate.interval.map { Format.number($0.upperBound) } ?? "–",
        place.estimate.basis, place.trace,
      ])
    }
    let name = surface.key.name + (namesArchitecture ? ", \(surface.key.architecture)" : "")
    return PageSection.Figure(
      picture: HeatPlot(
        title: "\(name): ns per event",
        summary: "\(surface.places.count) traces, from \(surface.devices.first ?? 0) to "
          + "\(surface.devices.last ?? 0) devices; \(Format.number(range.lowerBound)) ns is the lightest shade, "
          + "\(Format.number(range.upperBound)) ns the darkest.",
        x: "events", y: "devices", columns: columns.map { ValueStyle.plain.text(Double($0)) },
        rows: surface.devices.map { Format.count(UInt64($0)) },
        values: grid.map { $0.map { $0?.estimate.value } },
        texts: grid.map { $0.map { $0.map { Format.number($0.estimate.value) } ?? "–" } },
        style: surface.style, range: range),
      note: "Medians; their \(confidence) intervals stand below.", table: table)
  }
}
