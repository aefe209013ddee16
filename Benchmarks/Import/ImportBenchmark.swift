// Throughput of the QEMU log importer: text bytes per second on one core, file already in the page
// cache.
//
//   swift run -c release ImportBenchmark [--runs N] [--report] file.qemu.log[.zst] …
//
// Each file (no pipe: it is read again and again) is imported N times (5); the fastest run counts, because everything that disturbs a run
// makes it slower. The sink sums the events into a digest, so that no work can be left out. Read
// beside the importer's figure that of `scan`: the same blocks and lines, without reading any of
// them — what the medium and the search for line ends cost alone.

import EventModel
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
      print("usage: ImportBenchmark [--runs N] [--report] file.qemu.log[.zst] …")
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
    var best = Duration.seconds(1 << 30)
    var scan = best
    var digest: UInt64 = 0
    var report = ImportReport()
    for _ in 0..<runs {
      digest = 0
      let start = ContinuousClock.now
      var input = try CaptureInput(path: path)
      report = try QEMULogImporter().run(source: &input) { events in
        for index in events.indices {
          let event = events[index]
          digest =
            (digest &* 31) ^ event.time ^ event.word0 ^ event.word1 ^ event.word2
            ^ event.word3 ^ UInt64(event.outcome.rawValue)
        }
      }
      best = min(best, ContinuousClock.now - start)
      scan = min(scan, try scanDuration(path))
    }
    let megabytes = Double(report.textBytes) / 1e6
    let rate = Int(megabytes / seconds(best))
    let scanRate = Int(megabytes / seconds(scan))
    let perLine = Int(seconds(best) * 1e9 / Double(report.lineCount))
    print("\(path): \(rate) MB/s of text, \(perLine) ns per line; scan alone \(scanRate) MB/s")
    print(
      "  \(report.lineCount) lines, \(report.eventCount) events, "
        + "digest \(String(digest, radix: 16))")
    if showsReport { print(report.summary) }
  }

  /// Reads and cuts the text, and nothing else.
  private static func scanDuration(_ path: String) throws -> Duration {
    let start = ContinuousClock.now
    var input = try CaptureInput(path: path)
    _ = try LineCount.count(&input)
    return ContinuousClock.now - start
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }
}
