// CoreBenchmark: the SMMU core in Swift against its twin in C.
//
// Both run the same events in turns, in one process: a pass in Swift, a pass in C, and so on, so
// that whatever the host does hits both. Reported is the fastest pass of each (the host only ever
// adds time) and their ratio. Digest of all answers and every work counter must be equal, or the
// program fails: a fast wrong answer is worth nothing.
//
//     swift run -c release CoreBenchmark                       the synthetic workloads
//     swift run -c release CoreBenchmark --passes 200 FILE     raw 48-byte records
//
// It is not an experiment of Doorbell: it loads no trace and keeps no record.
import EventModel
import Glibc
import TranslationCore

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
    if arguments.isEmpty {
      measure(.hot(count: 65_536), passes)
      measure(.churn(count: 65_536), passes)
      measure(.thrash(count: 65_536), passes)
    }
    for path in arguments {
      guard let workload = Workload.records(path: path) else { fail("\(path): cannot be read") }
      measure(workload, passes)
    }
  }

  private static func measure(_ workload: Workload, _ passes: Int) {
    var swift = SwiftLoop(nested: true)
    guard var twin = TwinLoop(nested: true) else { fail("the C twin has no memory") }
    let events = workload.events
    // Safety: the buffers live for the duration of the closures.
    unsafe workload.preparation.withUnsafeBufferPointer {
      _ = unsafe swift.run($0)
      _ = unsafe twin.run($0)
    }
    var best = (swift: Duration.seconds(1_000), twin: Duration.seconds(1_000))
    let clock = ContinuousClock()
    for pass in 0..<passes {
      var digests = (swift: 0 as UInt64, twin: 0 as UInt64)
      let swiftTime = clock.measure {
        digests.swift = unsafe events.withUnsafeBufferPointer { unsafe swift.run($0) }
      }
      let twinTime = clock.measure {
        digests.twin = unsafe events.withUnsafeBufferPointer { unsafe twin.run($0) }
      }
      guard digests.swift == digests.twin else {
        fail("\(workload.name), pass \(pass): the answers of Swift and C differ")
      }
      best = (min(best.swift, swiftTime), min(best.twin, twinTime))
    }
    let work = swift.counters
    let other = twin.counters
    for field in WorkCounters.fields where work[keyPath: field.path] != other[keyPath: field.path] {
      fail(
        "\(workload.name): \(field.name) is \(work[keyPath: field.path]) in Swift and "
          + "\(other[keyPath: field.path]) in C")
    }
    guard swift.smmu.refusals.total == 0, twin.refused == 0 else {
      fail("\(workload.name): \(swift.smmu.refusals), twin refused \(twin.refused)")
    }
    report(workload, best.swift, best.twin, work, passes)
  }

  private static func report(
    _ workload: Workload, _ swift: Duration, _ twin: Duration, _ work: WorkCounters, _ passes: Int
  ) {
    let count = Double(workload.events.count)
    let swiftNanoseconds = Double(swift.components.attoseconds) / 1e9 / count
    let twinNanoseconds = Double(twin.components.attoseconds) / 1e9 / count
    let perPass = { (value: UInt64) in String(value / UInt64(passes)) }
    let columns = [
      fixed(swiftNanoseconds), fixed(twinNanoseconds), fixed(swiftNanoseconds / twinNanoseconds),
      perPass(work.tlbMisses), perPass(work.stage1DescriptorReads),
      perPass(work.stage2DescriptorReads),
    ]
    print(
      workload.name, workload.events.count, columns.joined(separator: "  "),
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
