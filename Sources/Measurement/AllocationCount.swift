internal import CAllocations

/// How often the calling thread has allocated since this was made.
///
///   let allocations = AllocationCount()
///   measure()
///   allocations.count        // 0, or nil where there is no meter
///
/// Begin and end on one thread.
@usableFromInline package struct AllocationCount: Sendable {
  private let begin: UInt64

  @usableFromInline package init() { begin = CAllocations_ofThisThread() }

  /// Nil where allocations are not metered: under a sanitizer, or without glibc.
  @usableFromInline package var count: UInt64? {
    CAllocations_isMetered() == 1 ? CAllocations_ofThisThread() - begin : nil
  }
}
