import ArgumentParser
import EventModel
import Foundation
import History
import Reports
import TraceFormat

struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Say what a trace holds.",
    discussion: """
      Reads the whole trace and prints header, provenance, events by kind, devices and sizes. Use it \
      before you replay a trace that you did not make yourself.

      Try:
        doorbell info Traces/nvme.dbtrace
        doorbell info Traces/boot.dbtrace --format json
      """)

  @Argument(help: "Read this trace.")
  var trace: String

  @Option(help: "Print in this form.")
  var format: OutputFormat = .table

  struct Document: Encodable {
    struct Device: Encodable {
      var streamID: UInt32
      var dma: UInt64 = 0
      var msi: UInt64 = 0
      var vectors = 0
    }
    var version = 1
    var path: String
    var bytes: UInt64
    var codec: String
    var formatVersion: UInt16
    var clockDomain: String
    var clockResolutionNanoseconds: UInt64
    var events: UInt64
    var lostEvents: UInt64
    var durationNanoseconds: UInt64
    var sha256: String
    var geometry: TableGeometry
    var provenance: [String]
    var eventsByKind: [String: UInt64]
    var devices: [Device]
  }

  func run() throws {
    try reportingFailure {
      let document = try read()
      switch format {
      case .table: Console.print(text(document))
      case .json:
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Console.print(String(decoding: try encoder.encode(document), as: UTF8.self))
      }
    }
  }

  private func read() throws -> Document {
    var source = try TraceFileSource(path: trace)
    let header = source.header
    var kinds: [UInt8: UInt64] = [:]
    var devices: [UInt32: Document.Device] = [:]
    var vectors: [UInt32: Set<UInt32>] = [:]
    var (first, last) = (UInt64.max, UInt64(0))
    var batch = [TraceEvent](repeating: TraceEvent(time: 0, kind: .mark), count: 8_192)
    var total: UInt64 = 0
    while true {
      // Safety: the pointer is used during the call only.
      let count = unsafe try batch.withUnsafeMutableBufferPointer { unsafe try source.fill($0) }
      if count == 0 { break }
      total += UInt64(count)
      for event in batch[0..<count] {
        kinds[event.kind.rawValue, default: 0] += 1
        first = min(first, event.time)
        last = max(last, event.time)
        guard event.kind.isAccess else { continue }
        var device = devices[event.streamID] ?? Document.Device(streamID: event.streamID)
        if event.kind == .msi {
          device.msi += 1
          vectors[event.streamID, default: []].insert(
            event.vector == TraceEvent.unknownVector ? event.data | 1 << 31 : UInt32(event.vector))
        } else {
          device.dma += 1
        }
        devices[event.streamID] = device
      }
    }
    for (stream, known) in vectors { devices[stream]?.vectors = known.count }
    let data = try Data(contentsOf: URL(fileURLWithPath: trace), options: .mappedIfSafe)
    return Document(
      path: trace, bytes: UInt64(data.count), codec: "\(header.codec)",
      formatVersion: header.version, clockDomain: "\(header.description.clockDomain)",
      clockResolutionNanoseconds: header.description.clockResolutionNanoseconds, events: total,
      lostEvents: source.totals?.lostEvents ?? 0,
      durationNanoseconds: last >= first ? last - first : 0, sha256: SHA256.hex(data),
      geometry: header.description.geometry,
      provenance: header.description.provenance.map { "\($0.key): \($0.value)" },
      eventsByKind: Dictionary(
        uniqueKeysWithValues: kinds.map { ("\(EventKind(rawValue: $0.key))", $0.value) }),
      devices: devices.values.sorted { $0.streamID < $1.streamID })
  }

  private func text(_ document: Document) -> String {
    let geometry = document.geometry
    let perEvent =
      document.events == 0 ? 0 : Double(document.bytes) / Double(document.events)
    var text = """
      trace     \(document.path): format \(document.formatVersion), \(document.codec), \
      \(Format.count(document.bytes)) bytes
      events    \(Format.count(document.events)), \(Format.number(perEvent)) bytes each; \
      \(Format.count(document.lostEvents)) lost in recording
      clock     \(document.clockDomain), \(document.clockResolutionNanoseconds) ns steps; \
      \(Format.number(Double(document.durationNanoseconds) / 1e9)) s
      machine   \(geometry.peCount) PEs, \(geometry.vPECount) vPEs, DeviceID \(geometry.deviceIDBits) \
      bits, INTID \(geometry.intidBits) bits, doorbell 0x\(String(geometry.doorbell, radix: 16))
      sha256    \(document.sha256)

      """
    for line in document.provenance { text += "made by   \(line)\n" }
    var kinds = Table([.word("kind"), .number("events")])
    for kind in EventKind.all {
      if let count = document.eventsByKind["\(kind)"] {
        kinds.add(["\(kind)", Format.count(count)])
      }
    }
    text += "\nEvents\n" + kinds.text()
    var devices = Table([
      .word("StreamID"), .number("DMA accesses"), .number("MSIs"), .number("vectors"),
    ])
    for device in document.devices {
      devices.add([
        "0x" + String(device.streamID, radix: 16), Format.count(device.dma),
        Format.count(device.msi), "\(device.vectors)",
      ])
    }
    if !devices.isEmpty { text += "\nDevices\n" + devices.text() }
    return text
  }
}
