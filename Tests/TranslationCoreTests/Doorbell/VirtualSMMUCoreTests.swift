import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

@Suite struct VirtualSMMUCoreTests {
  typealias Reason = VirtualSMMURefusals.Reason

  @Test func aStreamBelongsToOneGuestUnderOneName() {
    var guest = VirtualSMMUCore(vmid: 5, virtualBits: 8, physicalBits: 10)
    let answers = [
      guest.add(virtual: StreamID(8), physical: StreamID(0x308)),
      guest.add(virtual: StreamID(8), physical: StreamID(7)),
      guest.add(virtual: StreamID(9), physical: StreamID(0x308)),
      guest.add(virtual: StreamID(256), physical: StreamID(1)),
      guest.add(virtual: StreamID(1), physical: StreamID(1024)),
    ]
    #expect(answers == [true, false, false, false, false])
    #expect(guest.virtual(ofPhysical: StreamID(0x308)) == StreamID(8))
    guest.remove(virtual: StreamID(8))
    guest.remove(virtual: StreamID(.max))
    #expect(guest.virtual(ofPhysical: StreamID(0x308)) == nil)
    let renamed = guest.add(virtual: StreamID(9), physical: StreamID(0x308))
    #expect(renamed)
  }

  /// Raw commands, most of them nearly right, while streams come and go.
  @Test func randomCommandsAreRewrittenOrRefusedAsByTheReference() {
    var random = SeededGenerator(seed: 3)
    var reference = VirtualSMMU(vmid: 0xBEEF)
    var core = VirtualSMMUCore(vmid: 0xBEEF, virtualBits: 6, physicalBits: 8)
    let count = SoakSize.events(perCase: 150_000)
    for step in 0..<count {
      if step % 64 == 0 { Self.change(&reference, &core, &random) }
      let (dw0, dw1) = Self.command(&random)
      let expected = Result { () throws(VirtualSMMU.Refusal) in try reference.convert(dw0, dw1) }
      var words = SMMUCommandWords(dw0, dw1)
      let reason = core.convert(&words)
      let isSame =
        switch expected {
        case .success(let (a, b)): reason == nil && words == SMMUCommandWords(a, b)
        case .failure(let refusal):
          reason.map { "\($0)" } == "\(refusal)" && words == SMMUCommandWords(dw0, dw1)
        }
      guard isSame else {
        Issue.record("step \(step): \(dw0) \(dw1): \(expected), \(String(describing: reason))")
        return
      }
    }
    #expect(core.accepted == reference.accepted && core.accepted > count / 10)
    for (refusal, reason) in zip(VirtualSMMU.Refusal.allCases, Reason.allCases) {
      #expect(core.refusals[reason] == reference.refused[refusal], "\(refusal)")
      #expect(core.refusals[reason] > count / 100, "\(refusal)")
    }
    for stream in 0..<256 as Range<UInt32> {
      let name = reference.streams.first { $0.value == stream }?.key
      #expect(core.virtual(ofPhysical: StreamID(stream))?.rawValue == name)
    }
  }

  @Test func randomArraysAreIssuedBatchByBatchAsByTheReference() {
    var random = SeededGenerator(seed: 4)
    var reference = VirtualSMMU(vmid: 9)
    var core = VirtualSMMUCore(vmid: 9, virtualBits: 6, physicalBits: 8)
    var cut = 0
    for _ in 0..<400 {
      Self.change(&reference, &core, &random)
      // Mostly good ones, so that some batches pass.
      let commands = (0..<random.next() % 200).map { _ in
        random.next() % 100 == 0
          ? Self.command(&random) : (0x12 | random.next() << 48, random.next() & ~0xFFF | 1)
      }
      let expected = reference.convert(commands)
      var words = commands.map { SMMUCommandWords($0.0, $0.1) }
      var span = words.mutableSpan
      let found = core.convert(&span)
      #expect(found.issued == expected.issued.count)
      #expect(found.refusal.map { "\($0)" } == expected.refusal.map { "\($0)" })
      #expect(
        words.prefix(found.issued).elementsEqual(
          expected.issued.map { SMMUCommandWords($0.0, $0.1) }))
      if found.refusal != nil && found.issued > 0 { cut += 1 }
    }
    #expect(core.accepted == reference.accepted && cut > 20)
  }

  private static func change(
    _ reference: inout VirtualSMMU, _ core: inout VirtualSMMUCore, _ random: inout SeededGenerator
  ) {
    let virtual = StreamID(UInt32(random.next() % 64))
    let physical = StreamID(UInt32(random.next() % 256))
    if random.next() % 3 == 0 {
      reference.remove(virtual: virtual)
      core.remove(virtual: virtual)
    } else {
      let expected = reference.add(virtual: virtual, physical: physical)
      let found = core.add(virtual: virtual, physical: physical)
      #expect(expected == found)
    }
  }

  /// Any opcode, or one that a guest may use with few bits set, in its fields and beside them.
  private static func command(_ random: inout SeededGenerator) -> (UInt64, UInt64) {
    let opcodes: [UInt64] = [0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x30, 0x40]
    guard random.next() % 8 != 0 else { return (random.next(), random.next()) }
    var (dw0, dw1) = (opcodes[Int(random.next() % 8)], 0 as UInt64)
    switch dw0 {
    case 0x05, 0x06, 0x40: dw0 |= (random.next() % 66) << 32
    case 0x10...0x13: dw0 |= random.next() & random.next() & 0xFFFF << 32
    default: break
    }
    // One bit at a time, often none.
    if random.next() % 2 == 0 { dw0 |= 1 << (random.next() % 64) & ~0xFF }
    if random.next() % 2 == 0 { dw1 |= 1 << (random.next() % 64) }
    if random.next() % 2 == 0 { dw1 |= random.next() & 0xF00 }
    if random.next() % 4 == 0 { dw1 |= random.next() & 0x3F }
    return (dw0, dw1)
  }
}
