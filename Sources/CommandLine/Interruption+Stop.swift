import Glibc
import Synchronization

extension Interruption {
  private static let stopRequested = Atomic<Bool>(false)

  /// Whether somebody asked the command to end (Ctrl-C, SIGTERM, a closed terminal).
  static var isStopRequested: Bool { stopRequested.load(ordering: .relaxed) }

  /// For work that ends when it is interrupted, and ends well: see `isStopRequested`.
  static func requestsStop() {
    // Made before a handler can need it: making it there would not be async-signal-safe.
    stopRequested.store(false, ordering: .relaxed)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      _ = signal(number) { _ in
        Interruption.stopRequested.store(true, ordering: .relaxed)
      }
    }
  }
}
