import Glibc
import Measurement
import Synchronization

/// A thread with a CPU, a body, and an end that can be waited for.
@usableFromInline package final class WorkerThread: Sendable {
  private let handle: Mutex<pthread_t?>
  private let work: Work

  /// Starts at once, on the `index`-th allowed CPU if that can be.
  /// - Throws: `WorkerThreadError` if the system gives no thread.
  @usableFromInline package init(
    _ name: String, onCPU index: Int, _ body: @escaping @Sendable () -> Void
  ) throws(WorkerThreadError) {
    var thread = pthread_t()
    work = Work(name, index, body)
    // Safety: the work is retained for the thread, which takes it over; nobody else frees it unless
    // no thread was made.
    let retained = unsafe Unmanaged.passRetained(work)
    let error = unsafe pthread_create(
      &thread, nil,
      { argument in
        unsafe Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, retained.toOpaque())
    guard error == 0 else {
      unsafe retained.release()
      throw WorkerThreadError(code: error)
    }
    handle = Mutex(thread)
  }

  /// Waits for the end. The second time it returns at once.
  /// - Returns: why the thread did not have a CPU of its own, if it had none.
  @discardableResult
  @usableFromInline package func join() -> String? {
    let thread = handle.withLock { handle -> pthread_t? in
      defer { handle = nil }
      return handle
    }
    // Joined at most once, because the handle is taken out above.
    if let thread { pthread_join(thread, nil) }
    return work.placement.withLock { $0 }
  }

  /// A thread that nobody waits for gives its resources back by itself.
  deinit {
    if let thread = handle.withLock({ $0 }) { pthread_detach(thread) }
  }

  private final class Work: Sendable {
    let name: String
    let index: Int
    let body: @Sendable () -> Void
    let placement = Mutex<String?>(nil)

    init(_ name: String, _ index: Int, _ body: @escaping @Sendable () -> Void) {
      self.name = name
      self.index = index
      self.body = body
    }

    func run() {
      let reason = ThreadPlacement.pin(toAllowed: index)
      if let reason {
        placement.withLock { $0 = "\(name) thread not on a CPU of its own: \(reason)" }
      } else if index >= ThreadPlacement.allowedCPUs.count {
        placement.withLock { $0 = "\(name) thread shares a CPU" }
      }
      body()
    }
  }
}

@usableFromInline package struct WorkerThreadError: Error, CustomStringConvertible {
  package var code: Int32
  @usableFromInline package var description: String {
    "no thread could be started (errno \(code)); the process may be at its limit of threads"
  }
}
