internal import CPlatform
internal import Glibc

/// What the processor counts of the calling thread's work outside of the kernel: how the time of a loop
/// comes about. Each counter is there or says why not; none is made up.
///
/// Where the kernel permits it: kernel.perf_event_paranoid at 2 or below (Debian's kernels begin at 3),
/// and a processor, or hypervisor, that has the counters.
@usableFromInline package struct ProcessorCounters: ~Copyable {
  /// Type and configuration of perf_event_open(2).
  @usableFromInline package struct Event: Hashable, Sendable {
    package var name: String
    var type: UInt32
    var configuration: UInt64

    /// The hardware's own (PERF_TYPE_HARDWARE and PERF_COUNT_HW_*, linux/perf_event.h).
    static let hardware: [Event] = [
      Event(name: "cycles", type: 0, configuration: 0),
      Event(name: "instructions", type: 0, configuration: 1),
      Event(name: "cache-misses", type: 0, configuration: 3),
      Event(name: "branch-misses", type: 0, configuration: 5),
    ]
  }

  @usableFromInline package struct Reading: Sendable {
    package enum Result: Hashable, Sendable {
      /// - Parameter share: of the time in which it should have counted; below 1 there were more
      ///   counters than the processor has, and the count is scaled up.
      case counted(UInt64, share: Double)
      /// The name of an errno.
      case notSupported(String)
    }
    package var event: Event
    package var result: Result
  }

  private let events: [Event]
  /// Or a negative errno.
  private let descriptors: [Int32]

  /// Stopped, at 0.
  @usableFromInline package init() { self.init(Event.hardware) }

  init(_ events: [Event]) {
    self.events = events
    descriptors = events.map { CPlatform_openCounter($0.type, $0.configuration) }
  }

  deinit { for descriptor in descriptors where descriptor >= 0 { close(descriptor) } }

  @usableFromInline package var countsAnything: Bool { descriptors.contains { $0 >= 0 } }

  @usableFromInline package mutating func start() { run(true) }
  @usableFromInline package mutating func stop() { run(false) }

  private func run(_ runs: Bool) {
    for descriptor in descriptors where descriptor >= 0 {
      _ = CPlatform_runCounter(descriptor, runs ? 1 : 0)
    }
  }

  /// Since it was made, in the order of the events.
  @usableFromInline package func readings() -> [Reading] {
    zip(events, descriptors).map { event, descriptor in
      guard descriptor >= 0 else {
        return Reading(event: event, result: .notSupported(Self.name(ofError: -descriptor)))
      }
      var values: [UInt64] = [0, 0, 0]
      // Safety: the array has the three places that are written.
      let error = unsafe CPlatform_readCounter(descriptor, &values)
      guard error == 0 else {
        return Reading(event: event, result: .notSupported(Self.name(ofError: error)))
      }
      let (count, wanted, running) = (values[0], values[1], values[2])
      // It was never on the processor: another user holds the counters.
      guard running > 0 || wanted == 0 else {
        return Reading(event: event, result: .notSupported("EBUSY"))
      }
      let share = wanted == 0 ? 1 : Double(running) / Double(wanted)
      return Reading(
        event: event, result: .counted(UInt64(Double(count) / share), share: share))
    }
  }

  private static func name(ofError code: Int32) -> String {
    // Safety: a constant text, or none.
    unsafe CPlatform_errorName(code).map { unsafe String(cString: $0) } ?? "errno \(code)"
  }

  /// What this host permits.
  package static func finding() -> HostFinding {
    let readings = ProcessorCounters().readings()
    let missing = readings.compactMap { reading -> String? in
      guard case .notSupported(let reason) = reading.result else { return nil }
      return reason
    }
    let name = "processor-counters"
    guard let reason = missing.first else {
      return .ok(name, readings.map(\.event.name).joined(separator: ", "))
    }
    let advice =
      ["EACCES", "EPERM"].contains(reason)
      ? "sysctl kernel.perf_event_paranoid=2"
      : "measure where the processor's counters are passed through to the guest, or on bare metal"
    return .unknown(
      name, "\(missing.count) of \(readings.count) not supported (\(reason))", advice)
  }
}
