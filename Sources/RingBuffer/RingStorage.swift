internal import CPlatform
public import Synchronization

/// The words that one side of a ring writes and the other side reads. One 128-byte line each.
@usableFromInline
struct RingCursor: ~Copyable {
  /// The sequence up to which this side has finished.
  ///
  /// Pairing: its owner stores it with release after its last access to the slots before it; the
  /// other side loads it with acquire before its first access to them. Producer's cursor: the
  /// element's bytes become visible to the consumer. Consumer's cursor: the consumer's reads of a
  /// slot happen before the producer overwrites it.
  @usableFromInline let sequence: Atomic<UInt64>

  /// Set once, when this side is gone.
  ///
  /// Pairing: stored with release after the last store to `sequence`; the other side loads it with
  /// acquire and then loads `sequence` once more, which therefore is the final one.
  @usableFromInline let isFinished: Atomic<Bool>

  init() {
    sequence = Atomic(0)
    isFinished = Atomic(false)
  }
}

/// The one owner of a ring's memory; both ends keep it alive. The layout is drawn at the head of
/// `SPSCRing.swift`.
@safe @usableFromInline
final class RingStorage<Element: BitwiseCopyable>: Sendable {
  // Safety: the three pointers are set once in `init`, point into one allocation that lives as long
  // as this object, and are handed only to the two ends, each of which keeps to its own slots.
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer
  nonisolated(unsafe) let producerCursor: UnsafeMutablePointer<RingCursor>
  nonisolated(unsafe) let consumerCursor: UnsafeMutablePointer<RingCursor>
  nonisolated(unsafe) let slots: UnsafeMutablePointer<Element>
  let capacity: Int
  let slotCount: Int

  init(capacity: Int) {
    precondition(
      capacity >= 1 && capacity <= SPSCRing<Element>.maximumCapacity,
      "the capacity of a ring is from 1 to 2^24 elements")
    precondition(MemoryLayout<Element>.alignment <= Self.lineBytes)
    self.capacity = capacity
    slotCount = Self.slotCount(for: capacity)
    // At most 2^24 slots: overflows for no element that a program can hold; traps if it would.
    let slotBytes = slotCount * MemoryLayout<Element>.stride
    let paddedBytes = (slotBytes + Self.lineBytes - 1) / Self.lineBytes * Self.lineBytes

    // Safety: 2 lines and the slots fit in the allocation; 128 is a multiple of each alignment; the
    // slots are zeroed here, and no element is read before the producer has published it.
    unsafe base = UnsafeMutableRawPointer.allocate(
      byteCount: 2 * Self.lineBytes + paddedBytes, alignment: Self.lineBytes)
    unsafe producerCursor = base.bindMemory(to: RingCursor.self, capacity: 1)
    unsafe consumerCursor = (base + Self.lineBytes).bindMemory(to: RingCursor.self, capacity: 1)
    unsafe producerCursor.initialize(to: RingCursor())
    unsafe consumerCursor.initialize(to: RingCursor())
    let slotMemory = unsafe base + 2 * Self.lineBytes
    unsafe slotMemory.initializeMemory(as: UInt8.self, repeating: 0, count: paddedBytes)
    unsafe slots = slotMemory.bindMemory(to: Element.self, capacity: slotCount)
  }

  deinit {
    // Safety: the last end is gone, so nobody reaches the memory; elements need no destruction.
    unsafe producerCursor.deinitialize(count: 1)
    unsafe consumerCursor.deinitialize(count: 1)
    unsafe base.deallocate()
  }

  private static var lineBytes: Int { 128 }

  /// The smallest power of two that is not below `capacity`.
  private static func slotCount(for capacity: Int) -> Int {
    1 << (Int.bitWidth - (capacity - 1).leadingZeroBitCount)
  }
}
