import CPlatform
import Glibc
public import RingBuffer

/// One eventfd between two threads, with the ring beside it that says what was signalled.
///
/// The sender pushes, then signals; the receiver waits, then pops until the ring is empty. So what is
/// pushed while the receiver empties the ring has a signal of its own, and none is slept through
/// (`Tests/Models/eventfd.pml`).
@usableFromInline package final class EventfdLane<Payload: BitwiseCopyable & Sendable>: Sendable {
  @usableFromInline package let descriptor: Int32
  @usableFromInline package let sender: HandOff<RingProducer<Payload>>
  @usableFromInline package let receiver: HandOff<RingConsumer<Payload>>

  /// Nothing is left open on failure, which is an errno.
  @usableFromInline package init(capacity: Int = 16) throws(PathExperiment.Failure) {
    let opened = CPlatform_eventfd()
    guard opened >= 0 else { throw .eventfd(code: -opened) }
    descriptor = opened
    let ring = SPSCRing<Payload>(capacity: capacity)
    sender = HandOff(ring.producer)
    receiver = HandOff(ring.consumer)
  }

  deinit { close(descriptor) }

  /// Adds 1 to the counter. 0, or an errno.
  @usableFromInline package func signal() -> Int32 { CPlatform_eventfdSignal(descriptor) }

  /// Sleeps until the counter is not 0 and takes it. False on failure.
  @usableFromInline package func wait() -> Bool {
    var count: UInt64 = 0
    // Safety: the pointer is valid for the call.
    return unsafe CPlatform_eventfdWait(descriptor, &count) == 0
  }

  /// Lets a receiver that waits find the end of the ring. For a lane whose sending end nobody took.
  @usableFromInline package func abandon() {
    sender.discard()
    _ = signal()
  }
}
