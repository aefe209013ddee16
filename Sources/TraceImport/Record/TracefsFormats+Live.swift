extension TracefsFormats {
  /// What tracefs itself says of its pages and of `events`.
  init(
    live instance: TracefsFolder, _ tracefs: TracefsFolder, _ events: [TracepointName]
  ) throws(RecordError) {
    self.init()
    guard readPage(try tracefs.text("events/header_page")) else {
      throw .malformed(
        path: "\(tracefs.path)/events/header_page", expected: "the layout of a ring page",
        found: "another text")
    }
    // header_page is about the pages of the whole tracefs; an instance may have its own size
    // (since linux 6.8).
    if let text = try? instance.text("buffer_subbuf_size_kb"),
      let size = Int(text.prefix { $0 != "\n" }), (1...1_024).contains(size)
    {
      page.dataSize = size * 1_024 - page.dataOffset
    }
    for event in events {
      let before = unreadableCount
      readFormat(try instance.text("\(event.folder)/format"))
      if unreadableCount > before {
        throw .malformed(
          path: "\(instance.path)/\(event.folder)/format", expected: "a name, a number and fields",
          found: "another text")
      }
    }
  }

  /// Whether what an event means depends on its being of a kernel worker.
  var needsWorkers: Bool { events.values.contains { $0.meaning == .inject } }
}
