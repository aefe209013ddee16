import EventModel
import ReferenceModel
import Testing

@testable import TranslationCore

/// Every sequence of a few steps in a machine of one device, one event, two collections and a vPE.
@Suite struct ITSSmallWorldTests {
  private static let device = DeviceID(1)
  private static let event = EventID(0)
  private static let steps: [@Sendable (inout ITSPair) -> Void] = [
    { $0.execute(.mapc(icid: 0, rdBase: 1, valid: true)) },
    { $0.execute(.mapc(icid: 0, rdBase: 0, valid: false)) },
    { $0.execute(.mapd(device, size: 0, ittAddress: 0x4000_0000, valid: true)) },
    { $0.execute(.mapd(device, size: 0, ittAddress: 0, valid: false)) },
    { $0.execute(.mapti(device, event, pINTID: INTID(8192), icid: 0)) },
    { $0.execute(.movi(device, event, icid: 1)) },
    { $0.execute(.discard(device, event)) },
    {
      $0.execute(
        .vmapp(.init(vPEID: 0, rdBase: 0, valid: true, vptSize: 13, vptAddress: 1 << 32)))
    },
    { $0.execute(.vmapti(device, event, vPEID: 0, vINTID: INTID(8192), doorbell: .spurious)) },
    { $0.translate(device.rawValue, event.rawValue) },
    { $0.acknowledge(.pe(1), 8192) },
  ]

  /// All sequences of three, after each of which the event is raised twice. Before them, either
  /// nothing or a mapped event.
  @Test(arguments: [false, true])
  func everySequenceOfThreeStepsAgrees(startsMapped: Bool) {
    let count = Self.steps.count
    for sequence in 0..<(count * count * count) {
      var pair = ITSPair()
      if startsMapped {
        for step in [0, 2, 4] { Self.steps[step](&pair) }
        pair.execute(.mapc(icid: 1, rdBase: 2, valid: true))
      }
      var rest = sequence
      for _ in 0..<3 {
        Self.steps[rest % count](&pair)
        rest /= count
      }
      for _ in 0..<2 { pair.translate(Self.device.rawValue, Self.event.rawValue) }
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
