import CPlatform
import Glibc

/// Stable, named facts about the machine, without Foundation.
package enum HostFacts {
  /// Name → value, in a fixed order. What the system does not tell is left out.
  package static func all() -> [(name: String, value: String)] {
    var facts: [(String, String)] = []
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { facts.append((name, value)) }
    }
    add("cpu-model", cpuInfo(field: "model name") ?? cpuInfo(field: "CPU part"))
    add("cpus", String(ThreadPlacement.allowedCPUs.count))
    add(
      "hypervisor",
      cpuInfo(field: "flags")?.split(separator: " ").contains("hypervisor") == true
        ? "yes" : "no")
    add("kernel", firstLine("/proc/sys/kernel/osrelease"))
    add(
      "clocksource",
      firstLine("/sys/devices/system/clocksource/clocksource0/current_clocksource"))
    add("governor", firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
    add("smt", firstLine("/sys/devices/system/cpu/smt/active"))
    add("last-level-cache", lastLevelCacheBytes.map { "\($0 >> 10) KiB" })
    add("clock", CycleClock.shared.source)
    #if arch(x86_64)
      add("architecture", "x86_64")
    #elseif arch(arm64)
      add("architecture", "arm64")
    #endif
    return facts
  }

  /// The largest cache of the first CPU; nil if the system does not tell.
  package static var lastLevelCacheBytes: Int? {
    (0..<8).compactMap { index in
      firstLine("/sys/devices/system/cpu/cpu0/cache/index\(index)/size").flatMap(bytes)
    }.max()
  }

  /// Reads "32768K" as the kernel writes cache sizes.
  static func bytes(_ size: String) -> Int? {
    guard size.hasSuffix("K"), let kibibytes = Int(size.dropLast()), kibibytes >= 0 else {
      return nil
    }
    return kibibytes << 10
  }

  /// The first value of a field of /proc/cpuinfo.
  static func cpuInfo(field: String) -> String? {
    guard let text = read("/proc/cpuinfo") else { return nil }
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, trimmed(parts[0]) == field else { continue }
      return trimmed(parts[1])
    }
    return nil
  }

  private static func firstLine(_ path: String) -> String? {
    read(path)?.split(separator: "\n").first.map(trimmed)
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return String(text)
  }

  /// At most 1 MiB of a file.
  private static func read(_ path: String) -> String? {
    // Safety: the path is NUL-terminated for the call; reads stay within the buffer.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < 1 << 20 {
      let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
      guard count > 0 else { break }
      bytes += buffer[0..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
