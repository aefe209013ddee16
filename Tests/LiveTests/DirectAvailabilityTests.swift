import Testing

@testable import Live

@Suite struct DirectAvailabilityTests {
  private static let posting = DirectAvailability(
    postingModule: "kvm_intel.enable_apicv", postingParameter: "Y", iommuGroups: 0, hasVFIO: true)

  @Test func everyPartThatIsMissingHasItsName() throws {
    let bare = try #require(DirectAvailability(iommuGroups: 0, hasVFIO: false).absence).description
    for part in ["direct: not available", "avic or enable_apicv", "iommu_groups", "/dev/vfio"] {
      #expect(bare.contains(part), "\(bare)")
    }
    let off = DirectAvailability(
      postingModule: "kvm_amd.avic", postingParameter: "N", iommuGroups: 3, hasVFIO: true)
    #expect(try #require(off.absence).reason.hasPrefix("kvm_amd.avic is N,"))
    #expect(!(try #require(off.absence).reason.contains("iommu_groups")))
  }

  @Test(arguments: ["Y", "1"]) func aParameterThatIsOnAsksForAProbe(value: String) {
    let on = DirectAvailability(
      postingModule: "kvm_amd.avic", postingParameter: value, iommuGroups: 0, hasVFIO: false)
    #expect(on.processorPosts && on.absence == nil)
  }

  /// A host's timer makes some exits; an injected interrupt makes one at least.
  @Test(
    arguments: [
      (0.0, nil), (0.2, nil), (0.49, nil), (0.5, "0.50 times"), (1.0, "1.00 times"),
      (5.808, "5.81 times"),
    ] as [(Double, String?)])
  func exitsDecide(exits: Double, part: String?) throws {
    let absence = Self.posting.absence(afterProbe: exits)
    guard let part else {
      #expect(absence == nil)
      return
    }
    #expect(try #require(absence).reason.contains(part))
    #expect(try #require(absence).reason.contains("kvm_intel.enable_apicv is Y"))
  }

  @Test func withoutACountOfExitsNothingIsClaimed() throws {
    let absence = try #require(Self.posting.absence(afterProbe: nil))
    #expect(absence.reason.contains("does not count exits"))
  }

  @Test func theNoteSaysWhatTheSourceIs() {
    #expect(Self.posting.note.contains("an eventfd, no device: no IOMMU group"))
    let whole = DirectAvailability(
      postingModule: "kvm_amd.avic", postingParameter: "1", iommuGroups: 2, hasVFIO: true)
    #expect(whole.note.hasSuffix("Doorbell drives none that could interrupt"))
  }
}
