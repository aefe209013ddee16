/// Stable, named facts about the machine, without Foundation.
package enum HostFacts {
  private static let host = SystemFiles()

  /// Name → value, in a fixed order. What the system does not tell is left out.
  package static func all() -> [(name: String, value: String)] {
    var facts: [(String, String)] = []
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { facts.append((name, value)) }
    }
    add("cpu-model", host.cpuInfo(field: "model name") ?? host.cpuInfo(field: "CPU part"))
    add("cpus", String(ThreadPlacement.allowedCPUs.count))
    add(
      "hypervisor",
      host.cpuInfo(field: "flags")?.split(separator: " ").contains("hypervisor") == true
        ? "yes" : "no")
    add("kernel", host.line("/proc/sys/kernel/osrelease"))
    add(
      "clocksource",
      host.line("/sys/devices/system/clocksource/clocksource0/current_clocksource"))
    add("governor", host.line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
    add("smt", host.line("/sys/devices/system/cpu/smt/active"))
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
      host.line("/sys/devices/system/cpu/cpu0/cache/index\(index)/size").flatMap(bytes)
    }.max()
  }

  /// Reads "32768K" as the kernel writes cache sizes.
  static func bytes(_ size: String) -> Int? {
    guard size.hasSuffix("K"), let kibibytes = Int(size.dropLast()), kibibytes >= 0 else {
      return nil
    }
    return kibibytes << 10
  }
}
