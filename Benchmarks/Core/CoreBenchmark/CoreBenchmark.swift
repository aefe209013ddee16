// CoreBenchmark: the loop of the design `direct` in Swift against its twin in C.
//
// Both run the same events in turns, in one process: a pass in Swift, a pass in C, and so on, so
// that whatever the host does hits both. Reported is the fastest pass of each (the host only ever
// adds time) and their ratio. Timed is delivery, that is DMA, MSIs, acknowledges, SMMU maintenance.
// Digest and tally of all answers and every work counter must be equal, or the program fails: a fast
// wrong answer is worth nothing.
//
//     swift run -c release CoreBenchmark                           Traces/nvme.dbtrace
//     swift run -c release CoreBenchmark --passes 200 TRACE…       other traces
//     swift run -c release CoreBenchmark --synthetic               hits, churn and misses only
//
// The twin is compiled as SwiftPM compiles C in a release build, by clang with -O2; a level of its own
// would need unsafe flags. It is not an experiment of Doorbell: it keeps no record.
import EventModel
import Glibc
import Replay
import TraceFormat

@main
struct CoreBenchmark {
  static func main() {
    var arguments = Array(CommandLine.arguments.dropFirst())
    var passes = 60
    if let place = arguments.firstIndex(of: "--passes"), place + 1 < arguments.count {
      guard let given = Int(arguments[place + 1]), given > 0 else {
        fail("--passes \(arguments[place + 1]): expected a positive number")
      }
      passes = given
      arguments.removeSubrange(place...place + 1)
    }
    print("workload      events     Swift      C    Swift/C  misses  reads S1  reads S2")
    if arguments == ["--synthetic"] {
      measure(.hot(count: 65_536), passes)
      measure(.churn(count: 65_536), passes)
      measure(.thrash(count: 65_536), passes)
      return
    }
    for path in arguments.isEmpty ? ["Traces/nvme.dbtrace"] : arguments {
      do throws(TraceError) {
        measure(try Workload.trace(path: path), passes)
      } catch {
        fail("\(error)")
      }
    }
  }

  private static func measure(_ workload: Workload, _ passes: Int) {
    var swift = SwiftLoop(geometry: workload.geometry)
    guard var twin = TwinLoop(geometry: workload.geometry) else { fail("the C twin has no memory") }
    // Safety: the buffers live for the duration of the closures.
    unsafe workload.preparation.withUnsafeBufferPointer {
      unsafe swift.run($0)
      unsafe twin.prepare($0)
    }
    var best = (swift: Duration.seconds(1_000), twin: Duration.seconds(1_000))
    for pass in 0..<passes {
      let swiftTime = unsafe time(
        workload, { unsafe swift.run($0) }, setUp: { unsafe swift.run($0) })
      let twinTime = unsafe time(
        workload, { unsafe twin.run($0) }, setUp: { unsafe twin.prepare($0) })
      guard swift.tally.digest == twin.tally.digest else {
        fail("\(workload.name), pass \(pass): the answers of Swift and C differ")
      }
      best = (min(best.swift, swiftTime), min(best.twin, twinTime))
    }
    check(workload, swift, twin)
    report(workload, best.swift, best.twin, swift.counters, passes)
  }

  /// One pass, of which the pieces that are not set-up are timed.
  private static func time(
    _ workload: Workload, _ run: (UnsafeBufferPointer<TraceEvent>) -> Void,
    setUp: (UnsafeBufferPointer<TraceEvent>) -> Void
  ) -> Duration {
    let clock = ContinuousClock()
    var total = Duration.zero
    // Safety: pieces lie within the array, whose storage lives during the call.
    unsafe workload.events.withUnsafeBufferPointer { events in
      for piece in workload.pieces {
        let part = unsafe UnsafeBufferPointer(rebasing: events[piece.range])
        if piece.isSetUp {
          unsafe setUp(part)
        } else {
          let start = clock.now
          unsafe run(part)
          total += clock.now - start
        }
      }
    }
    return total
  }

  private static func check(
    _ workload: Workload, _ swift: borrowing SwiftLoop, _ twin: borrowing TwinLoop
  ) {
    let (mine, its) = (swift.tally, twin.tally)
    guard mine.isConserved, its.isConserved, mine.accesses == its.accesses,
      mine.delivered == its.delivered, mine.coalesced == its.coalesced,
      mine.masked == its.masked, mine.lost == its.lost, mine.acknowledges == its.acknowledges
    else { fail("\(workload.name): Swift counts \(mine), C counts \(its)") }
    let (work, other) = (swift.counters, twin.counters)
    for field in WorkCounters.fields where work[keyPath: field.path] != other[keyPath: field.path] {
      fail(
        "\(workload.name): \(field.name) is \(work[keyPath: field.path]) in Swift and "
          + "\(other[keyPath: field.path]) in C")
    }
    guard swift.refused == 0, twin.refused == 0 else {
      fail("\(workload.name): Swift refused \(swift.refused) records, C \(twin.refused)")
    }
  }

  private static func report(
    _ workload: Workload, _ swift: Duration, _ twin: Duration, _ work: WorkCounters, _ passes: Int
  ) {
    let count = Double(max(1, workload.timedCount))
    let swiftNanoseconds = Double(swift.components.attoseconds) / 1e9 / count
    let twinNanoseconds = Double(twin.components.attoseconds) / 1e9 / count
    let perPass = { (value: UInt64) in String(value / UInt64(passes)) }
    let columns = [
      fixed(swiftNanoseconds), fixed(twinNanoseconds), fixed(swiftNanoseconds / twinNanoseconds),
      perPass(work.tlbMisses), perPass(work.stage1DescriptorReads),
      perPass(work.stage2DescriptorReads),
    ]
    print(
      workload.name, workload.timedCount, columns.joined(separator: "  "),
      "(ns per event; per pass)")
  }

  /// Two decimals.
  private static func fixed(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }

  private static func fail(_ message: String) -> Never {
    var line = "CoreBenchmark: \(message)\n"
    // Safety: the bytes live during the call.
    line.withUTF8 { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(1)
  }
}
