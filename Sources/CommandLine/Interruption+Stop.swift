import Glibc
import Synchronization

extension Interruption {
  private static let stopRequested = Atomic<Bool>(false)

  /// Whether somebody asked the command to end (Ctrl-C, SIGTERM, a closed terminal).
  static var isStopRequested: Bool { stopRequested.load(ordering: .relaxed) }

  /// For work that ends when it is interrupted, and ends well: see `isStopRequested`. A parent that
  /// left these signals blocked or ignored does not make the work endless.
  static func requestsStop() {
    // Made before a handler can need it: making it there would not be async-signal-safe.
    stopRequested.store(false, ordering: .relaxed)
    var signals = sigset_t()
    // Safety: the set is a local, made empty before it is used.
    unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      unsafe sigaddset(&signals, number)
      _ = signal(number) { _ in
        Interruption.stopRequested.store(true, ordering: .relaxed)
      }
    }
    // Safety: as above; the old set is not wanted.
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }
}
