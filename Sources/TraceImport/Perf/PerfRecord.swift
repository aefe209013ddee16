/// A record of perf.data: u32 type, u16 misc, u16 size with this head, then its content.
struct PerfRecord {
  var type: Kind
  /// Its content, in the bytes of whoever read it.
  var content: Range<Int>

  static var headSize: Int { 8 }

  /// Types that are looked at: those of the kernel (linux, include/uapi/linux/perf_event.h) and from
  /// 64 on those of perf itself (tools/lib/perf/include/perf/event.h).
  struct Kind: RawRepresentable, Hashable {
    var rawValue: UInt32

    static var lost: Kind { Kind(rawValue: 2) }
    static var command: Kind { Kind(rawValue: 3) }
    static var sample: Kind { Kind(rawValue: 9) }
    static var lostSamples: Kind { Kind(rawValue: 13) }
    static var headerAttribute: Kind { Kind(rawValue: 64) }
    static var headerTracingData: Kind { Kind(rawValue: 66) }
    static var finishedRound: Kind { Kind(rawValue: 68) }
    static var auxiliaryTrace: Kind { Kind(rawValue: 71) }
    static var compressed: Kind { Kind(rawValue: 81) }
    static var compressedSized: Kind { Kind(rawValue: 83) }
  }

  /// Reads the head at `offset`. - Returns: nil if its size is less than itself, or unless all of it
  /// is there.
  init?(_ bytes: OrderedBytes, at offset: Int) {
    guard let type = bytes.number(at: offset, size: 4),
      let size = bytes.number(at: offset + 6, size: 2), size >= UInt64(Self.headSize),
      Int(size) <= bytes.count - offset
    else { return nil }
    self.type = Kind(rawValue: UInt32(truncatingIfNeeded: type))
    content = offset + Self.headSize..<offset + Int(size)
  }
}
