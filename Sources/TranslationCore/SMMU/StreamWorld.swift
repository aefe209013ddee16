/// Whose translations a stream's are (IHI 0070, §3.3.3): part of every TLB tag. Secure and Realm
/// worlds are not modelled.
enum StreamWorld: UInt8, BitwiseCopyable, Sendable {
  /// EL1&0, tagged with VMID and ASID.
  case nsEL1
  /// EL2 without ASIDs.
  case el2
  /// EL2&0, tagged with ASID.
  case el2E2H

  /// Whether unprivileged accesses are told from privileged ones.
  var hasPrivilege: Bool { self != .el2 }
}
