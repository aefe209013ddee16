internal import Synchronization

/// Carries one unique value, such as an end of a ring, into a thread's start closure.
///
/// An escaping closure may run twice, so it cannot capture a noncopyable value; it captures this
/// and takes the value out. `take` allocates nothing and holds a lock for a moment; it is for the
/// start of a thread.
@usableFromInline package final class HandOff<Value: ~Copyable & Sendable>: Sendable {
  private let cell: Mutex<Value?>

  @usableFromInline package init(_ value: consuming Value) {
    cell = Mutex(consume value)
  }

  /// The value. Traps the second time.
  @usableFromInline package func take() -> Value {
    let taken = cell.withLock { $0.take() }
    guard let taken else { fatalError("a hand-off is taken once") }
    return taken
  }

  /// Destroys the value if nobody has taken it.
  package func discard() { cell.withLock { $0 = nil } }
}
