/// Whose interrupt hardware a design runs on.
package enum Architecture: String, Sendable, CaseIterable {
  /// SMMUv3 and an ITS that knows physical entries only.
  case armGICv3 = "arm-gicv3"
  /// The same with virtual entries (vLPIs).
  case armGICv4 = "arm-gicv4"
  /// VT-d interrupt remapping and posting.
  case x86Intel = "x86-intel"
  /// AMD interrupt remapping with guest mode (AVIC).
  case x86AMD = "x86-amd"
  /// SMMUv3 and the ITS of GICv5, whose tables are in memory.
  case gicv5
}
