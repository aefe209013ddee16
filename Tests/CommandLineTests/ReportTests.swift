import Foundation
import Testing

/// `doorbell report`, from the record to what a browser makes of the page.
@Suite struct ReportTests {
  @Test func aRecordBecomesAPageAndAText() throws {
    try SampleRun.use { folder, record in
      let page = folder.path("run.html")
      let made = try Tool.run("report", record, "-o", page)
      #expect(made.status == 0, "\(made.text)")
      #expect(made.output.isEmpty, "results go into the file")
      let html = try String(contentsOfFile: page, encoding: .utf8)
      #expect(html.contains("boot.dbtrace"))
      #expect(html.contains("path: total"))
      #expect(html.contains("doorbell replay"), "the command that makes it again")
      let text = try Tool.run("report", record, "--text", "--width", "60")
      #expect(text.status == 0, "\(text.text)")
      #expect(text.output.contains("path: total"))
      #expect(text.error.isEmpty)
    }
  }

  @Test func twoArmsBecomeOnePage() throws {
    try SampleRun.use { folder, record in
      let page = folder.path("run.html")
      let made = try Tool.run("report", record, "--baseline", record, "-o", page)
      #expect(made.status == 0, "\(made.text)")
      #expect(try String(contentsOfFile: page, encoding: .utf8).contains("What changed"))
      let comparison = try Tool.pipeline(
        "\"$0\" compare \"$1\" \"$1\" --format json > \"$2\" && \"$0\" report \"$2\" -o \"$3\"",
        record,
        folder.path("compare.json"), page)
      #expect(comparison.status == 0, "\(comparison.text)")
      #expect(try String(contentsOfFile: page, encoding: .utf8).contains("Both arms by percentile"))
    }
  }

  @Test(arguments: [
    "{\"schema\": 1}", "{}", "{\"figures\": []}", "{\"conclusion\": \"pass\"}", "{\"schema\": 99}",
    "[]", "no",
  ])
  func whatIsNoRecordIsSaidSo(content: String) throws {
    try Folder.use { folder in
      let path = folder.path("bad.json")
      try Data(content.utf8).write(to: URL(fileURLWithPath: path))
      let result = try Tool.run("report", path, "-o", folder.path("out.html"))
      #expect(result.status == 3)
      #expect(result.error.contains("bad.json: "), "\(result.error)")
      #expect(result.error.split(separator: "\n").count == 1, "\(result.error)")
      #expect(!FileManager.default.fileExists(atPath: folder.path("out.html")))
    }
  }

  @Test func wrongUsageIsSaidSo() throws {
    #expect(try Tool.run("report").status == 64)
    #expect(try Tool.run("report", "x.json").status == 64)
    #expect(try Tool.run("report", "x.json", "--text", "-o", "y").status == 64)
    #expect(try Tool.run("report", "x.json", "-o", "y", "--width", "80").status == 64)
    #expect(try Tool.run("report", "x.json", "--text", "--width", "5").status == 64)
  }

  @Test func aPlaceThatTakesNoFileIsNamed() throws {
    try SampleRun.use { _, record in
      let result = try Tool.run("report", record, "-o", "/no/such/folder/out.html")
      #expect(result.status == 3)
      #expect(result.error.contains("/no/such/folder/out.html"), "\(result.error)")
    }
  }

  static let chromium = [
    "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
  ]
  .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// The page has no script: a page around it, which only this test makes, looks into frames of both widths.
  @Test(
    .enabled(if: ReportTests.chromium != nil, "no Chromium on this host: apt-get install chromium")
  )
  func aBrowserShowsThePageWithoutComplaint() throws {
    let browser = try #require(Self.chromium)
    try SampleRun.use { folder, record in
      let page = folder.path("run.html")
      #expect(try Tool.run("report", record, "--baseline", record, "-o", page).status == 0)
      let html = try String(contentsOfFile: page, encoding: .utf8)
        .replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
      let widths = [1280, 390]
      let frames = widths.map { width in
        "<iframe style=\"width: \(width)px; height: 900px; border: 0\" srcdoc=\"\(html)\"></iframe>"
      }.joined()
      let probe = """
        <!DOCTYPE html><body>\(frames)<script>
        addEventListener('load', () => {
          const seen = [...document.querySelectorAll('iframe')].map(frame => {
            const page = frame.contentDocument;
            const plots = [...page.querySelectorAll('svg.plot')];
            const shown = plots.filter(plot => plot.getBoundingClientRect().height > 60);
            return [page.documentElement.scrollWidth, plots.length, shown.length];
          });
          document.documentElement.setAttribute('data-probe', seen.flat().join(' '));
        });
        </script></body>
        """
      try probe.write(toFile: folder.path("probe.html"), atomically: true, encoding: .utf8)
      let run = try Tool.pipeline(
        "HOME=\"$2\" timeout 60 \"$1\" --headless=new --no-sandbox --disable-gpu "
          + "--enable-logging=stderr --dump-dom \"file://$2/probe.html\"", browser, folder.root)
      #expect(run.status == 0, "\(run.error)")
      #expect(!run.error.contains("CONSOLE"), "\(run.error)")
      let answer = run.output.components(separatedBy: "data-probe=\"").dropFirst().first?
        .prefix { $0 != "\"" }.split(separator: " ").compactMap { Int($0) }
      let probed = try #require(answer, "the page was not loaded: \(run.error)")
      #expect(probed.count == 6)
      for (index, width) in widths.enumerated() {
        let (scrolls, plots, shown) = (
          probed[index * 3], probed[index * 3 + 1], probed[index * 3 + 2]
        )
        #expect(scrolls <= width, "at \(width) the page is \(scrolls) wide")
        #expect(shown == plots && plots >= 4, "\(shown) of \(plots) plots are shown")
      }
    }
  }
}
