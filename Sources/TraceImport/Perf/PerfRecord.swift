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

    /// As the headers and 'perf report -D' call it; nil for a type that is not known.
    var name: String? {
      if let name = Self.names[rawValue] { return "PERF_RECORD_\(name)" }
      let isKnown = (1...21).contains(rawValue) || (64...83).contains(rawValue)
      return isKnown ? "PERF_RECORD of type \(rawValue)" : nil
    }

    private static let names: [UInt32: String] = [
      1: "MMAP", 2: "LOST", 3: "COMM", 4: "EXIT", 5: "THROTTLE", 6: "UNTHROTTLE", 7: "FORK",
      8: "READ", 9: "SAMPLE", 10: "MMAP2", 11: "AUX", 12: "ITRACE_START", 13: "LOST_SAMPLES",
      14: "SWITCH", 15: "SWITCH_CPU_WIDE", 16: "NAMESPACES", 17: "KSYMBOL", 18: "BPF_EVENT",
      19: "CGROUP", 20: "TEXT_POKE", 21: "AUX_OUTPUT_HW_ID", 64: "HEADER_ATTR",
      66: "HEADER_TRACING_DATA", 67: "HEADER_BUILD_ID", 68: "FINISHED_ROUND", 69: "ID_INDEX",
      71: "AUXTRACE", 73: "THREAD_MAP", 74: "CPU_MAP", 79: "TIME_CONV", 80: "HEADER_FEATURE",
      81: "COMPRESSED", 82: "FINISHED_INIT", 83: "COMPRESSED2",
    ]
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
