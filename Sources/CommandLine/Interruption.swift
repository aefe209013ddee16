import Glibc

/// Removes unfinished files when the command is interrupted (Ctrl-C, SIGTERM, a closed terminal), so that
/// nothing half-written stays. What SIGKILL leaves is a `.partial` file that `recover` can read.
enum Interruption {
  // Safety: written before the handlers are installed and never changed or freed after; the handler
  // only reads them.
  nonisolated(unsafe) private static var paths: [UnsafeMutablePointer<CChar>] =
    unsafe []

  static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// Lets signals come that the parent had blocked, as whoever starts processes from a worker thread may have
  /// done. Call at the start of the process.
  static func unblock() {
    var set = sigset_t()
    // Safety: the set is a local, made empty before it is used; the old one is not wanted.
    unsafe sigemptyset(&set)
    for number in signals { unsafe sigaddset(&set, number) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// Call once, before the first of `files` is made.
  static func removes(_ files: [String]) {
    // Safety: each copy is NUL-terminated and lives as long as the process.
    unsafe paths = files.compactMap { unsafe strdup($0) }
    for number in signals {
      // Safety: the handler calls only functions that are async-signal-safe (POSIX 2.4.3): unlink, _exit.
      _ = signal(number) { number in
        for index in unsafe Interruption.paths.indices { unsafe unlink(Interruption.paths[index]) }
        _exit(128 + number)
      }
    }
  }
}
