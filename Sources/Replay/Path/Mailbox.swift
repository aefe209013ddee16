public import RingBuffer
public import Synchronization

/// Two words, 128 bytes apart, each written by one thread: a message there, and its answer back, with one
/// cache line each. Nothing gets an interrupt from one CPU to another and back with less.
@usableFromInline package final class Mailbox: Sendable {
  @usableFromInline let served = Atomic<UInt64>(0)
  private let padding: [16 of UInt64] = .init(repeating: 0)
  @usableFromInline let answered = Atomic<UInt64>(0)

  /// 0 is never a message: it is what lies there at first.
  package static let none: UInt64 = 0

  @usableFromInline package init() {}

  /// Sends a message, which is not the one before, and waits until it comes back.
  @inlinable @inline(__always)
  package func exchange(_ message: UInt64) {
    // Pairs with the load in `answer`; nothing but the word itself is handed over.
    served.store(message, ordering: .releasing)
    Self.wait(in: answered) { $0 == message }
  }

  /// Waits for a message other than `last`, sends it back, and returns it.
  @inlinable @inline(__always)
  package func answer(after last: UInt64) -> UInt64 {
    let message = Self.wait(in: served) { $0 != last }
    answered.store(message, ordering: .releasing)
    return message
  }

  /// As the ring waits, so that the two differ by the ring alone. (Without the pause it is slower: a core
  /// that runs ahead with loads of a line has to throw them away when the line changes.)
  @inlinable @inline(__always) @discardableResult
  static func wait(in word: borrowing Atomic<UInt64>, for isThere: (UInt64) -> Bool) -> UInt64 {
    var waiting = SpinThenYieldWait()
    while true {
      let found = word.load(ordering: .acquiring)
      if isThere(found) { return found }
      waiting.pause()
    }
  }
}
