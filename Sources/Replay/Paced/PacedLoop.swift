import Measurement

/// The open loop: each interrupt is started at its place in one absolute schedule, whether or not those
/// before it have ended.
///
/// Three times of each taken interrupt are recorded, and none is made up for interrupts that were never
/// sent: *response*, from the intended start to the end, is what a user of the host would have waited;
/// *service*, from the actual start to the end; and *lag*, from the intended to the actual start, by
/// which the sender itself was late. Waiting for a busy design is in response and service, not in lag:
/// the sender does not wait for the design unless `DeliveryPort.send` says that there is no room.
///
/// The sending thread is also the guest's vCPU, which takes what comes back: so two processors suffice.
/// Taking one delays a send by as long as that takes, which the lag shows.
package struct PacedLoop {
  package struct Options: Sendable {
    package var arrivals = Arrivals.recorded(thousandths: 1_000)
    package var nanoseconds: UInt64 = 2_000_000_000
    /// Interrupts that are meant to start earlier are not recorded.
    package var warmUpNanoseconds: UInt64 = 100_000_000
    package var wait = PacingWait.spin
    /// The 99.9th percentile of the lag at most; a run above is void.
    package var lagBudgetNanoseconds: UInt64 = 50_000
    /// How long to wait for the last interrupts to end.
    package var drainNanoseconds: UInt64 = 1_000_000_000
    package init() {}
  }

  package static let lagPercent = 99.9
  package static let stagePercents = [50, 99, 99.9]

  /// Returns when all interrupts that are meant to start before `options.nanoseconds` have been sent and
  /// have ended.
  package static func run<Clock: PacingClock, Port: DeliveryPort & ~Copyable>(
    _ schedule: consuming ArrivalSchedule, _ options: Options, clock: Clock, port: inout Port
  ) -> PacedResult {
    var schedule = schedule
    var recorder = PacedRecorder(clock: clock)
    let allocations = AllocationCount()
    // A millisecond to get here: the first interrupt would be late otherwise.
    let begin = clock.now() &+ clock.ticks(nanoseconds: 1_000_000)
    recorder.measuredFrom = begin &+ clock.ticks(nanoseconds: options.warmUpNanoseconds)
    var latest = begin
    while !port.isBroken {
      let offset = schedule.next()
      guard offset < options.nanoseconds else { break }
      let due = begin &+ clock.ticks(nanoseconds: offset)
      latest = due
      var now = clock.now()
      while now < due {
        if port.inFlight == 0 {
          clock.wait(until: due, by: options.wait)
        } else if let end = port.receive() {
          recorder.record(end)
        } else {
          clock.pause(options.wait)
        }
        now = clock.now()
      }
      while !port.send(intended: due, sent: now), !port.isBroken {
        recorder.noteBlocked()
        if let end = port.receive() { recorder.record(end) } else { clock.pause(options.wait) }
        now = clock.now()
      }
      recorder.noteSent(intended: due, sent: now)
      if let end = port.receive() { recorder.record(end) }
    }
    let limit = clock.now() &+ clock.ticks(nanoseconds: options.drainNanoseconds)
    while port.inFlight > 0, !port.isBroken, clock.now() < limit {
      if let end = port.receive() { recorder.record(end) } else { clock.pause(options.wait) }
    }
    let allocated = allocations.count
    return recorder.result(
      unended: port.inFlight, nanoseconds: clock.nanoseconds(from: begin, to: latest),
      allocations: allocated, options)
  }
}
