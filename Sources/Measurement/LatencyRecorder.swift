/// A `LatencyHistogram` while it is being filled in a hot loop: the same layout, in memory of its own.
///
/// Recording is an index and an increment, without the checks that an array makes whether it is shared:
/// about a third of the cost. It becomes a histogram once, at the end.
///
///   var recorder = LatencyRecorder()
///   recorder.record(nanoseconds)
///   let histogram = recorder.histogram
///
/// 264 KiB, allocated and touched by `init`, so that recording causes no page fault.
@safe @frozen
@usableFromInline package struct LatencyRecorder: ~Copyable {
  // The layout of an HDR histogram with three significant digits from 1 (hdrhistogram.org): values
  // below 2¹¹ have a bucket each; above, each power of two has 2¹⁰ buckets of equal width.
  @inlinable static var linearBits: UInt64 { 11 }
  @inlinable static var bucketsPerDoubling: UInt64 { 1 << (linearBits - 1) }

  // Safety: the memory is this value's alone, `countOfBuckets` words, until `deinit`.
  @usableFromInline let counts: UnsafeMutablePointer<UInt64>
  @usableFromInline var smallest: UInt64
  @usableFromInline var largest: UInt64
  @usableFromInline var beyondRange: UInt64

  @usableFromInline
  package init() {
    let buckets = LatencyHistogram.bucketCount
    // Safety: allocated and initialised as a whole.
    unsafe counts = .allocate(capacity: buckets)
    unsafe counts.initialize(repeating: 0, count: buckets)
    smallest = .max
    largest = 0
    beyondRange = 0
  }

  @inlinable
  deinit {
    // Safety: nobody else has the pointer.
    unsafe counts.deallocate()
  }

  @inlinable @inline(__always)
  static func index(of nanoseconds: UInt64) -> UInt64 {
    let belowLinear = (1 as UInt64) &<< linearBits &- 1
    let doublings = 64 &- linearBits &- UInt64((nanoseconds | belowLinear).leadingZeroBitCount)
    return doublings &* bucketsPerDoubling &+ nanoseconds &>> doublings
  }

  /// The highest value of a bucket.
  static func highest(of index: UInt64) -> UInt64 {
    let doublings = index < 2 * bucketsPerDoubling ? 0 : index / bucketsPerDoubling - 1
    return ((index - doublings * bucketsPerDoubling + 1) << doublings) - 1
  }

  @inlinable @inline(__always)
  package mutating func record(_ nanoseconds: UInt64) {
    smallest = min(smallest, nanoseconds)
    largest = max(largest, nanoseconds)
    var value = nanoseconds
    if value > LatencyHistogram.highestNanoseconds {
      beyondRange &+= 1
      value = LatencyHistogram.highestNanoseconds
    }
    // Safety: the value is not above the highest, whose index is the last one.
    unsafe counts[Int(truncatingIfNeeded: Self.index(of: value))] &+= 1
  }

  /// What has been recorded until now. O(buckets).
  package var histogram: LatencyHistogram {
    var histogram = LatencyHistogram()
    for index in 0...Self.index(of: LatencyHistogram.highestNanoseconds) {
      // Safety: the index is at most the last one.
      let count = unsafe counts[Int(index)]
      // Most buckets are empty.
      if count > 0 { histogram.record(Self.highest(of: index), count: count) }
    }
    histogram.setExtremes(smallest: smallest, largest: largest, beyondRange: beyondRange)
    return histogram
  }
}

extension LatencyHistogram {
  /// How many buckets the layout has.
  package static var bucketCount: Int {
    Int(LatencyRecorder.index(of: highestNanoseconds)) + 1
  }

  /// The bucket that counts `nanoseconds`, from 0; values beyond the range are in the last one.
  package static func bucket(of nanoseconds: UInt64) -> Int {
    Int(LatencyRecorder.index(of: min(nanoseconds, highestNanoseconds)))
  }
}
