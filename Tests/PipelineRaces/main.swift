// Every thread of every experiment as a program of its own, to be built with ThreadSanitizer:
//
//   swift run -c release --sanitize=thread --scratch-path .build-tsan PipelineRaces
//
// Reader, device, injector, VMM, vCPU and sender threads, and the rings, eventfds, mailbox, token and lock
// between them, around a toy design whose tables all of them write. The tables of the real designs belong
// to whichever thread holds the token or the lock, as the toy's do; they are left out because the optimizer
// of Swift 6.3.1 fails on them with the sanitizer ("Invalid bitcast" in TranslationCore).
//
// Races go to stderr with exit code 66 (the sanitizer's default); an account that does not hold exits
// with 1. With the lock between device thread and injector left out (`PacedSession.guarded`), races in the
// toy's tables are reported.
import EventModel
import Glibc
import Measurement
import Replay

struct Wrong: Error {
  var what: String
}

func check(_ isRight: Bool, _ what: String) throws {
  guard isRight else { throw Wrong(what: what) }
  print("\(what): every interrupt accounted for")
}

/// One interrupt in flight: the token of the backend goes from thread to thread.
func playPath(_ events: [TraceEvent]) throws {
  for hops in 0...2 {
    var options = PathExperiment.Options()
    options.interrupts = 1_500
    options.warmUpInterrupts = 10
    options.eventfdHops = hops
    options.limitNanoseconds = 60_000_000_000
    var backend = ToyBackend(eventfd: hops > 0)
    let result = try PathExperiment(events, options).run(through: &backend)
    try check(result.account.isConserved && result.total.count == 1_500, "path, \(hops) eventfds")
  }
  var backend = ToyBackend()
  let trip = try RoundTrip(events, interrupts: 5_000).run(through: &backend)
  try check(trip.account.isConserved && trip.account.taken == 5_000, "round trip")
}

/// Many in flight: injector and device thread use the tables at the same time.
func playPaced(_ events: [TraceEvent]) throws {
  for hops in 0...2 {
    for (wait, capacity) in [(.spin, 16_384), (.yield, 16), (.sleep, 1)] as [(PacingWait, Int)] {
      var options = PacedExperiment.Options()
      options.loop.arrivals = .poisson(perSecond: 20_000, seed: 3)
      options.loop.nanoseconds = 150_000_000
      options.loop.warmUpNanoseconds = 10_000_000
      options.loop.drainNanoseconds = 60_000_000_000
      options.loop.wait = wait
      options.ringCapacity = capacity
      options.eventfdHops = hops
      var backend = ToyBackend(eventfd: hops > 0)
      let result = try PacedExperiment(events, options).run(through: &backend)
      try check(
        result.account.isConserved && result.unended == 0 && result.account.offered > 2_000,
        "paced, \(hops) eventfds, \(wait), rings of \(capacity)")
    }
  }
}

/// Device threads, vCPU threads and a reader, with a ring for every pair.
func playScale(_ events: [TraceEvent]) throws {
  for (threads, vCPUs) in [(1, 1), (2, 2), (4, 3)] {
    var options = ScaleExperiment.Options()
    options.deviceThreads = threads
    options.vCPUs = vCPUs
    options.passes = 3
    options.ringCapacity = 64
    options.batch = 16
    let result = try ScaleExperiment(events, options).run { ToyBackend() }
    try check(
      result.isConserved && result.events == UInt64(events.count * 3),
      "scale, \(threads) device threads, \(vCPUs) vCPU threads")
  }
}

/// A reader that fills ring slots, and the device thread that drains them.
func playPipeline(_ events: [TraceEvent]) throws {
  var options = PipelineExperiment.Options()
  options.ringCapacity = 256
  options.batch = 64
  var backend = ToyBackend()
  let result = try PipelineExperiment(options)
    .run(LoopingSource(ArraySource(events), passes: 20), through: &backend)
  try check(
    result.tally.isConserved && result.events == UInt64(events.count * 20), "pipeline")
}

do {
  let events = toyTrace(rounds: 400, devices: 5)
  try playPath(events)
  try playPaced(events)
  try playScale(events)
  try playPipeline(events)
  _ = try PingPong.measure(rounds: 8_000)
} catch {
  print("wrong: \(error)")
  exit(1)
}
