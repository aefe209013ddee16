import EventModel
import Replay

/// The interrupts of a trace on a time line, in the Trace Event Format that Perfetto and Chrome read.
///
/// A track for each vector: a slice from the message to its acknowledge, instants for what was coalesced,
/// masked or lost. A track for each target: a slice from acknowledge to end of interrupt, an arrow from the
/// message that it serves. A track for each vCPU with the time in which it was on a CPU, one for each device
/// whose DMA faulted, and one for each kind of set-up.
///
/// Outcomes are those of the reference model, which every design gives; times are the trace's.
struct InterruptTimeline {
  /// What becomes of the events that are seen.
  private(set) var text = ""
  private var hasEvents = false

  private enum Group: Int, CaseIterable {
    case vectors = 1
    case targets, residency, faults, setUp

    var name: String {
      switch self {
      case .vectors: "vectors"
      case .targets: "interrupts taken"
      case .residency: "vCPUs on a CPU"
      case .faults: "DMA that faulted"
      case .setUp: "set-up"
      }
    }
  }

  private struct Track: Hashable {
    var group: Group
    var name: String
  }

  /// An interrupt number at its target.
  private struct Line: Hashable {
    var target: InterruptTarget
    var intid: UInt32
  }

  private struct Pending {
    var track: Track
    var time: UInt64
    var arrow: Int
    var arguments: String
  }

  private var threads: [Track: Int] = [:]
  private var pending: [Line: Pending] = [:]
  private var active: [Line: UInt64] = [:]
  private var loaded: [InterruptTarget: UInt64] = [:]
  private var arrows = 0

  /// - Parameters:
  ///   - trace, clock: shown by viewers as facts of the file.
  init(trace: String, clock: String, version: String) {
    text = """
      {"displayTimeUnit":"ns","otherData":{"tool":\(Self.quoted("doorbell \(version)")),\
      "trace":\(Self.quoted(trace)),"clock":\(Self.quoted(clock))},"traceEvents":[

      """
    for group in Group.allCases {
      add("M", "process_name", group.rawValue, 0, nil, "\"args\":{\"name\":\"\(group.name)\"}")
      add(
        "M", "process_sort_index", group.rawValue, 0, nil,
        "\"args\":{\"sort_index\":\(group.rawValue)}")
    }
  }

  /// What was never acknowledged becomes an instant, and the document ends.
  mutating func finish() {
    for pending in pending.values.sorted(by: { $0.arrow < $1.arrow }) {
      instant(pending.track, pending.time, "delivered, not acknowledged", pending.arguments)
    }
    text += "\n]}\n"
  }

  /// - Parameters:
  ///   - outcome: of an access.
  ///   - isShown: false for an event that only changes what is known.
  mutating func add(_ event: TraceEvent, _ outcome: Outcome?, isShown: Bool) {
    let line = Line(target: event.target, intid: event.intid)
    switch event.kind {
    case .msi:
      if let outcome { message(event, outcome, isShown: isShown) }
    case .dma:
      if let outcome, outcome.outcome.isLost, isShown {
        instant(
          Track(group: .faults, name: "StreamID \(Self.hexadecimal(event.streamID))"), event.time,
          "\(outcome.outcome)", "\"iova\":\"\(Self.hexadecimal(event.iova))\"")
      }
    case .acknowledge:
      active[line] = event.time
      take(line, event.time, isShown: isShown)
    case .endOfInterrupt:
      if let start = active.removeValue(forKey: line), isShown {
        slice(Self.track(of: line.target), start, event.time, "INTID \(line.intid)", "")
      }
    case .vcpuLoad:
      loaded[event.target] = event.time
    case .vcpuPut:
      if let start = loaded.removeValue(forKey: event.target), isShown {
        slice(
          Track(group: .residency, name: Self.name(of: event.target)), start, event.time,
          "on a CPU", "")
      }
    default:
      guard event.kind.isSetUp, isShown else { return }
      instant(Track(group: .setUp, name: "\(event.kind)"), event.time, Self.name(of: event), "")
    }
  }

  private mutating func message(_ event: TraceEvent, _ outcome: Outcome, isShown: Bool) {
    let vector = Ledger.Vector(event)
    let track = Track(
      group: .vectors,
      name: "device \(Self.hexadecimal(vector.deviceID)) "
        + (vector.isEventID ? "EventID" : "vector") + " \(vector.number)")
    var arguments = "\"EventID\":\(event.data)"
    if !outcome.outcome.isLost {
      arguments += ",\"INTID\":\(outcome.intid),\"target\":\"\(Self.name(of: outcome.target))\""
    }
    guard outcome.outcome == .delivered else {
      if isShown { instant(track, event.time, "\(outcome.outcome)", arguments) }
      return
    }
    guard isShown else { return }
    arrows += 1
    let line = Line(target: outcome.target, intid: outcome.intid)
    if let older = pending[line] {
      instant(older.track, older.time, "delivered, not acknowledged", older.arguments)
    }
    pending[line] = Pending(
      track: track, time: event.time, arrow: arrows, arguments: arguments)
  }

  private mutating func take(_ line: Line, _ time: UInt64, isShown: Bool) {
    guard let served = pending.removeValue(forKey: line), isShown else { return }
    slice(served.track, served.time, time, "pending", served.arguments)
    let arrow = "\"cat\":\"interrupt\",\"id\":\(served.arrow)"
    add("s", "taken", served.track, served.time, arrow)
    add("f", "taken", Self.track(of: line.target), time, arrow + ",\"bp\":\"e\"")
  }

  private mutating func slice(
    _ track: Track, _ start: UInt64, _ end: UInt64, _ name: String, _ arguments: String
  ) {
    let length = Self.microseconds(end - min(start, end))
    add("X", name, track, start, "\"dur\":\(length),\"args\":{\(arguments)}")
  }

  private mutating func instant(
    _ track: Track, _ time: UInt64, _ name: String, _ arguments: String
  ) {
    add("i", name, track, time, "\"s\":\"t\",\"args\":{\(arguments)}")
  }

  private mutating func add(
    _ phase: String, _ name: String, _ track: Track, _ time: UInt64, _ rest: String
  ) {
    let thread: Int
    if let known = threads[track] {
      thread = known
    } else {
      thread = threads.count + 1
      threads[track] = thread
      add(
        "M", "thread_name", track.group.rawValue, thread, nil,
        "\"args\":{\"name\":\(Self.quoted(track.name))}")
    }
    add(phase, name, track.group.rawValue, thread, time, rest)
  }

  private mutating func add(
    _ phase: String, _ name: String, _ process: Int, _ thread: Int, _ time: UInt64?,
    _ rest: String
  ) {
    if hasEvents { text += ",\n" }
    hasEvents = true
    text +=
      "{\"ph\":\"\(phase)\",\"name\":\(Self.quoted(name)),\"pid\":\(process),\"tid\":\(thread),"
    if let time { text += "\"ts\":\(Self.microseconds(time))," }
    text += rest + "}"
  }
}

// How things are written.
extension InterruptTimeline {
  /// The unit of the format, exact to the nanosecond.
  private static func microseconds(_ nanoseconds: UInt64) -> String {
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1000)
    guard rest > 0 else { return "\(whole)" }
    let digits = "\(rest)"
    return "\(whole)." + String(repeating: "0", count: 3 - digits.count) + digits
  }

  private static func track(of target: InterruptTarget) -> Track {
    Track(group: .targets, name: name(of: target))
  }

  private static func name(of target: InterruptTarget) -> String {
    (target.isVPE ? "vPE " : "PE ") + "\(target.number)"
  }

  private static func name(of event: TraceEvent) -> String {
    guard event.kind == .itsCommand else { return "\(event.kind)" }
    let opcode = UInt8(truncatingIfNeeded: event.word0)
    return ITSCommandOpcode(rawValue: opcode).map { "\($0)".uppercased() }
      ?? "command \(hexadecimal(opcode))"
  }

  private static func hexadecimal(_ value: some BinaryInteger) -> String {
    "0x" + String(value, radix: 16)
  }

  /// A string of JSON (RFC 8259, §7).
  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
