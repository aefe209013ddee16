// Frequency, idle states, sibling threads, memory: how fast a CPU is from one moment to the next.

extension HostExamination {
  /// CPUs by the content of a file of theirs; those without it are left out.
  private func values(_ name: String) -> [(value: String, cpus: [Int])] {
    var values: [String: [Int]] = [:]
    for cpu in cpus {
      if let value = files.line("\(cpuFolder)/cpu\(cpu)/\(name)") {
        values[value, default: []].append(cpu)
      }
    }
    return values.map { ($0.key, $0.value) }.sorted { $0.cpus[0] < $1.cpus[0] }
  }

  func governor() -> HostFinding {
    let governors = values("cpufreq/scaling_governor")
    guard !governors.isEmpty else {
      return .unknown(
        "governor", "no frequency governor: firmware or hypervisor decides",
        "set the performance profile there")
    }
    let fact = governors.map { "\($0.value) on CPUs \(SystemFiles.list($0.cpus))" }
      .joined(separator: ", ")
    return governors.allSatisfy { $0.value == "performance" }
      ? .ok("governor", fact)
      : .warn("governor", fact, "cpupower frequency-set -g performance")
  }

  /// Turbo makes a CPU's speed depend on what the others do and how warm they are.
  func turbo() -> HostFinding {
    let intel = "\(cpuFolder)/intel_pstate/no_turbo"
    let boost = "\(cpuFolder)/cpufreq/boost"
    if let value = files.number(intel) {
      return value == 1
        ? .ok("turbo", "off") : .warn("turbo", "on", "echo 1 > \(intel)")
    }
    guard let value = files.number(boost) else {
      return .unknown(
        "turbo", "the host does not tell",
        "switch turbo off in firmware, or where the hypervisor is")
    }
    return value == 0 ? .ok("turbo", "off") : .warn("turbo", "on", "echo 0 > \(boost)")
  }

  /// A sleeping CPU takes so long to come back: it is in every wake-up that is measured.
  func idleStates() -> HostFinding {
    var deep: [(name: String, microseconds: Int)] = []
    var hasStates = false
    for cpu in cpus {
      let folder = "\(cpuFolder)/cpu\(cpu)/cpuidle"
      for state in files.names(in: folder) where state.hasPrefix("state") {
        hasStates = true
        guard files.number("\(folder)/\(state)/disable") != 1,
          let latency = files.number("\(folder)/\(state)/latency"),
          latency > Self.shallowMicroseconds
        else { continue }
        deep.append((files.line("\(folder)/\(state)/name") ?? state, latency))
      }
    }
    let driver = files.line("\(cpuFolder)/cpuidle/current_driver").map { "driver \($0)" }
    guard let deepest = deep.max(by: { $0.microseconds < $1.microseconds }) else {
      return .ok(
        "c-states",
        (hasStates ? "none that takes over \(Self.shallowMicroseconds) µs to leave" : "none shown")
          + (driver.map { ", \($0)" } ?? ""))
    }
    return .warn(
      "c-states", "\(deepest.name) takes \(deepest.microseconds) µs to leave",
      "cpupower idle-set -D \(Self.shallowMicroseconds), or boot with processor.max_cstate=1")
  }

  /// C1 of servers is left in 1…2 µs, and deeper ones in tens to hundreds (intel_idle's tables).
  private static let shallowMicroseconds = 2

  /// Two of the CPUs that are one core share its units: each is slower while the other works.
  func threads() -> HostFinding {
    let siblings = values("topology/thread_siblings_list").compactMap {
      SystemFiles.cpus($0.value)?.filter(cpus.contains)
    }.filter { $0.count > 1 }
    let control = files.line("\(cpuFolder)/smt/control")
    guard files.number("\(cpuFolder)/smt/active") == 1 || !siblings.isEmpty else {
      return control == nil && values("topology/thread_siblings_list").isEmpty
        ? .unknown("smt", "the host does not tell") : .ok("smt", "no two CPUs share a core")
    }
    guard let pair = siblings.first else {
      return .warn(
        "smt", "on: other threads share the cores of CPUs \(SystemFiles.list(cpus))",
        "echo off > \(cpuFolder)/smt/control")
    }
    return .warn(
      "smt", "CPUs \(SystemFiles.list(pair)) are one core",
      "echo off > \(cpuFolder)/smt/control, or allow one thread of each core with taskset")
  }

  /// khugepaged moves the memory of a process that it finds worth it, while that is measured.
  func hugePages() -> HostFinding {
    let file = "/sys/kernel/mm/transparent_hugepage/enabled"
    guard let line = files.line(file) else { return .unknown("thp", "the host does not tell") }
    let chosen = line.split(separator: " ").first { $0.hasPrefix("[") }?.dropFirst().dropLast()
    return chosen == "always"
      ? .warn("thp", "always", "echo madvise > \(file)") : .ok("thp", String(chosen ?? line[...]))
  }
}
