import EventModel
import Glibc
import TraceFormat

/// Traces of any length: a recording over and over, each time later by the length of the recording.
///
/// One process writes such a trace into a pipe, another decodes it. The reader knows which event must
/// come at each ordinal, and asks that of the first and the last of every batch; it counts the events of
/// each kind; and its totals must be those of the trailer.
struct DecodeSoak {
  let events: [TraceEvent]
  /// By so much each round is later than the one before.
  let period: UInt64
  let count: UInt64

  struct Wrong: Error, CustomStringConvertible {
    var description: String
  }

  init(_ path: String, count: UInt64) throws {
    events = try DecodeBenchmark.load(path)
    guard let first = events.first, count > 0 else { throw Wrong(description: "no events") }
    let times = events.reduce(into: (first.time, first.time)) {
      $0 = (min($0.0, $1.time), max($0.1, $1.time))
    }
    period = times.1 - times.0 + 1
    self.count = count
  }

  /// Writes to standard output.
  consuming func write() throws {
    var options = TraceWriter.Options()
    options.level = 1
    var writer = try TraceWriter(
      descriptor: STDOUT_FILENO, name: "standard output", description: TraceDescription(),
      options: options)
    let period = period
    var round = events
    var left = count
    while left > 0 {
      let part = Int(min(left, UInt64(round.count)))
      // Safety: the pointer is used within the call only.
      try unsafe round.withUnsafeBufferPointer {
        unsafe try writer.append(contentsOf: UnsafeBufferPointer(rebasing: $0[..<part]))
      }
      for index in round.indices { round[index].time += period }
      left -= UInt64(part)
    }
    _ = try writer.finish()
  }

  /// Decodes standard input, and prints events, nanoseconds of processor time per event, and the most
  /// memory that the process had, in MiB.
  func read() throws {
    var reader = try TraceReader(descriptor: STDIN_FILENO, name: "standard input")
    let batch = UnsafeMutableBufferPointer<TraceEvent>.allocate(
      capacity: DecodeBenchmark.batchEvents)
    defer { unsafe batch.deallocate() }
    var seen: UInt64 = 0
    var frame: UInt64?
    var kinds: [EventKind: UInt64] = [:]
    let start = DecodeBenchmark.cpuTime
    while true {
      // Safety: `decode` writes the first `got` records, and only those are read.
      let got = unsafe try reader.decode(into: batch)
      if got == 0 { break }
      unsafe try check(batch[0], seen)
      unsafe try check(batch[got - 1], seen + UInt64(got) - 1)
      seen += UInt64(got)
      if let header = reader.frame, header.number != frame {
        frame = header.number
        for entry in header.kinds { kinds[entry.kind, default: 0] += UInt64(entry.count) }
      }
    }
    let time = DecodeBenchmark.cpuTime - start
    try checkTotals(seen, reader.totals)
    guard kinds == expectedKinds else {
      throw Wrong(description: "events by kind: expected \(expectedKinds), found \(kinds)")
    }
    let perEvent = time / .nanoseconds(1) / Double(count)
    print("\(seen) \(Text.decimal(perEvent, 2)) \(Text.decimal(Self.peakMebibytes, 1))")
  }

  private func check(_ event: TraceEvent, _ ordinal: UInt64) throws {
    let (round, place) = ordinal.quotientAndRemainder(dividingBy: UInt64(events.count))
    var expected = events[Int(place)]
    expected.time += round * period
    guard event == expected else {
      throw Wrong(description: "event \(ordinal): expected \(expected), found \(event)")
    }
  }

  private func checkTotals(_ seen: UInt64, _ totals: TraceTotals?) throws {
    let first = events.reduce(events[0].time) { min($0, $1.time) }
    guard seen == count, let totals, totals.events == count, totals.earliestTime == first else {
      throw Wrong(
        description: "expected \(count) events from time \(first) on, found \(seen), "
          + "and in the trailer \(totals.map { "\($0)" } ?? "no totals")")
    }
  }

  private var expectedKinds: [EventKind: UInt64] {
    let (rounds, rest) = count.quotientAndRemainder(dividingBy: UInt64(events.count))
    var kinds: [EventKind: UInt64] = [:]
    for (place, event) in events.enumerated() {
      kinds[event.kind, default: 0] += rounds + (UInt64(place) < rest ? 1 : 0)
    }
    return kinds.filter { $0.value > 0 }
  }

  private static var peakMebibytes: Double {
    var usage = rusage()
    // Safety: `usage` is a whole `struct rusage` that outlives the call.
    _ = unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
    return Double(usage.ru_maxrss) / 1024
  }
}
