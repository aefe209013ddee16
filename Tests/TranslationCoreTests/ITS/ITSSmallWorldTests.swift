import EventModel
import ReferenceModel
import Testing

@testable import TranslationCore

/// Every sequence of a few steps in a GICv4.1 machine of two devices with two events each, two
/// collections, two PEs, two vPEs and two LPIs, which the devices share.
@Suite struct ITSSmallWorldTests {
  private typealias Step = @Sendable (inout ITSPair) -> Void

  private static func command(_ command: ITSCommand) -> Step { { $0.execute(command) } }

  private static func vmapp(_ vPEID: UInt16, pe: UInt64, valid: Bool = true) -> Step {
    command(
      .vmapp(
        .init(
          vPEID: vPEID, rdBase: pe, valid: valid, vptSize: 13,
          vptAddress: 1 << 32 + UInt64(vPEID) << 24, configurationAddress: 1 << 33,
          defaultDoorbell: INTID(8200))))
  }

  /// Event 1 of a device gets the steps that make and unmake it only.
  private static func ofEvent(_ device: DeviceID, _ event: EventID) -> [Step] {
    let lpi = INTID(8192 + event.rawValue)
    let steps = [
      command(.mapti(device, event, pINTID: lpi, icid: 0)),
      command(.vmapti(device, event, vPEID: 0, vINTID: lpi, doorbell: .spurious)),
      command(.discard(device, event)),
    ]
    guard event.rawValue == 0 else { return steps }
    return steps + [
      command(.movi(device, event, icid: 1)),
      command(.vmovi(device, event, vPEID: 1, doorbellValid: true, doorbell: INTID(8201))),
      command(.clear(device, event)), command(.int(device, event)), command(.inv(device, event)),
      { $0.translate(device.rawValue, event.rawValue) },
    ]
  }

  private static let eventSteps: [Step] = [(0, 0), (0, 1), (1, 0), (1, 1)].flatMap {
    ofEvent(DeviceID($0.0), EventID($0.1))
  }

  private static let otherSteps: [Step] = [
    command(.mapd(DeviceID(0), size: 0, ittAddress: 0x4000_0000, valid: true)),
    command(.mapd(DeviceID(0), size: 0, ittAddress: 0, valid: false)),
    command(.mapc(icid: 0, rdBase: 1, valid: true)),
    command(.mapc(icid: 0, rdBase: 0, valid: false)),
    command(.mapc(icid: 1, rdBase: 0, valid: true)),
    command(.movall(from: 0, to: 1)), command(.invall(icid: 0)),
    vmapp(0, pe: 1), vmapp(0, pe: 0, valid: false), vmapp(1, pe: 1),
    command(.vmovp(.init(vPEID: 0, rdBase: 1))), command(.vinvall(vPEID: 0)),
    command(.invdb(vPEID: 0)),
    command(.vsgi(.init(vPEID: 0, sgi: 1, enable: true, priority: 0xA0))),
    { $0.raiseSGI(1, vPE: 0) },
    { $0.write(.vpendbaser, 1 << 63, pe: 0) },
    { $0.write(.vpendbaser, 1 << 62, pe: 0) },
    { $0.write(.vpendbaser, 1 << 61, pe: 0) },
    { $0.write(.ctlr, 0, pe: 1) },
    { $0.write(.ctlr, 1, pe: 1) },
    { $0.store(.pe(0), 8192, configuration: 0xA2) },
    { $0.store(.vpe(0), 8192, configuration: 0xA2) },
    { $0.acknowledge(.pe(0), 8192) },
    { $0.acknowledge(.vpe(0), 8192) },
  ]

  private static let steps = eventSteps + otherSteps

  /// Nothing; a physical and a virtual device; the same, with everything pending, vPE 0 armed and on
  /// its way out.
  private enum Start: CaseIterable { case empty, mapped, pending }

  private static func pair(_ start: Start) -> ITSPair {
    var geometry = ITSPair.geometry
    geometry.peCount = 2
    var pair = ITSPair(ITSRules(version: .v41), geometry)
    guard start != .empty else { return pair }
    pair.execute(.mapc(icid: 0, rdBase: 0, valid: true))
    pair.execute(.mapc(icid: 1, rdBase: 1, valid: true))
    vmapp(0, pe: 0)(&pair)
    vmapp(1, pe: 1)(&pair)
    for device in [DeviceID(0), DeviceID(1)] {
      pair.execute(
        .mapd(device, size: 0, ittAddress: 0x4000_0000 + UInt64(device.rawValue) << 20, valid: true)
      )
      for event in [EventID(0), EventID(1)] {
        let lpi = INTID(8192 + event.rawValue)
        pair.execute(
          device.rawValue == 0
            ? .mapti(device, event, pINTID: lpi, icid: 0)
            : .vmapti(device, event, vPEID: 0, vINTID: lpi, doorbell: .spurious))
      }
    }
    guard start == .pending else { return pair }
    pair.write(.vpendbaser, 1 << 63, pe: 0)
    pair.write(.vpendbaser, 1 << 62, pe: 0)
    raiseAll(&pair)
    return pair
  }

  private static func raiseAll(_ pair: inout ITSPair) {
    for device in 0..<2 as Range<UInt32> {
      for event in 0..<2 as Range<UInt32> { pair.translate(device, event) }
    }
  }

  /// Every sequence of two steps, in a soak of three and from nothing, too; after each, every event is
  /// raised.
  @Test(arguments: SoakSize.isSoak ? Start.allCases : [.mapped, .pending])
  private func everySequenceAgrees(start: Start) {
    let depth = SoakSize.isSoak ? 3 : 2
    let count = Self.steps.count
    let sequences = (0..<depth).reduce(1) { product, _ in product * count }
    for sequence in 0..<sequences {
      var pair = Self.pair(start)
      var rest = sequence
      for _ in 0..<depth {
        Self.steps[rest % count](&pair)
        rest /= count
      }
      Self.raiseAll(&pair)
      pair.comparePending([8192, 8193, 8200, 8201])
      #expect(pair.differences == [], "sequence \(sequence)")
      if !pair.differences.isEmpty { return }
    }
  }

  /// Every EventID and every DeviceID around each limit.
  @Test func everyEventAroundEverySizeAgrees() {
    var pair = ITSPair()
    pair.execute(.mapc(icid: 0, rdBase: 0, valid: true))
    for size in 0..<5 as Range<UInt8> {
      for device in [0, 15] as [UInt32] {
        pair.execute(
          .mapd(
            DeviceID(device), size: size, ittAddress: 0x4000_0000 + UInt64(device) << 20,
            valid: true))
        for event in 0..<33 as Range<UInt32> {
          pair.execute(
            .mapti(
              DeviceID(device), EventID(event), pINTID: INTID(8192 + device * 32 + event), icid: 0))
          for near in [device, device &+ 1, device &- 1] { pair.translate(near, event) }
        }
      }
    }
    pair.compareTables()
    #expect(pair.differences == [])
  }
}
