import ReferenceModel
import TestSupport
import Testing

@Suite struct VTdTests {
  /// Linux writes 0xFEE002B8 for handle 21 with SHV: 0xFEE00000 | 21 << 5 | 1 << 4 | 1 << 3.
  @Test func remappableMessageEncodesTheHandle() {
    #expect(X86Message.remappable(handle: 21).address == 0xFEE0_02B8)
    #expect(X86Message.remappable(handle: 0x8000).address == 0xFEE0_001C)
  }

  @Test func everyHandleSurvivesTheMessage() {
    for handle in stride(from: UInt32(0), through: 0xFFFF, by: 7) {
      let message = X86Message.remappable(handle: UInt16(handle), subhandle: 3)
      #expect(message.isRemappable && message.isInterrupt)
      #expect(UInt32(message.handle) == handle)
      #expect(message.interruptIndex == handle + 3)
    }
  }

  /// Bits by hand from the table format: P, vector 0x41 at 23:16, x2APIC destination 7 at 63:32,
  /// SID 0x0100, SVT 1.
  @Test func remappedEntryHasTheBitsOfTheSpecification() {
    let entry = VTdEntry.remapped(
      vector: 0x41, destination: 7, validation: .sourceID(sid: 0x0100, qualifier: 0))
    #expect(entry.low == 0x0000_0007_0041_0001)
    #expect(entry.high == 0x0000_0000_0004_0100)
    #expect(entry.reservedBitsAreClear)
  }

  /// PDA[31:6] at 63:38, PDA[63:32] at 127:96.
  @Test func postedEntrySplitsTheDescriptorAddress() {
    let entry = VTdEntry.posted(vector: 0x22, descriptor: 0x0000_0012_3456_7FC0)
    #expect(entry.low == 0x3456_7FC0 << 32 | 0x22_8001)
    #expect(entry.high == 0x0000_0012_0000_0000)
    #expect(entry.descriptorAddress == 0x0000_0012_3456_7FC0)
    #expect(entry.isPosted && entry.vector == 0x22 && entry.reservedBitsAreClear)
  }

  @Test(arguments: [
    (UInt8(0), UInt16(0x0100), true), (0, 0x0104, false), (1, 0x0104, true), (1, 0x0102, false),
    (2, 0x0106, true), (2, 0x0101, false), (3, 0x0107, true), (3, 0x0108, false),
  ])
  func sourceQualifierLeavesOutFunctionBits(qualifier: UInt8, requester: UInt16, accepted: Bool) {
    let entry = VTdEntry.remapped(
      vector: 1, destination: 0, validation: .sourceID(sid: 0x0100, qualifier: qualifier))
    #expect(entry.accepts(requester: requester) == accepted)
  }

  @Test func busRangeIsInclusiveAndAnEmptyRangeAcceptsNobody() {
    let range = VTdEntry.remapped(
      vector: 1, destination: 0, validation: .busRange(first: 2, last: 4))
    #expect(!range.accepts(requester: 0x01FF))
    #expect(range.accepts(requester: 0x0200) && range.accepts(requester: 0x04FF))
    #expect(!range.accepts(requester: 0x0500))
    let empty = VTdEntry.remapped(
      vector: 1, destination: 0, validation: .busRange(first: 4, last: 2))
    #expect(!empty.accepts(requester: 0x0300))
  }

  private func unit() -> VTdUnit {
    var unit = VTdUnit(tableSize: 3)
    unit.write(.remapped(vector: 0x30, destination: 2), at: 0)
    return unit
  }

  @Test func eachFaultReasonHasItsCondition() {
    var unit = unit()
    func fault(_ message: X86Message, requester: UInt16 = 0) -> VTdUnit.Result {
      unit.request(message, requester: requester)
    }
    #expect(
      fault(.compatibility(destinationID: 1, vector: 0x30)) == .fault(.compatibilityBlocked))
    #expect(
      fault(X86Message(address: 0xFEE0_0018, data: 1 << 16)) == .fault(.reservedFieldInRequest))
    #expect(fault(.remappable(handle: 16)) == .fault(.indexOutOfRange))
    #expect(fault(.remappable(handle: 5)) == .fault(.notPresent))
    unit.write(VTdEntry(low: 1 | 1 << 24), at: 6)
    #expect(fault(.remappable(handle: 6)) == .fault(.reservedFieldInEntry))
    unit.write(
      .remapped(vector: 1, destination: 0, validation: .sourceID(sid: 8, qualifier: 0)), at: 7)
    #expect(fault(.remappable(handle: 7), requester: 9) == .fault(.sourceIDMismatch))
    #expect(unit.faults.count == 6 && unit.faults.values.allSatisfy { $0 == 1 })
  }

  @Test func faultProcessingDisabledKeepsTheFaultUnrecorded() {
    var unit = unit()
    unit.write(VTdEntry(low: 2), at: 1)
    let result = unit.request(.remappable(handle: 1), requester: 0)
    #expect(result == .fault(.notPresent))
    #expect(unit.faults.isEmpty)
  }

  @Test func aChangedEntryIsSeenOnlyAfterItsInvalidation() {
    var unit = unit()
    func request() -> VTdUnit.Result { unit.request(.remappable(handle: 0), requester: 0) }
    #expect(request() == .interrupt(vector: 0x30, destination: 2))
    unit.write(.remapped(vector: 0x31, destination: 3), at: 0)
    #expect(request() == .interrupt(vector: 0x30, destination: 2))
    unit.invalidate(index: 1)
    #expect(request() == .interrupt(vector: 0x30, destination: 2))
    unit.invalidate(index: 3, mask: 2)
    #expect(request() == .interrupt(vector: 0x31, destination: 3))
    #expect(unit.entryReads == 2 && unit.entryCacheHits == 2 && unit.invalidations == 2)
  }

  @Test func aPostedEntryPostsIntoTheDescriptor() {
    var unit = unit()
    unit.write(.posted(vector: 0x50, descriptor: 0x1000), at: 2)
    unit[descriptor: 0x1000].load(on: 9)
    let first = unit.request(.remappable(handle: 2), requester: 0)
    guard case .posted(0x1000, 0x50, let post) = first else {
      Issue.record("not posted: \(first)")
      return
    }
    #expect(post.notification?.vector == 0xF2 && post.notification?.destination == 9)
    guard case .posted(_, _, let second) = unit.request(.remappable(handle: 2), requester: 0)
    else { return }
    #expect(second.coalesced && second.suppressedByON && second.notification == nil)
    let taken = unit[descriptor: 0x1000].processNotification()
    #expect(taken == [0x50])
  }
}
