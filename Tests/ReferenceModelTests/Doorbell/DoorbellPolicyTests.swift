import EventModel
import ReferenceModel
import Testing

@Suite struct DoorbellPolicyTests {
  static let all: [DoorbellPolicy] = [
    .linuxWindow, .linuxIdentity, .nestedDoorbell(virtualPage: 0x0809_0000), .x86,
  ]

  @Test func eachPolicySaysWhoChoosesAndWhatTranslates() {
    #expect(Self.all.map(\.usesStage1) == [true, true, true, false])
    #expect(Self.all.map(\.usesStage2) == [false, true, true, false])
    #expect(Self.all.map(\.addressAuthor) == [.host, .guest, .guest, .hardware])
    #expect(
      Self.all.map { $0.reservedRegions.map(\.kind) }
        == [[.softwareMSI], [.direct], [], [.hardwareMSI]])
  }

  @Test func pathsDifferInWhoTranslatesWhat() {
    let page: UInt64 = 0x6_0800_0000
    #expect(
      DoorbellPolicy.linuxWindow.path(to: page, index: 2)
        == .init(iova: 0x0800_2000, ipa: nil, pa: page))
    #expect(
      DoorbellPolicy.linuxIdentity.path(to: page)
        == .init(iova: 0x0800_0000, ipa: 0x0800_0000, pa: page))
    #expect(
      Self.all[2].path(to: page, guestIOVA: 0xFFFF_F000)
        == .init(iova: 0xFFFF_F000, ipa: 0x0809_0000, pa: page))
    #expect(Self.all[2].path(to: page) == nil, "the guest has not mapped its doorbell yet")
    #expect(DoorbellPolicy.x86.path(to: page) == nil)
  }

  @Test func windowHoldsAMebibyteOfPages() {
    #expect(DoorbellPolicy.linuxWindow.path(to: 0, index: 255)?.iova == 0x080F_F000)
    #expect(DoorbellPolicy.linuxWindow.path(to: 0, index: 256) == nil)
    #expect(
      DoorbellPolicy.linuxWindow.path(to: 0, index: 15, log2PageBytes: 16)?.iova == 0x080F_0000)
    #expect(DoorbellPolicy.linuxWindow.path(to: 0, index: 16, log2PageBytes: 16) == nil)
  }

  @Test func onlyReservedHardwareInterceptsWrites() {
    for (address, hit) in [
      (0xFEDF_FFFF, false), (0xFEE0_0000, true), (0xFEEF_FFFF, true), (0xFEF0_0000, false),
    ] as [(UInt64, Bool)] {
      #expect(DoorbellPolicy.x86.intercepts(address) == hit)
      #expect(Self.all.dropLast().allSatisfy { !$0.intercepts(address) })
    }
  }

  /// The same doorbell, reached by the three translated policies through real tables.
  @Test(arguments: [0, 1, 2])
  func translatedPathsReachTheITSPage(index: Int) throws {
    let pa: UInt64 = 0x6_0800_0000
    let path = try #require(Self.all[index].path(to: pa, guestIOVA: 0xFFFF_F000))
    var plan: Stage2Plan?
    if let ipa = path.ipa {
      plan = Stage2Plan()
      plan?.doorbells = [.init(ipa: ipa, pa: pa)]
    }
    var smmu = try SMMUReplayTests.machine(nesting: plan)
    try smmu.map(SMMUReplayTests.page(path.iova, path.ipa ?? path.pa, 0x60_0000_0000_0E4B))
    let result = smmu.translate(streamID: 8, address: path.iova + 0x40, access: .write)
    #expect(result.address == pa + 0x40)
    #expect((result.work.stage2Reads > 0) == Self.all[index].usesStage2)
  }
}
