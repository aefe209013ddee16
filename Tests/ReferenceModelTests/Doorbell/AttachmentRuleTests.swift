import ReferenceModel
import Testing

/// The whole matrix: policy × who attaches × what firmware says.
@Suite struct AttachmentRuleTests {
  enum Firmware: CaseIterable { case nothing, fixed, remappable }

  /// Flags of an RMR node beside "remap permitted": privileged, memory attributes. None has a say.
  static let otherFlags: [UInt32] = [0, 2, 5 << 2, 5 << 2 | 2]

  static func memory(_ firmware: Firmware, _ others: UInt32) -> IORT.ReservedMemory? {
    guard firmware != .nothing else { return nil }
    return IORT.ReservedMemory(
      flags: others | (firmware == .remappable ? 1 : 0),
      descriptors: [.init(base: 0x0800_0000, length: 0x10_0000)])
  }

  static let yes = AttachmentRule.Verdict.allowed
  static let mute = AttachmentRule.Verdict.allowedWithoutDoorbell
  static let no = AttachmentRule.Verdict.refused(.directRegion)

  /// Rows: firmware says nothing, fixed, remappable. Columns: host driver, VFIO in host, in guest.
  static let matrix: [(DoorbellPolicy, [[AttachmentRule.Verdict]])] = [
    (.linuxWindow, [[yes, yes, yes], [yes, no, no], [yes, yes, yes]]),
    (.linuxIdentity, [[yes, yes, mute], [yes, no, no], [yes, yes, mute]]),
    (
      .nestedDoorbell(virtualPage: 0x0809_0000),
      [[yes, yes, yes], [yes, no, no], [yes, yes, yes]]
    ),
    (.x86, [[yes, yes, yes], [yes, no, no], [yes, yes, yes]]),
  ]

  @Test(arguments: matrix)
  func theMatrixHolds(policy: DoorbellPolicy, expected: [[AttachmentRule.Verdict]]) {
    for (row, firmware) in Firmware.allCases.enumerated() {
      for (column, attachment) in AttachmentRule.Attachment.allCases.enumerated() {
        for others in Self.otherFlags {
          let rule = AttachmentRule(
            policy, attachment, reservedMemory: Self.memory(firmware, others))
          #expect(rule.verdict == expected[row][column], "\(firmware), \(attachment)")
          let blind = AttachmentRule(
            policy, attachment, reservedMemory: Self.memory(firmware, others),
            guestHasIOMMU: false)
          #expect(
            blind.verdict
              == (attachment == .vfioInGuest ? .refused(.noIOMMU) : expected[row][column]))
        }
      }
    }
  }

  /// 12 allowed by the default domain, 8 + 8 by iommufd, 8 refused by the core.
  @Test func eachVerdictNamesItsFunction() {
    var functions: [String: Int] = [:]
    for (policy, _) in Self.matrix {
      for firmware in Firmware.allCases {
        for attachment in AttachmentRule.Attachment.allCases {
          let rule = AttachmentRule(policy, attachment, reservedMemory: Self.memory(firmware, 0))
          functions[rule.linuxFunction, default: 0] += 1
        }
      }
    }
    #expect(
      functions == [
        "iommu_create_device_direct_mappings": 12, "iopt_table_enforce_dev_resv_regions": 16,
        "__iommu_device_set_domain": 8,
      ])
    let blind = AttachmentRule(.linuxWindow, .vfioInGuest, guestHasIOMMU: false)
    #expect(blind.linuxFunction == "vfio_group_find_or_alloc")
  }

  /// The sentence of the argument: VFIO will not work inside guests with an RMR-described doorbell,
  /// and works as before outside.
  @Test func onlyAssignmentFromWithinTheGuestIsLostToTheIdentityWindow() {
    let window = Self.memory(.fixed, 0)
    #expect(AttachmentRule(.linuxIdentity, .vfioInHost).verdict == .allowed)
    #expect(
      AttachmentRule(.linuxIdentity, .vfioInGuest, reservedMemory: window).verdict
        == .refused(.directRegion))
    #expect(
      AttachmentRule(.nestedDoorbell(virtualPage: 0x0809_0000), .vfioInGuest).verdict == .allowed)
  }
}
