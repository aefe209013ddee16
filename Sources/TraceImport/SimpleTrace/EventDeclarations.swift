/// All events that one build of QEMU declares: its `trace-events-all`.
struct EventDeclarations {
  private(set) var events: [EventDeclaration] = []
  private(set) var path = ""
  private var rows: [String: Int] = [:]

  static let fileName = "trace-events-all"

  init(_ text: String) {
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      guard let event = EventDeclaration(Substring(line)) else { continue }
      rows[event.name] = events.count
      events.append(event)
    }
  }

  /// Reads `path`, or else the file beside the capture, or that of an installed QEMU.
  init(path: String?, capture: String) throws(ImportError) {
    let folder =
      capture.contains("/") ? capture[...(capture.lastIndex(of: "/") ?? capture.startIndex)] : ""
    let places =
      path.map { [$0] } ?? [
        folder + Self.fileName, "/usr/share/qemu/" + Self.fileName,
        "/usr/local/share/qemu/" + Self.fileName,
      ]
    for place in places {
      let file: CaptureFile
      do {
        file = try CaptureFile(path: place)
      } catch .unreadable(_, _, let code) where code == ImportError.noSuchFile && path == nil {
        continue
      }
      let bytes = try file.read(file.size, at: 0, "declarations")
      self.init(String(decoding: bytes.bytes, as: UTF8.self))
      self.path = place
      return
    }
    throw .missingDeclarations(name: capture, lookedFor: places)
  }

  subscript(name: String) -> EventDeclaration? { rows[name].map { events[$0] } }

  /// The events in the order of their numbers in version 3: those that were not disabled.
  var numbered: [EventDeclaration] { events.filter { !$0.isDisabled } }
}
