import Glibc
import Measurement

/// Whether `direct` can run live: whether KVM lets the processor post an interrupt to a vCPU that runs,
/// without an exit (APICv, AVIC). The parameter alone does not prove it, because KVM can suspend posting for
/// a VM, so a probe must show it. Its source is still an eventfd: Doorbell has no driver that would make a
/// device behind an IOMMU interrupt, and says so beside the figures.
package struct DirectAvailability: Hashable, Sendable {
  /// "kvm_amd.avic = N", or that no module with such a parameter is loaded.
  var postingModule: String?
  var postingParameter: String?
  var iommuGroups: Int
  var hasVFIO: Bool

  /// Asks this host.
  package static func ofThisHost() -> DirectAvailability {
    let parameters = [("kvm_amd", "avic"), ("kvm_intel", "enable_apicv")]
    for (module, name) in parameters {
      guard let value = SystemFiles().line("/sys/module/\(module)/parameters/\(name)") else {
        continue
      }
      return DirectAvailability(
        postingModule: "\(module).\(name)", postingParameter: value, iommuGroups: groupCount(),
        hasVFIO: LiveHost.isThere("/dev/vfio/vfio"))
    }
    return DirectAvailability(
      iommuGroups: groupCount(), hasVFIO: LiveHost.isThere("/dev/vfio/vfio"))
  }

  init(
    postingModule: String? = nil, postingParameter: String? = nil, iommuGroups: Int, hasVFIO: Bool
  ) {
    self.postingModule = postingModule
    self.postingParameter = postingParameter
    self.iommuGroups = iommuGroups
    self.hasVFIO = hasVFIO
  }

  /// Whether the parameter says that KVM posts.
  package var processorPosts: Bool { ["Y", "1"].contains(postingParameter) }

  /// What is missing; nil where a probe is worth while.
  package var absence: LiveAbsence? {
    guard !processorPosts else { return nil }
    let parameter =
      postingModule.map { "\($0) is \(postingParameter ?? "unknown")" }
      ?? "no module with avic or enable_apicv is loaded"
    return LiveAbsence(
      "direct",
      ([parameter + ", so that KVM does not post to a running vCPU"] + missingParts)
        .joined(separator: "; "))
  }

  /// Parts that a device would need to post past the kernel.
  private var missingParts: [String] {
    (iommuGroups == 0 ? ["no IOMMU group is in /sys/kernel/iommu_groups"] : [])
      + (hasVFIO ? [] : ["/dev/vfio/vfio is not there"])
  }

  /// Below this many exits an interrupt, delivery is posted: it needs none, and the host's own timer causes
  /// some. Injection needs one at least.
  private static let exitLimit = 0.5

  /// What a probe of a running vCPU says against posting; nil if it was posted.
  package func absence(afterProbe exitsPerInterrupt: Double?) -> LiveAbsence? {
    let parameter = "\(postingModule ?? "posting") is \(postingParameter ?? "unknown")"
    guard let exits = exitsPerInterrupt else {
      return LiveAbsence(
        "direct", parameter + ", but this KVM does not count exits, which would show that it posted"
      )
    }
    guard exits >= Self.exitLimit else { return nil }
    let hundredths = Int(exits * 100 + 0.5)
    let shown = "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
    return LiveAbsence(
      "direct",
      parameter
        + ", but a running vCPU left guest mode \(shown) times an interrupt: KVM did not post")
  }

  /// Stands beside the figures of `direct`.
  package var note: String {
    "direct: posted by the processor (\(postingModule ?? "posting")); the source is an eventfd, no device: "
      + (missingParts.isEmpty
        ? "Doorbell drives none that could interrupt" : missingParts.joined(separator: "; "))
  }

  private static func groupCount() -> Int {
    // Safety: the path is NUL-terminated; the folder is closed once.
    guard let folder = unsafe opendir("/sys/kernel/iommu_groups") else { return 0 }
    defer { unsafe closedir(folder) }
    var count = 0
    while let entry = unsafe readdir(folder) {
      // Names of groups are numbers; the two others begin with a dot.
      if unsafe entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
    }
    return count
  }
}
