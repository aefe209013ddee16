import ArgumentParser
import EventModel
import Foundation
import TraceImport

/// A kind of events on the command line, as `info` and `cat` write it.
struct KindName: ExpressibleByArgument, Hashable {
  var kind: EventKind

  init?(argument: String) {
    guard let kind = EventKind(label: argument) else { return nil }
    self.kind = kind
  }

  static var allValueStrings: [String] { EventKind.all.map { "\($0)" } }
}

/// A device on the command line: its StreamID or DeviceID, decimal or with 0x.
struct DeviceNumber: ExpressibleByArgument, Hashable {
  var value: UInt32

  init?(argument: String) {
    let isHexadecimal = argument.hasPrefix("0x")
    let digits = isHexadecimal ? argument.dropFirst(2) : argument[...]
    guard let value = UInt32(digits, radix: isHexadecimal ? 16 : 10) else { return nil }
    self.value = value
  }
}

/// Which events of a trace a verb works on.
struct EventSelection: ParsableArguments {
  @Option(
    name: .customLong("kind"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "Take only events of these kinds.",
      valueName: "kind"))
  var kindNames: [KindName] = []

  @Option(
    name: .customLong("device"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "Take only events of these devices, by StreamID or DeviceID such as 0x8.",
      valueName: "device"))
  var devices: [DeviceNumber] = []

  @Option(help: "Take events from this time of the trace on, such as 1.5s, 20ms or 300us.")
  var from: TraceTime?

  @Option(help: "Take events before this time of the trace.")
  var to: TraceTime?

  @Option(help: "Start at the event with this ordinal; the first one is 0.")
  var first: UInt64 = 0

  @Option(help: "Look at this many events at most, counted from --first.")
  var count: UInt64?

  func validate() throws {
    if let from, let to, from.nanoseconds >= to.nanoseconds {
      throw ValidationError("--from must be before --to")
    }
    for time in [from, to] {
      if let time, time.nanoseconds < 0 {
        throw ValidationError("--from and --to are times of the trace, which start at 0")
      }
    }
  }

  /// The kinds that are asked for; empty: all.
  var kinds: [EventKind] { kindNames.map(\.kind) }

  /// The ordinal behind the last one that can be taken.
  var endOrdinal: UInt64 {
    let (end, overflow) = first.addingReportingOverflow(count ?? .max)
    return overflow ? .max : end
  }

  /// Whether the ordinal and the time are in range.
  func covers(_ event: TraceEvent, ordinal: UInt64) -> Bool {
    guard ordinal >= first, ordinal < endOrdinal else { return false }
    if let from, event.time < UInt64(from.nanoseconds) { return false }
    if let to, event.time >= UInt64(to.nanoseconds) { return false }
    return true
  }

  /// Whether the kind and the device are asked for.
  func wants(_ event: TraceEvent) -> Bool {
    guard kindNames.isEmpty || kindNames.contains(where: { $0.kind == event.kind }) else {
      return false
    }
    guard !devices.isEmpty else { return true }
    guard let device = event.device else { return false }
    return devices.contains { $0.value == device }
  }
}
