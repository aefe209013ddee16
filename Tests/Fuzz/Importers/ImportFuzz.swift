// Any bytes as a capture. The name of the program says which importer gets them: "import-perf-data"
// is the format "perf-data". The bytes lie in a file without a name in memory, as
// importers want a path.

import EventModel
import Glibc
import TraceFormat
import TraceImport

private struct Target {
  let importer: CaptureImporter
  let descriptor: CInt
  var path: String { "/proc/self/fd/\(descriptor)" }

  init() {
    let name = CommandLine.arguments[0].split(separator: "/").last ?? ""
    let prefix = "import-"
    guard name.hasPrefix(prefix),
      let format = CaptureFormat(rawValue: String(name.dropFirst(prefix.count)))
    else { fatalError("\(name) names no format") }
    importer = CaptureImporter(
      format: format, origin: .host, declarations: "Tests/Fuzz/Importers/trace-events")
    var template = Array("/dev/shm/doorbell-fuzz-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    precondition(descriptor >= 0 && unlink(template) == 0)
  }

  func hold(_ input: UnsafePointer<UInt8>, _ count: Int) {
    precondition(ftruncate(descriptor, 0) == 0)
    precondition(pwrite(descriptor, input, count, 0) == count)
  }
}

private let target = Target()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ input: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  target.hold(input, count)
  var eventCount: UInt64 = 0
  var latest: UInt64 = 0
  do {
    let report = try target.importer.run(path: target.path) { events in
      for index in events.indices {
        precondition(events[index].time >= latest, "times run backwards")
        latest = events[index].time
      }
      eventCount += UInt64(events.count)
    }
    check(report, eventCount)
  } catch {
    // Refusing is right, if it says why.
    guard let error = error as? ImportError else { fatalError("\(error)") }
    precondition(!error.description.isEmpty)
  }
  return 0
}

/// Nothing is dropped silently.
private func check(_ report: ImportReport, _ eventCount: UInt64) {
  precondition(report.eventCount == eventCount)
  precondition(report.events.reduce(0) { $0 + $1.count } == eventCount)
  let isText = target.importer.format != .traceDat && target.importer.format != .perfData
  let records = report.usedLines + report.ignoredLines + report.notUnderstoodLines
  let others = report.messageLines + report.damagedLines
  precondition(records + (isText ? others : 0) == report.lineCount, "a line is not counted")
  precondition(!report.summary.isEmpty)
}
