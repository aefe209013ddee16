/// What a host is like for measuring on it: facts from its /proc and /sys, each with what to do.
///
///     let findings = HostExamination(SystemFiles(), cpus: ThreadPlacement.allowedCPUs).findings()
///
/// It reads and changes nothing. What the host does to a running thread is `NoiseProbe`'s to find out.
package struct HostExamination: Sendable {
  let files: SystemFiles
  /// Those that are measured on.
  let cpus: [Int]
  let cpuFolder = "/sys/devices/system/cpu"

  package init(_ files: SystemFiles, cpus: [Int]) {
    self.files = files
    self.cpus = cpus
  }

  /// The CPUs that are online, for a host that is not this one.
  package static func onlineCPUs(_ files: SystemFiles) -> [Int] {
    files.line("/sys/devices/system/cpu/online").flatMap(SystemFiles.cpus) ?? [0]
  }

  /// In a fixed order, each name once.
  package func findings() -> [HostFinding] {
    [
      cpuCount(), quota(), virtualization(), clockSource(), governor(), turbo(), idleStates(),
      threads(), isolation(), interrupts(), hugePages(), stolenTime(), load(),
    ]
  }

  private func cpuCount() -> HostFinding {
    let fact = "CPUs \(SystemFiles.list(cpus)) may be used"
    return cpus.count >= 2
      ? .ok("cpus", fact)
      : .warn(
        "cpus", fact, "'path' needs two CPUs for its threads: allow more with taskset or the cgroup"
      )
  }

  /// A cgroup that runs out of its quota stops all threads for the rest of a period.
  private func quota() -> HostFinding {
    guard let line = files.line("/sys/fs/cgroup/cpu.max") else {
      return .ok("cpu-quota", "none")
    }
    let words = line.split(separator: " ")
    return words.first == "max"
      ? .ok("cpu-quota", "none")
      : .warn(
        "cpu-quota", "\(words.first ?? "?") µs of CPU time in \(words.last ?? "?") µs",
        "a cgroup over its quota is stopped: run in one whose cpu.max is 'max'")
  }

  private func virtualization() -> HostFinding {
    let product = files.line("/sys/class/dmi/id/product_name")
    let hypervisor = files.line("/sys/hypervisor/type")
    let flags = files.cpuInfo(field: "flags")?.split(separator: " ") ?? []
    guard flags.contains("hypervisor") || hypervisor != nil else {
      return flags.isEmpty && product == nil
        ? .unknown("virtualization", "the host does not tell")
        : .ok("virtualization", "no hypervisor")
    }
    let name = [hypervisor, product].compactMap { $0 }.joined(separator: ", ")
    return .warn(
      "virtualization", "a guest" + (name.isEmpty ? "" : " (\(name))"),
      "times wander with the neighbours: compare ratios of one run, or measure on bare metal")
  }

  /// Reading another clock than these costs a system call, or a microsecond.
  private func clockSource() -> HostFinding {
    let folder = "/sys/devices/system/clocksource/clocksource0/"
    guard let source = files.line(folder + "current_clocksource") else {
      return .unknown("clock-source", "the host does not tell")
    }
    let others = files.line(folder + "available_clocksource") ?? source
    guard ["tsc", "arch_sys_counter"].contains(source) else {
      return .warn(
        "clock-source", "\(source), of \(others)",
        others.contains("tsc")
          ? "echo tsc > \(folder)current_clocksource"
          : "the kernel does not trust the TSC: see 'dmesg | grep -i tsc'")
    }
    let flags = Set(files.cpuInfo(field: "flags")?.split(separator: " ").map(String.init) ?? [])
    let missing = ["constant_tsc", "nonstop_tsc"].filter { !flags.contains($0) }
    guard source == "tsc", !flags.isEmpty, !missing.isEmpty else {
      return .ok("clock-source", source)
    }
    return .warn(
      "clock-source", "\(source), without \(missing.joined(separator: " and "))",
      "its rate may change with frequency or sleep: fix the frequency and switch idle states off")
  }

  private func stolenTime() -> HostFinding {
    guard let words = files.line("/proc/stat")?.split(separator: " "), words.first == "cpu",
      words.count > 8
    else { return .unknown("steal-time", "the host does not tell") }
    // user nice system idle iowait irq softirq steal; guest times are in user already (proc(5)).
    let ticks = words[1...8].compactMap { UInt64($0) }
    let total = ticks.reduce(0, +)
    guard ticks.count == 8, total > 0 else {
      return .unknown("steal-time", "the host does not tell")
    }
    let thousandths = ticks[7] * 100_000 / total
    let fact = "\(Self.thousandths(thousandths)) % since it started"
    return thousandths < 50
      ? .ok("steal-time", fact)
      : .warn(
        "steal-time", fact,
        "the hypervisor ran others instead of us: ask for dedicated CPUs, or raise --launches")
  }

  private func load() -> HostFinding {
    guard let words = files.line("/proc/loadavg")?.split(separator: " "), let minute = words.first,
      let load = Double(minute)
    else { return .unknown("load", "the host does not tell") }
    let fact = "\(minute) over the last minute, on \(cpus.count) CPUs"
    return load < 0.5
      ? .ok("load", fact)
      : .warn("load", fact, "something else runs here: stop it, or give it other CPUs (taskset)")
  }

  /// 1,234 → "1.234".
  static func thousandths(_ value: UInt64) -> String {
    let places = String(value % 1_000)
    return "\(value / 1_000)." + String(repeating: "0", count: 3 - places.count) + places
  }
}
