import Foundation
import Testing

/// `doorbell export`.
@Suite struct ExportTests {
  private struct Timeline: Decodable {
    struct Event: Decodable {
      struct Arguments: Decodable {
        var name: String?
        var target: String?
      }
      var ph: String
      var name: String
      var pid: Int
      var tid: Int
      var ts: Double?
      var dur: Double?
      var id: Int?
      var s: String?
      var bp: String?
      var args: Arguments?
    }
    var displayTimeUnit: String
    var traceEvents: [Event]
  }

  private func timeline(_ arguments: String...) throws -> [Timeline.Event] {
    try Folder.use { folder in
      let run = try Tool.run(
        ["export"] + arguments + ["--form", "perfetto", "-o", folder.path("t.json")])
      #expect(run.status == 0 && run.text.isEmpty, "\(run.text)")
      let data = try Data(contentsOf: URL(fileURLWithPath: folder.path("t.json")))
      let timeline = try JSONDecoder().decode(Timeline.self, from: data)
      #expect(timeline.displayTimeUnit == "ns")
      return timeline.traceEvents
    }
  }

  private func count(_ trace: String, _ kind: String) throws -> Int {
    try Tool.run("cat", trace, "--kind", kind).output.split(separator: "\n").count
  }

  /// What the Trace Event Format asks of each phase.
  private func check(_ events: [Timeline.Event]) {
    for event in events {
      switch event.ph {
      case "M": #expect(event.args?.name != nil || event.name == "process_sort_index")
      case "X": #expect(event.ts != nil && (event.dur ?? -1) >= 0)
      case "i": #expect(event.ts != nil && event.s == "t")
      case "s": #expect(event.ts != nil && event.id != nil)
      case "f": #expect(event.ts != nil && event.id != nil && event.bp == "e")
      default: Issue.record("phase \(event.ph)")
      }
    }
    let named = Set(events.filter { $0.name == "thread_name" }.map { [$0.pid, $0.tid] })
    #expect(events.filter { $0.ph != "M" }.allSatisfy { named.contains([$0.pid, $0.tid]) })
  }

  @Test(arguments: ["boot", "faults"]) func everyMessageIsOnTheTrackOfItsVector(
    name: String
  ) throws {
    let trace = Tool.trace(name)
    let events = try timeline(trace)
    check(events)
    let vectors = events.filter { $0.pid == 1 && ["X", "i"].contains($0.ph) }
    #expect(vectors.count == (try count(trace, "msi")))
    let slices = vectors.filter { $0.ph == "X" }
    #expect(slices.count == (try count(trace, "acknowledge")))
    let starts = events.filter { $0.ph == "s" }.compactMap(\.id)
    #expect(starts == events.filter { $0.ph == "f" }.compactMap(\.id))
    #expect(starts.count == slices.count)
    if name == "faults" {
      #expect(vectors.contains { $0.ph == "i" && $0.name.hasPrefix("lost: ") })
    }
  }

  @Test func aSelectionShowsItsPartWithWhatWasKnownBefore() throws {
    let all = try timeline(Tool.trace("boot")).filter { $0.pid == 1 && $0.ph != "M" }
    let from = try #require(all.last?.ts)
    let part = try timeline(Tool.trace("boot"), "--from", "\(UInt64(from))us")
    check(part)
    let shown = part.filter { $0.pid == 1 && $0.ph != "M" }
    #expect(!shown.isEmpty && shown.count < all.count)
    #expect(shown.allSatisfy { !$0.name.hasPrefix("lost: ") }, "tables from before are known")
  }

  @Test func recordsBecomeWhatOtherToolsRead() throws {
    try SampleRun.use { folder, record in
      let csv = try Tool.run("export", record, "--form", "csv")
      #expect(csv.output.hasPrefix("trace,sha256,version,"))
      #expect(csv.error.isEmpty)
      #expect(try Tool.run("export", record, "--form", "openmetrics").output.hasSuffix("# EOF\n"))
      let hgrm = try Tool.run("export", record, "--form", "hgrm", "-o", folder.path("h"))
      #expect(hgrm.status == 0 && hgrm.text.isEmpty)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("h"))
      #expect(files.contains("direct-path-total.hgrm"))
    }
  }

  @Test func theWrongInputIsSaidSo() throws {
    let trace = Tool.trace("boot")
    let noRecord = try Tool.run("export", trace, "--form", "csv")
    #expect(noRecord.status == 3)
    #expect(noRecord.error.contains("boot.dbtrace: no run record there"), "\(noRecord.error)")
    let noTrace = try Tool.run("export", #filePath, "--form", "perfetto")
    #expect(noTrace.status == 3)
    #expect(noTrace.error.split(separator: "\n").count == 1, "\(noTrace.error)")
    #expect(try Tool.run("export", trace, trace, "--form", "perfetto").status == 64)
    #expect(try Tool.run("export", trace, "--form", "hgrm").status == 64)
    #expect(try Tool.run("export", trace).status == 64)
  }
}
