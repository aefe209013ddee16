import EventModel

/// A device with a submission queue, a doorbell page that it polls, data pages and one interrupt:
/// the pattern of an NVMe controller, from a fixed rule.
enum SyntheticQueue {
  static func events(_ count: Int) -> [TraceEvent] {
    var events: [TraceEvent] = []
    var time: UInt64 = 0
    var state: UInt64 = 1
    var round: UInt64 = 0
    func access(_ iova: UInt64, _ step: UInt64) {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      time += (step + state >> 61) * 1000
      events.append(
        .dma(
          time: time, streamID: 0x100, iova: iova, flags: [.readable, .writable, .addressRecorded],
          expectedAddress: iova ^ 0xB000_0000, outcome: .translated, origin: .emulator))
    }
    while events.count < count {
      access(0xFFFF_B000, 3)
      access(0xFFF8_4000 + round % 64 * 64, 5)
      access(0xFFF0_0000 + (state >> 58) << 12, 9)
      access(0xFFFF_C000, 20)
      access(0xFFF9_0000 + round % 256 * 16, 4)
      events.append(
        .msi(
          time: time + 2000, streamID: 0x100, deviceID: 0x100, address: 0xFFFF_F040, data: 4,
          expectedAddress: 0x0809_0040, expectedINTID: 8196, expectedTarget: .pe(3),
          outcome: .delivered, origin: .emulator))
      round += 1
    }
    return Array(events.prefix(count))
  }
}
