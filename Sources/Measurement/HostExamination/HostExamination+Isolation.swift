// Who else may run on the CPUs that are measured on: tasks, timers, interrupts.

extension HostExamination {
  func isolation() -> HostFinding {
    let options = files.line("/proc/cmdline")?.split(separator: " ") ?? []
    func cpus(_ file: String, _ option: String) -> Set<Int> {
      if let list = files.line("\(cpuFolder)/\(file)").flatMap(SystemFiles.cpus) {
        return Set(list)
      }
      let value = options.last { $0.hasPrefix(option + "=") }?.dropFirst(option.count + 1)
      // isolcpus= may begin with flags: "managed_irq,domain,2-5".
      let parts = value?.split(separator: ",").filter { $0.first?.isNumber == true } ?? []
      return Set(SystemFiles.cpus(parts.joined(separator: ",")) ?? [])
    }
    let isolated = cpus("isolated", "isolcpus")
    let tickless = cpus("nohz_full", "nohz_full")
    let missing = [
      ("isolcpus", self.cpus.filter { !isolated.contains($0) }),
      ("nohz_full", self.cpus.filter { !tickless.contains($0) }),
    ].filter { !$0.1.isEmpty }
    guard !missing.isEmpty else {
      return .ok("isolation", "CPUs \(SystemFiles.list(self.cpus)) are isolated and tickless")
    }
    return .warn(
      "isolation",
      missing.map { "no \($0.0) for CPUs \(SystemFiles.list($0.1))" }.joined(separator: ", "),
      "boot with isolcpus=LIST nohz_full=LIST rcu_nocbs=LIST, all but one CPU or two in LIST, and "
        + "measure there: taskset -c LIST doorbell …")
  }

  /// Interrupts that have arrived and may arrive on these CPUs.
  func interrupts() -> HostFinding {
    let folder = "/proc/irq"
    let measured = Set(cpus)
    let arrived = arrivedInterrupts()
    var here: [String] = []
    var known = 0
    for name in files.names(in: folder) {
      guard let number = Int(name) else { continue }
      let file =
        files.line("\(folder)/\(name)/effective_affinity_list")
        ?? files.line("\(folder)/\(name)/smp_affinity_list")
      guard let list = file.flatMap(SystemFiles.cpus) else { continue }
      known += 1
      if !measured.isDisjoint(with: list), arrived?.contains(number) ?? true { here.append(name) }
    }
    guard known > 0 else { return .unknown("irq-affinity", "the host does not tell") }
    guard !here.isEmpty else {
      return .ok("irq-affinity", "no device interrupt comes to CPUs \(SystemFiles.list(cpus))")
    }
    let others = HostExamination.onlineCPUs(files).filter { !measured.contains($0) }
    return .warn(
      "irq-affinity",
      "\(here.count) device interrupts come to CPUs \(SystemFiles.list(cpus)): "
        + here.prefix(6).joined(separator: " ") + (here.count > 6 ? " …" : ""),
      others.isEmpty
        ? "every CPU is measured on: allow fewer (taskset), so that one is left for interrupts"
        : "stop irqbalance, and echo \(SystemFiles.list(others)) > \(folder)/N/smp_affinity_list")
  }

  /// Numbers of device interrupts that came at least once; nil if the host does not tell.
  private func arrivedInterrupts() -> Set<Int>? {
    guard let text = files.text("/proc/interrupts") else { return nil }
    var arrived: Set<Int> = []
    for line in text.split(separator: "\n").dropFirst() {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      guard let head = words.first, head.hasSuffix(":"), let number = Int(head.dropLast()) else {
        continue
      }
      let counts = words.dropFirst().prefix { $0.allSatisfy(\.isNumber) }
      if counts.contains(where: { $0 != "0" }) { arrived.insert(number) }
    }
    return arrived
  }
}
