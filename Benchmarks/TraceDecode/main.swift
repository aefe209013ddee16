// How fast a trace is decoded on one core, and what each column costs.
//
//   swift run -c release TraceDecodeBenchmark [trace.dbtrace] [--smoke]
//
// It reads all events of the trace, writes them again with each codec, and decodes them from memory
// into a buffer of 1,024 records, as a reader thread fills a ring; and writes them over and over, as a
// recorder does. Without a trace it makes a synthetic one. Times are the least of several passes, rates
// have their ratio to what one core should do beside them; the digest proves that each codec gave the
// same events. `compare.py` puts Parquet beside it.
import EventModel
import Glibc
import TraceFormat

let arguments = CommandLine.arguments.dropFirst()
let isSmoke = arguments.contains("--smoke")
let path = arguments.last { !$0.hasPrefix("--") }

do {
  // What `soak` joins with a pipe: --soak-write EVENTS trace, --soak-read EVENTS trace.
  if let mode = arguments.first, mode.hasPrefix("--soak-") {
    guard let path, arguments.count == 3, let count = UInt64(arguments[2]) else {
      throw DecodeSoak.Wrong(description: "\(mode) takes a number of events and a trace")
    }
    let soak = try DecodeSoak(path, count: count)
    if mode == "--soak-write" { try soak.write() } else { try soak.read() }
    exit(0)
  }
  let events = try path.map { try DecodeBenchmark.load($0) } ?? SyntheticQueue.events(200_000)
  print("\(path ?? "synthetic queue"): \(events.count) events of 48 bytes")
  print("codec       bytes/event  decode M events/s     write M events/s      digest")
  let settings = DecodeBenchmark.settings
  for (index, setting) in settings.enumerated() {
    try DecodeBenchmark(events: events, passes: isSmoke ? 2 : 40)
      .run(setting, showsColumns: index == settings.count - 1)
  }
} catch {
  print("error: \(error)")
  exit(1)
}
