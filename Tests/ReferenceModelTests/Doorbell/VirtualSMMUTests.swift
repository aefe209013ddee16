import EventModel
import ReferenceModel
import Testing

@Suite struct VirtualSMMUTests {
  private func guest() -> VirtualSMMU {
    var guest = VirtualSMMU(vmid: 5)
    let added = guest.add(virtual: StreamID(8), physical: StreamID(0x1_0008))
    precondition(added, "an empty guest takes any stream")
    return guest
  }

  /// What a guest may say, and what the hardware hears.
  static let accepted: [(SMMUCommand, SMMUCommand)] = [
    (.tlbiNSNHAll, .tlbiNHAll(vmid: 5)),
    (.tlbiNHAll(vmid: 0), .tlbiNHAll(vmid: 5)),
    (.tlbiNHAll(vmid: 9), .tlbiNHAll(vmid: 5)),
    (.tlbiNHASID(vmid: 0, asid: 3), .tlbiNHASID(vmid: 5, asid: 3)),
    (
      .tlbiNHVA(vmid: 0, asid: 3, TLBIRange(0xFFFF_C000, leaf: true, tg: 1, ttl: 3)),
      .tlbiNHVA(vmid: 5, asid: 3, TLBIRange(0xFFFF_C000, leaf: true, tg: 1, ttl: 3))
    ),
    (.tlbiNHVAA(vmid: 0, TLBIRange(0x1000)), .tlbiNHVAA(vmid: 5, TLBIRange(0x1000))),
    (
      .cfgiCD(streamID: 8, substreamID: 2, leaf: true),
      .cfgiCD(streamID: 0x1_0008, substreamID: 2, leaf: true)
    ),
    (.cfgiCDAll(streamID: 8), .cfgiCDAll(streamID: 0x1_0008)),
    (
      .atcInvalidate(streamID: 8, substreamID: 1, global: true, address: 0x1000, log2Pages: 3),
      .atcInvalidate(
        streamID: 0x1_0008, substreamID: 1, global: true, address: 0x1000, log2Pages: 3)
    ),
  ]

  @Test(arguments: accepted)
  func ownInvalidationsAreRewritten(said: SMMUCommand, heard: SMMUCommand) throws {
    var guest = guest()
    let converted = try guest.convert(said.dwords.0, said.dwords.1)
    #expect(converted == heard.dwords)
    #expect(guest.accepted == 1 && guest.refused.isEmpty)
  }

  /// Every command of the architecture is either in the list above or refused and counted.
  @Test(arguments: SMMUCommandTests.golden)
  func everythingElseIsRefused(command: SMMUCommand, dw0: UInt64, dw1: UInt64) {
    var guest = guest()
    guard !Self.accepted.contains(where: { $0.0.opcode == command.opcode }) else { return }
    #expect(throws: VirtualSMMU.Refusal.command) { try guest.convert(dw0, dw1) }
    #expect(guest.refused == [.command: 1] && guest.accepted == 0)
  }

  @Test(
    arguments: [
      .cfgiCD(streamID: 9, substreamID: 0, leaf: true), .cfgiCDAll(streamID: 0x1_0008),
      .atcInvalidate(streamID: 9, substreamID: nil, global: false, address: 0, log2Pages: 52),
    ] as [SMMUCommand])
  func foreignStreamsAreRefused(command: SMMUCommand) {
    var guest = guest()
    #expect(throws: VirtualSMMU.Refusal.foreignStream) {
      try guest.convert(command.dwords.0, command.dwords.1)
    }
    #expect(guest.refused == [.foreignStream: 1])
  }

  @Test(
    arguments: [
      (0x30, 1, .reservedBits), (0x10 | 1 << 48, 0, .reservedBits),
      (0x12 | 1 << 9, 0, .reservedBits),
      (0x13 | 1 << 63, 0, .reservedBits), (0x05 | 8 << 32 | 1 << 11, 0, .reservedBits),
      (0x06 | 8 << 32, 1, .reservedBits), (0x40 | 8 << 32, 1 << 6, .reservedBits),
      (0x12, 0x400, .reservedRange), (0x12, 0x300, .reservedRange),
      (0x13 | 1 << 12, 0, .reservedRange),
      (0x12, 0x900, .reservedRange), (0x40 | 8 << 32, 53, .reservedRange), (0xFF, 0, .command),
    ] as [(UInt64, UInt64, VirtualSMMU.Refusal)])
  func strayBitsAreRefused(dw0: UInt64, dw1: UInt64, refusal: VirtualSMMU.Refusal) {
    var guest = guest()
    #expect(throws: refusal) { try guest.convert(dw0, dw1) }
  }

  @Test func oneBadCommandFailsItsBatchAndWhatFollows() {
    var guest = guest()
    let good = SMMUCommand.tlbiNHAll(vmid: 0).dwords
    let bad = SMMUCommand.cfgiSTE(streamID: 8, leaf: true).dwords
    let failed = guest.convert([good, bad, good])
    #expect(failed.issued.isEmpty && failed.refusal == .command)
    #expect(guest.accepted == 0 && guest.refused == [.command: 1])
    let both = guest.convert([good, good])
    #expect(both.issued.count == 2 && both.refusal == nil && guest.accepted == 2)
    // 63 go out together; the 64th is of the next batch.
    let long = guest.convert([(UInt64, UInt64)](repeating: good, count: 64) + [bad])
    #expect(long.issued.count == 63 && long.refusal == .command && guest.accepted == 65)
  }

  @Test func aStreamBelongsToOneGuestUnderOneName() {
    var guest = guest()
    let sameName = guest.add(virtual: StreamID(8), physical: StreamID(7))
    let sameStream = guest.add(virtual: StreamID(9), physical: StreamID(0x1_0008))
    #expect(!sameName && !sameStream)
    guest.remove(virtual: StreamID(8))
    let renamed = guest.add(virtual: StreamID(9), physical: StreamID(0x1_0008))
    #expect(renamed)
  }

  @Test func stage1EventsGoToTheGuestAndStage2EventsToTheHost() {
    let guest = guest()
    var record = SMMUEventRecord(.translation, streamID: 0x1_0008)
    guard case .guest(let forwarded) = guest.recipient(of: record) else {
      Issue.record("not forwarded")
      return
    }
    #expect(forwarded.streamID == 8 && forwarded.number == .translation)
    record.stage2 = true
    #expect(guest.recipient(of: record) == .host)
    #expect(guest.recipient(of: SMMUEventRecord(.badSTE, streamID: 8)) == .host)
  }

  /// A guest's invalidation empties its own entries and nobody else's.
  @Test func rewrittenCommandsTouchTheGuestOnly() throws {
    var smmu = SMMU()
    let span = AddressSpan(around: 0x1000, log2: 12)
    let entry = TLBEntry(
      coverage: span, reach: span, granule: .kib4, level: 3, output: 0,
      stage1: .init(unprivileged: true, readOnly: false, pxn: false, uxn: false), intermediate: 0)
    for vmid: UInt16 in [4, 5] {
      smmu.caches.remember(entry, in: AddressSpace(.nsEL1, vmid: vmid, asid: 1))
    }
    var guest = guest()
    let command = SMMUCommand.tlbiNSNHAll.dwords
    let converted = try guest.convert(command.0, command.1)
    try smmu.command(converted.0, converted.1)
    #expect(smmu.caches.iotlb.entries.map(\.tag.vmid) == [4])
  }
}
