import Glibc

/// A thread that can be waited for.
struct JoinableThread: ~Copyable {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  private let handle: pthread_t

  init(_ run: @escaping @Sendable () -> Void) {
    var handle = pthread_t()
    // Safety: the retained body is released exactly once, by the thread that it starts.
    let context = unsafe Unmanaged.passRetained(Body(run)).toOpaque()
    let failure = unsafe pthread_create(
      &handle, nil,
      { context in
        unsafe Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run()
        return nil
      }, context)
    precondition(failure == 0, "no thread could be started")
    self.handle = handle
  }

  /// Waits for its end. Once, because it consumes the thread.
  consuming func join() {
    _ = pthread_join(handle, nil)
  }
}
