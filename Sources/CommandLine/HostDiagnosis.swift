import History
import Measurement

/// What is said of the host, in a form that can be kept.
struct HostDiagnosis: Codable {
  /// Of this document.
  var version = 1
  var findings: [RunRecord.Finding]
  /// One per CPU that was probed.
  var noise: [Noise] = []

  struct Noise: Codable {
    var cpu: Int
    var nanoseconds: UInt64
    var readings: UInt64
    /// Gaps by the class that they belong to, at least so many nanoseconds long.
    var gaps: [Class]
    var longestNanoseconds: UInt64
    var lostNanoseconds: UInt64

    struct Class: Codable {
      var fromNanoseconds: UInt64
      var count: UInt64
    }
  }

  /// This host.
  ///
  /// - Parameter probeNanoseconds: for each of two CPUs.
  static func here(probeNanoseconds: UInt64) -> HostDiagnosis {
    let probes = NoiseProbe.run(cpuCount: 2, nanoseconds: probeNanoseconds)
    let examination = HostExamination(SystemFiles(), cpus: ThreadPlacement.allowedCPUs)
    return HostDiagnosis(
      findings: (examination.findings() + [ProcessorCounters.finding(), NoiseProbe.finding(probes)])
        .map { .init($0) },
      noise: probes.map { .init($0) })
  }

  /// A host whose /proc and /sys lie below `root`: facts only.
  static func of(root: String) -> HostDiagnosis {
    let files = SystemFiles(root: root)
    let examination = HostExamination(files, cpus: HostExamination.onlineCPUs(files))
    return HostDiagnosis(findings: examination.findings().map { .init($0) })
  }
}

extension RunRecord {
  /// Keeps what this host is like, and warns of it. 20 ms.
  mutating func diagnose() {
    let found = HostDiagnosis.here(probeNanoseconds: 10_000_000).findings
    findings = found
    if let warning = Self.warning(of: found) { warnings.append(warning) }
  }
}

extension RunRecord.Finding {
  init(_ finding: HostFinding) {
    let state: State =
      switch finding.state {
      case .ok: .ok
      case .warn: .warn
      case .unknown: .unknown
      }
    self.init(name: finding.name, fact: finding.fact, state: state, advice: finding.advice)
  }
}

extension HostDiagnosis.Noise {
  init(_ probe: NoiseProbe) {
    self.init(
      cpu: probe.cpu, nanoseconds: probe.nanoseconds, readings: probe.readings,
      gaps: zip(NoiseProbe.classes, probe.gaps).map { .init(fromNanoseconds: $0, count: $1) },
      longestNanoseconds: probe.longestNanoseconds, lostNanoseconds: probe.lostNanoseconds)
  }
}
