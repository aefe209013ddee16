import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Results go to stdout, everything else to stderr. How much of the latter there is, `Verbosity` says.
enum Console {
  enum Level: Int, AtomicRepresentable { case quiet, normal, verbose }

  private static let chosen = Atomic<Level>(.normal)

  /// Of this process; set once, before a verb begins.
  static var level: Level {
    get { chosen.load(ordering: .relaxed) }
    set { chosen.store(newValue, ordering: .relaxed) }
  }

  /// A result. A reader that goes away (`… | head`) has enough: the verb goes on, and its exit code is what it
  /// would have been.
  static func print(_ text: String) throws {
    do {
      var stream = ResultStream()
      stream.bytes = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
      try stream.flush()
    } catch is ResultStream.Closed {
    }
  }

  /// A result for people to read, set to their terminal.
  static func show(_ text: String) throws {
    try print(columns().map { LineWrap(columns: $0).text(text) } ?? text)
  }

  /// Why the verb ends.
  static func error(_ text: String) {
    say("\(Style.standardError("doorbell:", .red)) \(text)")
  }

  /// What the user should know of a result that he gets all the same. Not with `--quiet`.
  static func warning(_ text: String) {
    guard level != .quiet else { return }
    say("\(Style.standardError("warning:", .yellow)) \(text)")
  }

  /// What is worth a line while a verb works. Not with `--quiet`.
  static func note(_ text: String) {
    guard level != .quiet else { return }
    say(text)
  }

  /// Does `body`; with `--verbose`, says before what it is and then how long it took.
  static func step<Result, Failure: Error>(
    _ name: @autoclosure () -> String, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard level == .verbose else { return try body() }
    let name = name()
    say("\(name) …")
    let start = ContinuousClock.now
    let result = try body()
    say("\(name): \(Self.seconds(ContinuousClock.now - start))")
    return result
  }

  static func seconds(_ duration: Duration) -> String {
    let parts = duration.components
    return String(
      format: "%.3f s", Double(parts.seconds) + Double(parts.attoseconds) * 1e-18)
  }

  private static func say(_ text: String) {
    Progress.wipe()
    write("\(text)\n")
  }

  /// To stderr, as it is. Where nobody reads it, that is no reason to end.
  static func write(_ text: String) {
    var left = Array(text.utf8)[...]
    while !left.isEmpty {
      // Safety: the slice stays in place during the call, which reads it.
      let put = unsafe left.withUnsafeBytes {
        unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
      }
      if put < 0, errno != EINTR { return }
      left = left.dropFirst(max(0, put))
    }
  }

  static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Of the terminal that a stream is, if it is one.
  static func columns(of descriptor: Int32 = STDOUT_FILENO) -> Int? {
    var size = winsize()
    // Safety: TIOCGWINSZ fills the structure, which lives for the call.
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return nil
    }
    return Int(size.ws_col)
  }
}
