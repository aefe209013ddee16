import CPlatform
import Glibc
import Synchronization

/// A lock for a few dozen nanoseconds between two threads. Not fair.
@usableFromInline package final class SpinLock: Sendable {
  private let isHeld = Atomic<Bool>(false)

  @usableFromInline package init() {}

  /// Whatever the body does comes after everything that the last holder did: the exchange that takes the
  /// lock pairs with the store that gave it back.
  @inlinable @inline(__always)
  package func withLock<Result: ~Copyable>(_ body: () -> Result) -> Result {
    acquire()
    defer { release() }
    return body()
  }

  @usableFromInline func acquire() {
    var spins = 0
    while isHeld.exchange(true, ordering: .acquiring) {
      // Look without writing until it is free. Its holder may need this very core.
      while isHeld.load(ordering: .relaxed) {
        spins += 1
        if spins < 256 { CPlatform_pause() } else { sched_yield() }
      }
    }
  }

  @usableFromInline func release() { isHeld.store(false, ordering: .releasing) }
}
