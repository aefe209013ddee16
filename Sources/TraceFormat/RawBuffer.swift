import Glibc

/// One aligned allocation that grows by replacement and is freed with its owner.
///
/// The readable slack behind `capacity` lets column decoders load eight bytes at the last value and
/// look one element ahead without a bounds check.
@safe
struct RawBuffer: ~Copyable {
  static let slackBytes = 64
  private(set) var base: UnsafeMutableRawPointer
  private(set) var capacity: Int

  init(capacity: Int = 0) {
    self.capacity = capacity
    unsafe base = Self.allocate(capacity)
  }

  /// Makes room. Content is lost when it grows.
  mutating func reserve(_ size: Int) {
    guard size > capacity else { return }
    // Safety: this owner's own allocation, and nobody keeps pointers over a reserve.
    unsafe base.deallocate()
    capacity = max(size, capacity * 2)
    unsafe base = Self.allocate(capacity)
  }

  private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
    // Safety: fresh memory. The slack is read but never used; it only must be defined.
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: capacity + slackBytes, alignment: 64)
    unsafe memset(memory + capacity, 0, slackBytes)
    return unsafe memory
  }

  deinit {
    // Safety: the only owner.
    unsafe base.deallocate()
  }
}
