import Glibc
import Measurement

/// Whether `direct` can run live: a device that Doorbell may program, behind an IOMMU that posts its
/// interrupts to a vCPU. It needs three parts, and each that is missing is named. Where all are there it is
/// still not run: Doorbell has no driver that would make such a device interrupt, and an eventfd in its
/// place would be `eventfd` under another name.
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

  /// Whether KVM lets the processor deliver to a vCPU that runs, without an exit. Then `eventfd` with a
  /// running vCPU takes that path, too.
  package var processorPosts: Bool { ["Y", "1"].contains(postingParameter) }

  package var absence: LiveAbsence {
    var missing: [String] = []
    if !processorPosts {
      if let module = postingModule, let value = postingParameter {
        missing.append("\(module) is \(value)")
      } else {
        missing.append("no module with avic or enable_apicv is loaded")
      }
    }
    if iommuGroups == 0 { missing.append("no IOMMU group is in /sys/kernel/iommu_groups") }
    if !hasVFIO { missing.append("/dev/vfio/vfio is not there") }
    if missing.isEmpty {
      missing.append("Doorbell drives no physical device that could interrupt")
    }
    return LiveAbsence(
      "direct", "posted delivery needs a device behind an IOMMU; " + missing.joined(separator: "; ")
    )
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
