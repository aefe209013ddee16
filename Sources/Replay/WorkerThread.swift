import Glibc
import Synchronization

/// A thread with a body and an end that can be waited for.
@usableFromInline package final class WorkerThread: Sendable {
  private let handle: Mutex<pthread_t?>

  /// Starts at once. - Throws: `WorkerThreadError` if the system gives no thread.
  @usableFromInline package init(_ body: @escaping @Sendable () -> Void) throws(WorkerThreadError) {
    var thread = pthread_t()
    // Safety: the box is retained for the thread, which takes it over; nobody else frees it unless
    // no thread was made.
    let box = unsafe Unmanaged.passRetained(Box(body))
    let error = unsafe pthread_create(
      &thread, nil,
      { argument in
        unsafe Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    guard error == 0 else {
      unsafe box.release()
      throw WorkerThreadError(code: error)
    }
    handle = Mutex(thread)
  }

  /// Waits for the end. The second time it returns at once.
  @usableFromInline package func join() {
    let thread = handle.withLock { handle -> pthread_t? in
      defer { handle = nil }
      return handle
    }
    // Joined at most once, because the handle is taken out above.
    if let thread { pthread_join(thread, nil) }
  }

  /// A thread that nobody waits for gives its resources back by itself.
  deinit {
    if let thread = handle.withLock({ $0 }) { pthread_detach(thread) }
  }

  private final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}

@usableFromInline package struct WorkerThreadError: Error, CustomStringConvertible {
  @usableFromInline package var code: Int32
  @usableFromInline package var description: String {
    "no thread could be started (errno \(code)); the process may be at its limit of threads"
  }
}
