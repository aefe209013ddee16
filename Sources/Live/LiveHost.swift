import CLive
import CPlatform
import Glibc
import Measurement

/// What this host has for live runs, asked and never assumed.
package struct LiveHost: Sendable {
  /// Names and values for a run record: which KVM, its parameters that change the paths measured here.
  package var facts: [(name: String, value: String)]
  /// The longest halt poll, ns, as the host has it; nil if it does not say.
  package var haltPollNanoseconds: UInt64?

  static let armAbsence = LiveAbsence(
    "live",
    "untested on arm64: the interrupt controller and its messages are written, a guest is not "
      + "assembled; see Sources/Manual/Explanation/LiveOnArm.md")

  /// - Throws: `LiveError.absent` with the part that is missing.
  package static func open() throws(LiveError) -> LiveHost {
    #if arch(arm64)
      throw .absent(armAbsence)
    #elseif !arch(x86_64)
      throw .absent(LiveAbsence("live", "no live guest is known for this architecture"))
    #else
      guard CycleClock.shared.source == "tsc" else {
        throw .absent(
          LiveAbsence(
            "live",
            "the guest stamps with the TSC, and the clock here is "
              + CycleClock.shared.source))
      }
      let opened = CLive_open()
      guard opened >= 0 else { throw .absent(LiveAbsence("live", refusal(-opened))) }
      let kvm = Descriptor(opened)
      let version = CLive_apiVersion(kvm.number)
      guard version == 12 else {
        throw .absent(LiveAbsence("live", "/dev/kvm speaks API version \(version), not 12"))
      }
      for (name, capability) in required {
        guard CLive_extension(kvm.number, capability) > 0 else {
          throw .absent(LiveAbsence("live", "this KVM has no \(name)"))
        }
      }
      return LiveHost(
        facts: parameters(), haltPollNanoseconds: number("kvm/parameters/halt_poll_ns"))
    #endif
  }

  private static let required: [(String, Int32)] = [
    ("KVM_CAP_IRQCHIP", KVM_CAP_IRQCHIP), ("KVM_CAP_IRQFD", KVM_CAP_IRQFD),
    ("KVM_CAP_IRQ_ROUTING", KVM_CAP_IRQ_ROUTING), ("KVM_CAP_SIGNAL_MSI", KVM_CAP_SIGNAL_MSI),
    ("KVM_CAP_IMMEDIATE_EXIT", KVM_CAP_IMMEDIATE_EXIT),
    ("KVM_CAP_HALT_POLL", KVM_CAP_HALT_POLL),
  ]

  private static func refusal(_ code: Int32) -> String {
    switch code {
    case ENOENT: "/dev/kvm is not there: no KVM, or no nested virtualization"
    case EACCES, EPERM: "/dev/kvm may not be opened by this user; join its group (often kvm)"
    default: "/dev/kvm cannot be opened: \(reason(ofError: code))"
    }
  }

  /// Modules that can stand behind /dev/kvm, and parameters that change the paths of an interrupt.
  static let modules = ["kvm_amd", "kvm_intel", "kvm_pvm"]
  private static let names = [
    "kvm_amd/parameters/avic", "kvm_intel/parameters/enable_apicv",
    "kvm/parameters/halt_poll_ns", "kvm/parameters/halt_poll_ns_grow",
    "kvm/parameters/halt_poll_ns_shrink",
  ]

  private static func parameters() -> [(name: String, value: String)] {
    let loaded = modules.filter { isThere("/sys/module/\($0)") }
    var facts = [("kvm-module", loaded.isEmpty ? "unknown" : loaded.joined(separator: "+"))]
    for name in names {
      guard let value = SystemFiles().line("/sys/module/\(name)") else { continue }
      facts.append((name.replacing("/parameters/", with: "."), value))
    }
    return facts
  }

  private static func number(_ name: String) -> UInt64? {
    SystemFiles().line("/sys/module/\(name)").flatMap { UInt64($0) }
  }

  static func isThere(_ path: String) -> Bool {
    // Safety: the path is NUL-terminated for the call.
    unsafe access(path, F_OK) == 0
  }
}
