/// What perf recorded with each sample of one event: struct perf_event_attr, as far as it decides how
/// records are laid out (linux, include/uapi/linux/perf_event.h).
struct PerfAttribute: Hashable {
  /// PERF_SAMPLE_* bits.
  var sampleType: UInt64
  /// PERF_FORMAT_* bits.
  var readFormat: UInt64
  /// Records other than samples end with what identifies a sample.
  var hasSampleIdentity: Bool
  /// The clock of the times, if it is not the scheduler's (perf record -k).
  var clock: Int32?

  /// Bits of `sampleType`, in the order of the kernel's header.
  enum Sample {
    static var ip: UInt64 { 1 << 0 }
    static var task: UInt64 { 1 << 1 }
    static var time: UInt64 { 1 << 2 }
    static var address: UInt64 { 1 << 3 }
    static var read: UInt64 { 1 << 4 }
    static var callChain: UInt64 { 1 << 5 }
    static var id: UInt64 { 1 << 6 }
    static var cpu: UInt64 { 1 << 7 }
    static var period: UInt64 { 1 << 8 }
    static var stream: UInt64 { 1 << 9 }
    static var raw: UInt64 { 1 << 10 }
    static var identifier: UInt64 { 1 << 16 }
  }

  /// Bytes that every version of the struct has (PERF_ATTR_SIZE_VER0).
  static var leastSize: Int { 64 }

  /// - Returns: nil if the struct at `offset` is cut.
  init?(_ bytes: OrderedBytes, at offset: Int, size: Int) {
    guard size >= Self.leastSize, let sampleType = bytes.number(at: offset + 24, size: 8),
      let readFormat = bytes.number(at: offset + 32, size: 8),
      let flags = bytes.number(at: offset + 40, size: 8)
    else { return nil }
    self.sampleType = sampleType
    self.readFormat = readFormat
    // Bit-fields start at the low end of a little-endian word and at the high end of a big-endian one.
    func flag(_ bit: UInt64) -> Bool {
      flags >> (bytes.isBigEndian ? 63 - bit : bit) & 1 != 0
    }
    hasSampleIdentity = flag(18)
    if flag(25), size >= 96, let clock = bytes.number(at: offset + 92, size: 4) {
      self.clock = Int32(truncatingIfNeeded: clock)
    }
  }

  func has(_ bit: UInt64) -> Bool { sampleType & bit != 0 }
}
