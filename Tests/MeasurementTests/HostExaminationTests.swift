import Testing

@testable import Measurement

/// What the doctor makes of a host, on trees of files.
@Suite struct HostExaminationTests {
  static let names = [
    "cpus", "cpu-quota", "virtualization", "clock-source", "governor", "turbo", "c-states", "smt",
    "isolation", "irq-affinity", "thp", "steal-time", "load",
  ]
  private static let cpu = "/sys/devices/system/cpu"

  @Test func nothingStandsAgainstAQuietServer() throws {
    try HostTree.use(HostTree.quiet) { tree in
      let found = HostExamination(tree.files, cpus: [2, 3]).findings()
      #expect(found.map(\.name) == Self.names)
      for finding in found {
        #expect(finding.state == .ok, "\(finding)")
        #expect(finding.advice == nil, "\(finding)")
      }
    }
  }

  /// One file that is otherwise, the finding that it changes, and words of its fact and advice.
  static let faults: [(path: String, content: String, name: String, fact: String, advice: String)] =
    [
      ("/sys/fs/cgroup/cpu.max", "50000 100000", "cpu-quota", "50000 µs", "cpu.max"),
      (
        "/proc/cpuinfo", "flags\t: hypervisor constant_tsc nonstop_tsc", "virtualization",
        "a guest",
        "bare metal"
      ),
      ("/proc/cpuinfo", "flags\t: fpu constant_tsc", "clock-source", "without nonstop_tsc", "idle"),
      (
        "/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet", "clock-source",
        "hpet, of tsc hpet", "echo tsc >"
      ),
      (
        "\(cpu)/cpu3/cpufreq/scaling_governor", "powersave", "governor",
        "performance on CPUs 2, powersave on CPUs 3", "cpupower frequency-set -g performance"
      ),
      ("\(cpu)/intel_pstate/no_turbo", "0", "turbo", "on", "echo 1 > \(cpu)/intel_pstate/no_turbo"),
      ("\(cpu)/cpu2/cpuidle/state2/disable", "0", "c-states", "C6 takes 133 µs", "idle-set -D 2"),
      (
        "\(cpu)/cpu2/topology/thread_siblings_list", "2-3", "smt", "CPUs 2-3 are one core",
        "echo off"
      ),
      ("\(cpu)/smt/active", "1", "smt", "other threads share", "smt/control"),
      (
        "/proc/cmdline", "quiet nohz_full=2-3", "isolation", "no isolcpus for CPUs 2-3", "isolcpus="
      ),
      ("/proc/cmdline", "isolcpus=2-3 nohz_full=3", "isolation", "no nohz_full for CPUs 2", "LIST"),
      (
        "/proc/irq/24/effective_affinity_list", "3", "irq-affinity",
        "1 device interrupts come to CPUs 2-3: 24", "echo 0-1 > /proc/irq/N/smp_affinity_list"
      ),
      (
        "/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never", "thp", "always",
        "echo madvise >"
      ),
      ("/proc/stat", "cpu  10 0 10 1000 0 0 0 30 0 0", "steal-time", "2.857 %", "dedicated"),
      ("/proc/loadavg", "1.75 1 1 3/300 1", "load", "1.75", "taskset"),
    ]

  @Test(arguments: faults) func eachFaultIsFoundAndOnlyIt(
    path: String, content: String, name: String, fact: String, advice: String
  ) throws {
    var files = HostTree.quiet
    files[path] = content
    try HostTree.use(files) { tree in
      let found = tree.findings()
      let finding = try #require(found[name])
      #expect(finding.state == .warn, "\(finding)")
      #expect(finding.fact.contains(fact), "\(finding)")
      #expect(finding.advice?.contains(advice) == true, "\(finding)")
      #expect(found.values.count { $0.state == .warn } == 1)
    }
  }

  @Test func boostOfOtherDriversIsTurboToo() throws {
    var files = HostTree.quiet
    files["\(Self.cpu)/intel_pstate/no_turbo"] = nil
    files["\(Self.cpu)/cpufreq/boost"] = "1"
    try HostTree.use(files) { tree in
      #expect(tree.findings()["turbo"]?.advice == "echo 0 > \(Self.cpu)/cpufreq/boost")
    }
  }

  @Test func oneCPUIsTooFewAndLeavesNoneForInterrupts() throws {
    var files = HostTree.quiet
    files["\(Self.cpu)/online"] = "0"
    try HostTree.use(files) { tree in
      let found = tree.findings([0])
      #expect(found["cpus"]?.state == .warn)
      #expect(found["irq-affinity"]?.advice?.contains("allow fewer") == true)
    }
  }

  @Test func aHostThatTellsNothingIsUnknownAndNotFine() throws {
    try HostTree.use([:]) { tree in
      let found = tree.findings()
      #expect(Set(found.keys) == Set(Self.names))
      for name in [
        "virtualization", "clock-source", "governor", "turbo", "smt", "irq-affinity", "thp",
      ] {
        #expect(found[name]?.state == .unknown, "\(name)")
      }
    }
  }

  /// Whatever stands in the files, there are findings and no trap.
  @Test func garbageInEveryFileIsSurvived() throws {
    for garbage in [
      "", "-", "9-1", ",,,", "cpu cpu", "-1-", "99999999999999999999", "\u{0}\u{1}", "[", "0x",
    ] {
      try HostTree.use(HostTree.quiet.mapValues { _ in garbage }) { tree in
        #expect(Set(tree.findings().keys) == Set(Self.names))
      }
    }
  }

  @Test func listsOfCPUsAreReadAsTheKernelWritesThem() {
    #expect(SystemFiles.cpus("0-3,8") == [0, 1, 2, 3, 8])
    #expect(SystemFiles.cpus("") == [])
    for wrong in ["a", "3-1", "1-2-3", "-1", "1-", "0-99999"] {
      #expect(SystemFiles.cpus(wrong) == nil, "\(wrong)")
    }
    #expect(SystemFiles.list([8, 0, 1, 3, 2]) == "0-3,8")
  }

  /// A clock that stops twice: once for 30 µs and once for 2 ms.
  @Test func theProbeFindsEveryGapAndNothingElse() {
    var time: UInt64 = 0
    let probe = NoiseProbe(
      cpu: 7, until: 10_000_000,
      now: {
        time += time == 500_000 ? 30_000 : time == 5_030_000 ? 2_000_000 : 100
        return time
      }, duration: { $1 - $0 })
    #expect(probe.gaps == [0, 1, 0, 1, 0])
    #expect(probe.longestNanoseconds == 2_000_000)
    #expect(probe.lostNanoseconds == 2_030_000)
    #expect(probe.readings == (10_000_000 - 2_030_000) / 100 + 2)
    let finding = NoiseProbe.finding([probe])
    #expect(finding.state == .warn)
    #expect(
      finding.fact == "2 gaps over 1 µs in 10 ms, longest 2000.000 µs on CPU 7, 20.300 % lost",
      "\(finding.fact)")
    #expect(NoiseProbe.finding([]).state == .unknown)
  }

  @Test func theProbeRunsOnThisHost() {
    let probes = NoiseProbe.run(cpuCount: 2, nanoseconds: 1_000_000)
    #expect(probes.count == min(2, ThreadPlacement.allowedCPUs.count))
    for probe in probes { #expect(probe.nanoseconds >= 1_000_000 && probe.readings > 0) }
  }
}
