import Foundation
import Testing

/// Every command that a page shows is run, in a copy of the repository, in the order of the page; what a page
/// says beside them (options, files, links) is looked up.
///
/// Commands that a host or a debug build cannot run say so in their fence, and are named in the output of this
/// suite with who runs them. `make soak` tries the pages on the optimized executable.
@Suite struct DocumentedCommandTests {
  static let pages = Result { try MarkdownPage.all() }
  static let paths = (try? pages.get().map(\.path)) ?? []

  private static func page(_ path: String) throws -> MarkdownPage {
    try #require(pages.get().first { $0.path == path })
  }

  @Test func thePagesAreThere() throws {
    let pages = try Self.pages.get()
    #expect(pages.contains { $0.path == "README.md" })
    #expect(pages.contains { $0.path == "Sources/Manual/README.md" })
    #expect(pages.flatMap(\.fences).count { $0.language == "console" } > 20)
  }

  @Test(arguments: paths) func everyCommandOfAPageRunsAndPrintsWhatIsShown(path: String) throws {
    let page = try Self.page(path)
    guard page.fences.contains(where: { $0.language == "console" }) else { return }
    try Folder.use { folder in
      try Self.copyRepository(to: folder)
      for fence in page.fences {
        if let name = fence.attributes["file"] {
          try (fence.lines.joined(separator: "\n") + "\n").write(
            toFile: folder.path(name), atomically: true, encoding: .utf8)
        }
        guard fence.language == "console" else { continue }
        for command in try DocumentedCommand.all(of: fence, page: path) {
          try Self.check(command, in: folder)
        }
      }
    }
  }

  private static func check(_ command: DocumentedCommand, in folder: Folder) throws {
    if command.status != 64 {
      let flaws = ToolVocabulary.flaws(in: command.text)
      #expect(flaws.isEmpty, "\(command.place): \(flaws.joined(separator: "; "))")
    }
    if let runner = command.runner {
      #expect(
        FileManager.default.fileExists(atPath: "\(Tool.repository)/\(runner)"),
        "\(command.place): by=\(runner): there is no such file")
    }
    if let need = command.need, !need.isMet {
      print(
        "documentation: not run: \(command.place): \(command.text) (needs \(need.rawValue)"
          + (command.runner.map { "; run by \($0))" } ?? ")"))
      return
    }
    let result = try Tool.pipeline(
      "export PATH=\"$1/.build/release:$PATH\" HOME=\"$1\" TMPDIR=\"$1\"; cd \"$1\" || exit 99\n"
        + command.text, folder.root)
    #expect(result.status == command.status, "\(command.place): \(command.text)\n\(result.text)")
    if result.status == command.status {
      let difference = OutputShape(command.output).firstDifference(from: result.text)
      #expect(difference == nil, "\(command.place): \(command.text)\n\(difference ?? "")")
    }
  }

  /// Made once; each page has a folder of its own with the same files.
  private static let copy: Result<String, any Error> = Result {
    let folder = NSTemporaryDirectory() + "doorbell-documented-\(getpid())"
    let result = try Tool.pipeline(
      """
      set -e; mkdir -p "$2/.build/release" "$2/.build/debug" "$2/.build/backends"; cd "$1"
      cp -r Package.swift README.md Makefile .ci Sources Tests Benchmarks Traces "$2"
      ln -sf "$3" "$2/.build/release/doorbell"; ln -sf "$3" "$2/.build/debug/doorbell"
      """, Tool.repository, folder, DocumentedCommand.tool)
    try #require(result.status == 0, "\(result.text)")
    return folder
  }

  private static func copyRepository(to folder: Folder) throws {
    let result = try Tool.pipeline("cp -al \"$1\"/. \"$2\"", copy.get(), folder.root)
    try #require(result.status == 0, "\(result.text)")
  }

  /// A command in any other fence would never be run.
  @Test(arguments: paths) func commandsStandInFencesThatAreRun(path: String) throws {
    let page = try Self.page(path)
    for fence in page.fences {
      #expect(!fence.language.isEmpty, "\(path):\(fence.line): say what the fence holds")
      #expect(
        !["sh", "bash", "shell"].contains(fence.language),
        "\(path):\(fence.line): use 'console', with '$ ' before commands")
      guard ["text", "console"].contains(fence.language) else { continue }
      var isOutput = false
      for (index, line) in fence.lines.enumerated() {
        if fence.language == "console", line.hasPrefix("$ ") { isOutput = true }
        let isCommand = ["$ ", "doorbell ", "make ", "sudo "].contains { line.hasPrefix($0) }
        #expect(
          isOutput || !isCommand, "\(path):\(fence.line + 1 + index): '\(line)' is never run")
      }
    }
  }

  @Test(arguments: paths) func whatIsMentionedExists(path: String) throws {
    let page = try Self.page(path)
    let makefile = try String(contentsOfFile: "\(Tool.repository)/Makefile", encoding: .utf8)
    let options = ToolVocabulary.everyOption
    let sources =
      try ["/Package.swift"]
      + ["Sources", "Tests", "Benchmarks"].flatMap {
        try HouseTests.sources($0).map { "/" + $0.path }
      }
    for span in page.spans {
      let flaws = ToolVocabulary.flaws(in: span.text)
      #expect(flaws.isEmpty, "\(path):\(span.line): \(flaws.joined(separator: "; "))")
      let words = span.text.split(separator: " ").map(String.init)
      if words.first == "make", words.count > 1, !words[1].hasPrefix("-") {
        #expect(makefile.contains("\n\(words[1]):"), "\(path):\(span.line): no 'make \(words[1])'")
      }
      if words.count == 1, span.text.hasPrefix("--") {
        let name = String(span.text.split(separator: "=")[0])
        #expect(options.contains(name), "\(path):\(span.line): no verb has '\(span.text)'")
      }
      if words.count == 1, span.text.hasSuffix(".swift") {
        #expect(
          sources.contains { $0.hasSuffix("/" + span.text) },
          "\(path):\(span.line): no source '\(span.text)'")
      }
      for word in words where Self.isPath(word) {
        #expect(Self.exists(word), "\(path):\(span.line): there is no '\(word)'")
      }
    }
  }

  @Test(arguments: paths) func linksLeadSomewhere(path: String) throws {
    let page = try Self.page(path)
    for link in page.links where !link.text.contains("://") {
      let parts = link.text.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
      let base = URL(fileURLWithPath: "\(Tool.repository)/\(path)").deletingLastPathComponent()
      let target =
        parts[0].isEmpty
        ? "\(Tool.repository)/\(path)" : base.appendingPathComponent(parts[0]).standardized.path
      #expect(
        FileManager.default.fileExists(atPath: target), "\(path):\(link.line): no '\(link.text)'")
      if parts.count > 1 {
        let other = try Self.pages.get().first { "\(Tool.repository)/\($0.path)" == target }
        #expect(
          other?.anchors.contains(parts[1]) == true,
          "\(path):\(link.line): no heading for '\(link.text)'")
      }
    }
  }

  /// The one table of verbs that people write by hand.
  @Test func theReadmeNamesEveryVerb() throws {
    let text = try String(contentsOfFile: "\(Tool.repository)/README.md", encoding: .utf8)
    let rows = text.components(separatedBy: "| Verb | Does |").last ?? ""
    let table = rows.components(separatedBy: "\n\n").first ?? ""
    let named = table.split(separator: "\n").flatMap { row in
      row.split(separator: "|")[0].matches(of: /`([a-z]+)`/).map { String($0.output.1) }
    }
    #expect(Set(named) == Set(ToolVocabulary.verbs), "\(table)")
  }

  private static func isPath(_ word: String) -> Bool {
    ["Sources/", "Tests/", "Benchmarks/", "Traces/", ".ci/"].contains { word.hasPrefix($0) }
  }

  /// A path of the repository, with `*` for any names.
  private static func exists(_ word: String) -> Bool {
    guard word.contains("*") else {
      return FileManager.default.fileExists(atPath: "\(Tool.repository)/\(word)")
    }
    return (try? Tool.pipeline("compgen -G \"$1\" > /dev/null", "\(Tool.repository)/\(word)"))?
      .status == 0
  }
}

/// The checker itself: a page that is wrong has to fail.
@Suite struct DocumentationCheckerTests {
  @Test func figuresAndWidthsDoNotMatterAndWordsDo() {
    let shown = ["design   ns", "------- ----", "direct  3.93", "…", "done"]
    #expect(
      OutputShape(shown).firstDifference(
        from: "design ns\n--- --\ndirect 12,345\nmore\n\ndone\n") == nil)
    #expect(OutputShape(shown).firstDifference(from: "design ns\n--\nnull 1\ndone") != nil)
    #expect(OutputShape(shown).firstDifference(from: "design ns\n--\ndirect 1") != nil)
    #expect(OutputShape(["host   …, cpus 2"]).firstDifference(from: "host AMD, cpus 64") == nil)
    #expect(OutputShape(["one"]).firstDifference(from: "one\ntwo") != nil)
  }

  @Test func aCommandIsWhatFollowsTheDollar() throws {
    let page = MarkdownPage(
      path: "x.md",
      text: """
        # A title, with `doorbell info`
        ```console exit=3 needs=root by=Makefile
        $ doorbell info \\
          x
        out
        $ true
        ```
        """)
    let commands = try DocumentedCommand.all(of: page.fences[0], page: "x.md")
    #expect(commands.map(\.text) == ["doorbell info \\\n  x", "true"])
    #expect(commands.map(\.line) == [3, 6] && commands[0].output == ["out"])
    #expect(commands[1].status == 3 && commands[1].need == .root)
    #expect(page.anchors == ["a-title-with-doorbell-info"] && page.spans[0].line == 1)
    #expect(throws: DocumentedCommand.Flaw.self) {
      try DocumentedCommand.all(
        of: MarkdownPage(path: "x", text: "```console needs=luck\n```").fences[0], page: "x")
    }
  }

  @Test func aVerbOrAnOptionThatIsNotThereIsNamed() {
    #expect(
      ToolVocabulary.flaws(in: "doorbell replay --no-such 3").first?.contains("--no-such") == true)
    #expect(ToolVocabulary.flaws(in: "cat x | doorbell frob").first?.contains("frob") == true)
    #expect(ToolVocabulary.flaws(in: "doorbell history frob").first?.contains("frob") == true)
    #expect(ToolVocabulary.flaws(in: "doorbell replay --design direct   # --frob").isEmpty)
    #expect(ToolVocabulary.flaws(in: "doorbell history add a b --commit c && echo --frob").isEmpty)
  }
}
