import Glibc
import Synchronization

extension Interruption {
  private static let number = Atomic<Int32>(0)

  /// Whether somebody asked the command to end (Ctrl-C, SIGTERM, a closed terminal).
  static var isStopRequested: Bool { number.load(ordering: .relaxed) != 0 }

  /// The work was ended before it was done. The exit code is 128 and the signal's number, as a shell has it.
  struct Stopped: Error {
    /// What becomes of the work.
    var consequence: String

    var status: Int32 { 128 + Interruption.number.load(ordering: .relaxed) }
  }

  /// For work that ends when it is interrupted, and ends well: see `isStopRequested`.
  static func requestsStop() {
    // Made before a handler can need it: making it there would not be async-signal-safe.
    number.store(0, ordering: .relaxed)
    for signalNumber in signals {
      let earlier = signal(signalNumber) { Interruption.number.store($0, ordering: .relaxed) }
      // Under nohup(1) a closed terminal ends nothing.
      // Safety: both are addresses, and SIG_IGN is that of no function.
      if signalNumber == SIGHUP, unsafe unsafeBitCast(earlier, to: Int.self) == 1 {
        signal(SIGHUP, SIG_IGN)
      }
    }
  }

  /// Does `body`, which is short, such as writing a file, or looks at `isStopRequested`: an interruption does not
  /// end the process before it has come to its end.
  ///
  /// - Throws: `Stopped` if one came.
  static func deferred<Result>(
    saying consequence: String = "what was asked for is written", _ body: () throws -> Result
  ) throws -> Result {
    requestsStop()
    defer { for signalNumber in [SIGINT, SIGTERM] { signal(signalNumber, SIG_DFL) } }
    let result = try body()
    guard !isStopRequested else { throw Stopped(consequence: consequence) }
    return result
  }
}
