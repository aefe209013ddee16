/// What a recording says about tracefs: the layouts of pages and events, and who ran.
///
/// The pieces are the same in a trace.dat (trace-cmd, Documentation/trace-cmd/trace-cmd.dat.v6.5.txt)
/// and in the HEADER_TRACING_DATA of a perf.data (linux, tools/perf/util/trace-event-read.c).
struct TracefsFormats {
  /// A ring page: u64 time, then the count of committed bytes, then events
  /// (tracefs, events/header_page).
  struct Page: Hashable {
    var timeOffset = 0
    var commitOffset = 8
    /// The kernel's size of long.
    var commitSize = 8
    var dataOffset = 16
    /// Bytes for events.
    var dataSize = 4080
  }

  var page = Page()
  /// Event formats by their number.
  private(set) var events: [Int: EventFormat] = [:]
  /// Formats that could not be read.
  private(set) var unreadableCount = 0
  /// Command lines by process.
  var commands: [Int32: String] = [:]

  /// The text of header_page.
  mutating func readPage(_ text: String) -> Bool {
    for line in text.split(separator: "\n") {
      guard let field = EventFormat.field(line) else { continue }
      switch field.name {
      case "timestamp": page.timeOffset = field.offset
      case "commit": (page.commitOffset, page.commitSize) = (field.offset, field.size)
      case "data": (page.dataOffset, page.dataSize) = (field.offset, field.size)
      default: break
      }
    }
    return [4, 8].contains(page.commitSize) && page.timeOffset + 8 <= page.dataOffset
      && page.commitOffset + page.commitSize <= page.dataOffset && page.dataOffset < 64
  }

  /// The text of an event's format.
  mutating func readFormat(_ text: String) {
    if let format = EventFormat(text) {
      events[format.identifier] = format
    } else {
      unreadableCount += 1
    }
  }

  // MARK: Pieces of "tracing data", which trace.dat and perf.data share

  /// header_page and header_event.
  mutating func readHeaders(_ cursor: inout OrderedCursor) -> Bool {
    guard cursor.string() == "header_page", let size = cursor.size(8),
      let text = cursor.text(size), readPage(text)
    else { return false }
    guard cursor.string() == "header_event", let rest = cursor.size(8) else { return false }
    return cursor.skip(rest)
  }

  /// Formats of ftrace's own events.
  mutating func readFtraceEvents(_ cursor: inout OrderedCursor) -> Bool {
    guard let count = cursor.size(4) else { return false }
    for _ in 0..<count {
      guard readFormat(&cursor) else { return false }
    }
    return true
  }

  mutating func readEventFormats(_ cursor: inout OrderedCursor) -> Bool {
    guard let systems = cursor.size(4) else { return false }
    for _ in 0..<systems {
      guard cursor.string() != nil, let count = cursor.size(4) else { return false }
      for _ in 0..<count {
        guard readFormat(&cursor) else { return false }
      }
    }
    return true
  }

  private mutating func readFormat(_ cursor: inout OrderedCursor) -> Bool {
    guard let size = cursor.size(8), let text = cursor.text(size) else { return false }
    readFormat(text)
    return true
  }

  /// "1234 name" per line (tracefs, saved_cmdlines).
  mutating func readCommands(_ cursor: inout OrderedCursor) -> Bool {
    guard let size = cursor.size(8), let text = cursor.text(size) else { return false }
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      if words.count == 2, let process = Int32(words[0]) { commands[process] = String(words[1]) }
    }
    return true
  }
}
