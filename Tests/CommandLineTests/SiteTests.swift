import Foundation
import History
import Testing

/// `doorbell report --history` and `--site`, in processes of their own.
@Suite struct SiteTests {
  /// Adds a night of made-up figures for two designs on each trace.
  private static func add(_ night: Int, _ traces: [String], to history: String, in folder: Folder)
    throws
  {
    let records = folder.path("night-\(night)")
    try FileManager.default.createDirectory(atPath: records, withIntermediateDirectories: true)
    for trace in traces {
      let cells = ["trapped", "direct"].map { design in
        var cell = RunRecord.Cell(
          design: design, setUp: "owned", delivery: "vlpi", experiment: "core")
        let level = night > 12 ? 6.6 : 6
        let value = level * (1 + 0.001 * Double((night * 7) % 5 - 2))
        cell.metrics = [
          .init(
            name: "delivery-ns-per-event", unit: "ns", lowerIsBetter: true, value: value,
            samples: [value])
        ]
        return cell
      }
      let record = RunRecord(
        tool: .init(name: "doorbell", version: "0.1.0"), command: ["replay"],
        started: String(format: "2026-01-%02dT02:00:00Z", night),
        trace: .init(
          name: trace, contentHash: trace, events: 1, eventsByKind: [:], lostEvents: 0),
        host: HostFingerprint(facts: ["cpu-model": "x"]), cells: cells)
      try record.write(to: "\(records)/\(trace).json")
    }
    let added = try Tool.run("history", "add", history, records, "--commit", "c\(night)")
    try #require(added.status == 0, "\(added.text)")
  }

  private static func build(_ site: String, _ history: String) throws -> String {
    let result = try Tool.run("report", "--site", site, "--history", history)
    try #require(result.status == 0, "\(result.text)")
    #expect(result.output.isEmpty)
    return result.error
  }

  /// Name → bytes.
  private static func content(_ site: String) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: site)
    return Dictionary(
      uniqueKeysWithValues: names.map {
        ($0, FileManager.default.contents(atPath: "\(site)/\($0)") ?? Data())
      })
  }

  @Test func nightByNightIsByteForByteAllAtOnce() throws {
    try Folder.use { folder in
      let history = folder.path("h.sqlite")
      let site = folder.path("deep/site")
      for night in 1...16 { try Self.add(night, ["boot", "nvme"], to: history, in: folder) }
      #expect(try Self.build(site, history).contains("5 pages, 5 written, 0 removed"))
      #expect(try Self.build(site, history).contains("5 pages, 0 written, 0 removed"))
      // A night of one trace: its two pages and the index.
      try Self.add(17, ["nvme"], to: history, in: folder)
      #expect(try Self.build(site, history).contains("5 pages, 3 written, 0 removed"))
      // What somebody else did to it does not stay.
      try Data("edited".utf8).write(to: URL(fileURLWithPath: site + "/boot.direct.html"))
      try FileManager.default.removeItem(atPath: site + "/nvme.direct.html")
      #expect(try Self.build(site, history).contains("5 pages, 2 written, 0 removed"))
      let fresh = folder.path("fresh")
      _ = try Self.build(fresh, history)
      let (one, other) = (try Self.content(site), try Self.content(fresh))
      #expect(one.count == 6 && one == other)
      #expect(
        String(decoding: one["index.html"] ?? Data(), as: UTF8.self).contains("regressed"))

      // A trace that is no longer in the history leaves no page behind.
      let lines = try Tool.pipeline(
        "\"$0\" history export \"$1\" | grep -v '\"contentHash\":\"boot\"' > \"$2\"; "
          + "\"$0\" history import \"$3\" \"$2\"", history, folder.path("lines"),
        folder.path("less.sqlite"))
      try #require(lines.status == 0, "\(lines.text)")
      #expect(
        try Self.build(site, folder.path("less.sqlite")).contains(
          "3 pages, 3 written, 2 removed"))
      let names = try Self.content(site).keys.sorted()
      #expect(
        names == ["doorbell-site.json", "index.html", "nvme.direct.html", "nvme.trapped.html"])
    }
  }

  @Test func aFolderOfSomethingElseIsLeftAlone() throws {
    try Folder.use { folder in
      let history = folder.path("h.sqlite")
      try Self.add(1, ["boot"], to: history, in: folder)
      let site = folder.path("home")
      try FileManager.default.createDirectory(atPath: site, withIntermediateDirectories: true)
      try Data("mine".utf8).write(to: URL(fileURLWithPath: site + "/index.html"))
      let refused = try Tool.run("report", "--site", site, "--history", history)
      #expect(refused.status == 3 && refused.error.contains("holds index.html"), "\(refused.text)")
      #expect(try Self.content(site) == ["index.html": Data("mine".utf8)])
      for state in [
        "", "{}", "{\"version\":2,\"pages\":[],\"steps\":{}}",
        "{\"version\":1,\"pages\":[\"../x.html\"],\"steps\":{}}",
        "{\"version\":1,\"pages\":[],\"steps\":{\"a\":[[1]]}}",
        "{\"version\":1,\"pages\":[],\"steps\":{\"a\":[[1e300,1,1]]}}",
      ] {
        try Data(state.utf8).write(to: URL(fileURLWithPath: site + "/doorbell-site.json"))
        let damaged = try Tool.run("report", "--site", site, "--history", history)
        #expect(
          damaged.status == 3 && damaged.error.contains("doorbell-site.json: not what"),
          "\(state): \(damaged.text)")
      }
    }
  }

  @Test func theReportHasTheNightsOfItsTraces() throws {
    try Folder.use { folder in
      let history = folder.path("h.sqlite")
      for night in 1...16 { try Self.add(night, ["boot", "nvme"], to: history, in: folder) }
      let record = folder.path("night-16/nvme.json")
      let page = folder.path("page.html")
      let made = try Tool.run("report", record, "--history", history, "-o", page)
      #expect(made.status == 0, "\(made.text)")
      let html = try String(contentsOfFile: page, encoding: .utf8)
      #expect(html.contains("History: nvme, arm-gicv4, direct, modelled") && html.contains("c16"))
      #expect(!html.contains("History: boot"))
      let text = try Tool.run("report", "--history", history, "--text", "--width", "70")
      #expect(text.status == 0 && text.output.contains("History: boot"), "\(text.text)")
    }
  }

  @Test func wrongUsageIsSaidSo() throws {
    #expect(try Tool.run("report", "--site", "x").status == 64)
    #expect(try Tool.run("report", "r.json", "--history", "h", "--site", "x").status == 64)
    #expect(try Tool.run("report", "--history", "h", "--site", "x", "-o", "y").status == 64)
    #expect(try Tool.run("report", "--history", "h").status == 64)
    let missing = try Tool.run("report", "--history", "/no/such", "--site", "/tmp/no-such-site")
    #expect(missing.status == 3 && missing.error.contains("/no/such: "), "\(missing.text)")
  }
}
