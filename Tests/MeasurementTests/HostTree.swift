import Foundation

@testable import Measurement

/// A /proc and /sys of a test's own.
struct HostTree {
  let root: String
  var files: SystemFiles { SystemFiles(root: root) }

  /// - Parameter files: path below the root → content.
  static func use<R>(_ files: [String: String], _ body: (HostTree) throws -> R) throws -> R {
    let root = NSTemporaryDirectory() + "/doorbell-host-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    for (path, content) in files {
      let place = URL(fileURLWithPath: root + path)
      try FileManager.default.createDirectory(
        at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data((content + "\n").utf8).write(to: place)
    }
    return try body(HostTree(root: root))
  }

  func findings(_ cpus: [Int] = [2, 3]) -> [String: HostFinding] {
    let found = HostExamination(files, cpus: cpus).findings()
    return Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0) })
  }

  private static let cpu = "/sys/devices/system/cpu"

  /// A server that is set up for measuring on CPUs 2 and 3.
  static var quiet: [String: String] {
    var files = [
      "/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu constant_tsc nonstop_tsc",
      "/proc/cmdline": "quiet isolcpus=managed_irq,domain,2-3 nohz_full=2-3",
      "/proc/loadavg": "0.02 0.10 0.11 1/300 4711",
      "/proc/stat": "cpu  100 0 100 100000 0 0 0 0 0 0\ncpu0 1 2 3",
      "/proc/irq/24/effective_affinity_list": "0",
      "/proc/irq/24/smp_affinity_list": "0-3",
      "/proc/irq/30/smp_affinity_list": "2-3",
      "/proc/interrupts": """
                CPU0       CPU1       CPU2       CPU3
       24:       1000          0          0          0  ITS-MSI 0 Edge nvme0q0
       30:          0          0          0          0  ITS-MSI 1 Edge nvme0q1
      LOC:       5000       5000       5000       5000  Local timer interrupts
      """,
      "/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc",
      "/sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet acpi_pm",
      "/sys/fs/cgroup/cpu.max": "max 100000",
      "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
      "\(cpu)/online": "0-3",
      "\(cpu)/intel_pstate/no_turbo": "1",
      "\(cpu)/smt/active": "0",
      "\(cpu)/smt/control": "off",
      "\(cpu)/cpuidle/current_driver": "intel_idle",
    ]
    for number in 0...3 {
      files["\(cpu)/cpu\(number)/cpufreq/scaling_governor"] = "performance"
      files["\(cpu)/cpu\(number)/topology/thread_siblings_list"] = "\(number)"
      for (state, name, latency, disable) in [
        (0, "POLL", 0, 0), (1, "C1", 2, 0), (2, "C6", 133, 1),
      ] {
        let folder = "\(cpu)/cpu\(number)/cpuidle/state\(state)"
        files[folder + "/name"] = name
        files[folder + "/latency"] = "\(latency)"
        files[folder + "/disable"] = "\(disable)"
      }
    }
    return files
  }
}
