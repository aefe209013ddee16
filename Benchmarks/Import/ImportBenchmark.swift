// Throughput of the importers: bytes and records per second on one core, file already in the page
// cache.
//
//   swift run -c release ImportBenchmark [--runs N] [--report] capture …
//
// Each file (no pipe: it is read again and again) is imported N times (5); the fastest run counts,
// because everything that disturbs a run makes it slower. The sink sums the events into a digest, so
// that no work can be left out. Two yardsticks, measured in turn with the importer:
//
// - `scan` beside text: the same blocks and lines, without reading any of them; what the medium and
//   the search for line ends cost alone.
// - 'trace-cmd report -t' beside a trace.dat, where it is installed: it prints each record that the
//   importer interprets, to /dev/null.
//
// Times are processor times, of this process and of its children: what else runs on the host does not
// count.

import EventModel
import Glibc
import TraceImport

@main
struct ImportBenchmark {
  static func main() {
    var runs = 5
    var showsReport = false
    var paths: [String] = []
    var arguments = CommandLine.arguments.dropFirst().makeIterator()
    while let argument = arguments.next() {
      switch argument {
      case "--runs": runs = arguments.next().flatMap { Int($0) } ?? runs
      case "--report": showsReport = true
      default: paths.append(argument)
      }
    }
    if paths.isEmpty {
      print("usage: ImportBenchmark [--runs N] [--report] capture …")
      return
    }
    for path in paths {
      do {
        try measure(path, runs: max(1, runs), showsReport: showsReport)
      } catch {
        print("\(path): not measured: \(error)")
      }
    }
  }

  private static func measure(_ path: String, runs: Int, showsReport: Bool) throws {
    let format = try format(of: path)
    var best = Double.infinity
    var scan = best
    var reference = best
    var digest: UInt64 = 0
    var report = ImportReport()
    let referee = format == .traceDat ? TraceCommand.path : nil
    for _ in 0..<runs {
      digest = 0
      let start = ProcessorTime.own
      report = try CaptureImporter().run(path: path) { events in
        for index in events.indices {
          let event = events[index]
          digest =
            (digest &* 31) ^ event.time ^ event.word0 ^ event.word1 ^ event.word2
            ^ event.word3 ^ UInt64(event.outcome.rawValue)
        }
      }
      best = min(best, ProcessorTime.own - start)
      if format.isText { scan = min(scan, try scanSeconds(path)) }
      if let referee { reference = min(reference, try TraceCommand.report(path, by: referee)) }
    }
    let megabytes = Double(report.textBytes) / 1e6
    let perRecord = best * 1e9 / Double(max(1, report.lineCount))
    print(
      "\(path): \(format.rawValue), \(Int(megabytes / best)) MB/s, "
        + "\(Int(perRecord)) ns per record, \(thousands(report, best)) k records/s")
    if format.isText { print("  scan alone \(Int(megabytes / scan)) MB/s") }
    if referee != nil {
      let ratio = Int(reference / best * 10)
      print(
        "  trace-cmd report: \(thousands(report, reference)) k records/s; the import is "
          + "\(ratio / 10).\(ratio % 10) times as fast")
    } else if format == .traceDat {
      print("  trace-cmd is not installed: no comparison")
    }
    print(
      "  \(report.lineCount) records, \(report.eventCount) events, "
        + "digest \(String(digest, radix: 16))")
    if showsReport { print(report.summary) }
  }

  private static func format(of path: String) throws -> CaptureFormat {
    var input = try CaptureInput(path: path)
    guard let format = try CaptureFormat(head: input.peek(CaptureFormat.headBytes)) else {
      throw ImportError.unknownFormat(name: path)
    }
    return format
  }

  private static func thousands(_ report: ImportReport, _ seconds: Double) -> Int {
    Int(Double(report.lineCount) / seconds / 1e3)
  }

  /// Reads and cuts the text, and nothing else.
  private static func scanSeconds(_ path: String) throws -> Double {
    let start = ProcessorTime.own
    var input = try CaptureInput(path: path)
    _ = try LineCount.count(&input)
    return ProcessorTime.own - start
  }
}

extension CaptureFormat {
  /// Whether it is read line by line.
  fileprivate var isText: Bool {
    switch self {
    case .qemuLog, .ftraceText, .perfScript, .csv, .jsonLines: true
    case .traceDat, .perfData, .simpleTrace: false
    }
  }
}

/// Seconds of processor time, in the program and in the kernel.
private enum ProcessorTime {
  static var own: Double { seconds(RUSAGE_SELF.rawValue) }
  static var children: Double { seconds(RUSAGE_CHILDREN.rawValue) }

  private static func seconds(_ who: __rusage_who_t) -> Double {
    var usage = rusage()
    // Safety: `usage` is a whole `struct rusage` that outlives the call.
    _ = unsafe getrusage(who, &usage)
    return [usage.ru_utime, usage.ru_stime].reduce(0) {
      $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
    }
  }
}

/// trace-cmd as a yardstick.
private enum TraceCommand {
  struct Failure: Error {
    var status: Int32
  }

  static var path: String? {
    ["/usr/bin/trace-cmd", "/usr/local/bin/trace-cmd"].first { path in
      // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
      unsafe access(path, X_OK) == 0
    }
  }

  /// How long it takes to print all records with times in nanoseconds.
  static func report(_ capture: String, by command: String) throws -> Double {
    let start = ProcessorTime.children
    // Safety: Swift passes a NUL-terminated copy of the command that outlives the call.
    let status = unsafe system("exec \(command) report -t '\(capture)' >/dev/null 2>&1")
    guard status == 0 else { throw Failure(status: status) }
    return ProcessorTime.children - start
  }
}
