import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// Results go to stdout, everything else to stderr.
enum Console {
  static func print(_ text: String) {
    FileHandle.standardOutput.write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
  }

  static func error(_ text: String) {
    FileHandle.standardError.write(Data("doorbell: \(text)\n".utf8))
  }

  static func note(_ text: String) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }

  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Of the terminal that stdout is, if it is one.
  static var columns: Int? {
    var size = winsize()
    // Safety: TIOCGWINSZ fills the structure, which lives for the call.
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return nil
    }
    return Int(size.ws_col)
  }
}

/// A progress line on stderr: on a terminal only, and only for work that lasts over a second.
struct Progress {
  private let label: String
  private let isShown = Console.errorIsTerminal
  private let start = ContinuousClock.now
  private var last = ContinuousClock.now
  private var hasDrawn = false

  init(_ label: String) { self.label = label }

  mutating func update(done: UInt64, of total: UInt64?, unit: String) {
    guard let now = due() else { return }
    let seconds = Double((now - start).components.seconds) + 0.5
    let rate = Double(done) / seconds / 1_000_000
    let amount =
      if let total, total > 0 {
        Self.bar(Double(done) / Double(total))
      } else {
        "\(done / 1_000_000) M\(unit)"
      }
    draw(amount + String(format: "  %.0f M%@/s ", rate, unit))
  }

  /// For work that is measured in time.
  mutating func update(seconds: Double, of budget: Double, saying text: String) {
    guard due() != nil else { return }
    draw(Self.bar(seconds / max(budget, 1e-9)) + "  \(text) ")
  }

  private mutating func due() -> ContinuousClock.Instant? {
    guard isShown else { return nil }
    let now = ContinuousClock.now
    guard now - start > .seconds(1), now - last > .milliseconds(100) else { return nil }
    last = now
    return now
  }

  private static func bar(_ share: Double) -> String {
    let share = min(1, max(0, share))
    let filled = Int(share * 30)
    return "[" + String(repeating: "#", count: filled)
      + String(repeating: ".", count: 30 - filled) + "] \(Int(share * 100)) %"
  }

  private mutating func draw(_ text: String) {
    hasDrawn = true
    FileHandle.standardError.write(Data("\r\(label) \(text)\u{1B}[K".utf8))
  }

  /// Wipes the line, so that results start on a clean one.
  func finish() {
    guard hasDrawn else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
  }
}
