import CLive
import Glibc

/// The counters that KVM keeps of a vCPU (Documentation/virt/kvm/api.rst, 4.133, KVM_GET_STATS_FD):
/// whether it slept, how often it polled, how often it left guest mode.
final class VCPUStatistics: Sendable {
  let descriptor: Descriptor
  /// Name → where its 64-bit value lies in the file. Histograms are left out.
  private let offsets: [String: Int]

  /// Nil where this kernel has none. Not while the vCPU runs.
  init?(vCPU: Int32) {
    let opened = CLive_statistics(vCPU)
    guard opened >= 0 else { return nil }
    guard let offsets = Self.offsets(opened) else {
      close(opened)
      return nil
    }
    descriptor = Descriptor(opened)
    self.offsets = offsets
  }

  private static func offsets(_ file: Int32) -> [String: Int]? {
    guard let header = words(file, count: 6, at: 0) else { return nil }
    // flags, size of a name, count of descriptors, offsets of the id, the descriptors and the values.
    let (nameBytes, count) = (Int(header[1]), Int(header[2]))
    var offsets: [String: Int] = [:]
    for index in 0..<min(count, 1024) {
      let start = Int(header[4]) + index * (16 + nameBytes)
      // flags, exponent and size (16 bits each), offset, bucket size; then the name.
      guard let words = words(file, count: 4, at: start),
        let name = name(file, bytes: nameBytes, at: start + 16)
      else { return nil }
      if words[1] >> 16 == 1 { offsets[name] = Int(header[5]) + Int(words[2]) }
    }
    return offsets
  }

  /// Where KVM says whether the vCPU sleeps in the kernel, off its CPU (since Linux 5.16).
  var blockingOffset: Int? { offsets["blocking"] }

  func value(at offset: Int) -> UInt64? {
    var value: UInt64 = 0
    // Safety: eight bytes are read into a local of eight.
    let got = unsafe pread(descriptor.number, &value, 8, offset)
    return got == 8 ? value : nil
  }

  /// All of them now.
  func all() -> [String: UInt64] { offsets.compactMapValues { value(at: $0) } }

  private static func words(_ file: Int32, count: Int, at offset: Int) -> [UInt32]? {
    var words = [UInt32](repeating: 0, count: count)
    // Safety: the array has as many bytes as are read.
    let got = unsafe pread(file, &words, 4 * count, offset)
    return got == 4 * count ? words : nil
  }

  private static func name(_ file: Int32, bytes: Int, at offset: Int) -> String? {
    var text = [UInt8](repeating: 0, count: bytes)
    // Safety: the array has as many bytes as are read.
    guard unsafe pread(file, &text, bytes, offset) == bytes else { return nil }
    return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
  }
}
