import ReferenceModel
import Testing

@Suite struct GICv5ITSTests {
  @Test func deviceTableEntryHasTheBitsOfTheHeader() {
    var entry = GICv5ITS.DeviceTableEntry()
    entry.isValid = true
    entry.ittL2Size = 2
    entry.ittAddress = 0x1234_5678
    entry.isTwoLevel = true
    entry.eventIDBits = 5
    #expect(entry.word == 5 << 59 | 1 << 58 | 0x1234_5678 | 2 << 1 | 1)
    #expect(GICv5ITS.DeviceTableEntry(word: entry.word) == entry)
  }

  @Test func translationEntryHasTheBitsOfTheHeader() {
    var entry = GICv5ITS.TranslationEntry()
    entry.isValid = true
    entry.isVirtual = true
    entry.vm = 0xBEEF
    entry.lpi = 0x12_3456
    entry.domainAccessControl = 1
    #expect(entry.word == 0x0000_BEEF_D012_3456)
    #expect(GICv5ITS.TranslationEntry(word: entry.word) == entry)
  }

  private func its() -> GICv5ITS {
    var its = GICv5ITS()
    var device = GICv5ITS.DeviceTableEntry()
    device.isValid = true
    device.eventIDBits = 2
    its.storeDevice(8, device)
    var event = GICv5ITS.TranslationEntry()
    event.isValid = true
    event.lpi = 77
    its.storeEvent(1, of: 8, event)
    return its
  }

  @Test func eachLossHasItsCondition() {
    var its = its()
    let results = [(UInt32(9), UInt32(0)), (8, 4), (8, 0), (8, 1)]
      .map { its.translate(device: $0.0, event: $0.1) }
    #expect(
      results == [.unmappedDevice, .eventIDOutOfRange, .unmappedEvent, .physical(lpi: 77)])
  }

  @Test func aStoreIsSeenAfterItsInvalidationOnly() {
    var its = its()
    var results = [its.translate(device: 8, event: 1)]
    var entry = GICv5ITS.TranslationEntry()
    entry.isValid = true
    entry.isVirtual = true
    entry.vm = 3
    entry.lpi = 5
    its.storeEvent(1, of: 8, entry)
    results.append(its.translate(device: 8, event: 1))
    its.invalidateEvent(device: 8, event: 0)
    results.append(its.translate(device: 8, event: 1))
    its.invalidateDevice(8)
    results.append(its.translate(device: 8, event: 1))
    #expect(
      results
        == [.physical(lpi: 77), .physical(lpi: 77), .physical(lpi: 77), .virtual(vm: 3, lpi: 5)])
    #expect(its.tableStores == 3 && its.invalidations == 2 && its.polls == 2)
    #expect(its.tableReads == 4)
  }

  @Test func anInvalidEntryIsNeverCached() {
    var its = its()
    _ = its.translate(device: 8, event: 2)
    var entry = GICv5ITS.TranslationEntry()
    entry.isValid = true
    entry.lpi = 6
    its.storeEvent(2, of: 8, entry)
    let result = its.translate(device: 8, event: 2)
    #expect(result == .physical(lpi: 6))
  }
}
