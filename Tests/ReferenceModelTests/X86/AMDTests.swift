import ReferenceModel
import TestSupport
import Testing

@Suite struct AMDTests {
  @Test func controlWordHasTheBitsOfTheDeviceTable() {
    var control = AMDInterruptControl()
    control.isValid = true
    control.tableAddress = 0x1234_5680
    #expect(control.word == 0x2000_0000_1234_5680 | 9 << 1 | 1)
    #expect(AMDInterruptControl(word: control.word) == control)
  }

  @Test func guestEntryHasTheBitsOfTheSpecification() {
    var guest = AMDEntry.Guest()
    guest.isRunning = true
    guest.destination = 0x0100_0005
    guest.tag = 0xCAFE_0001
    guest.vector = 0x61
    guest.backingPage = 0x7_F000
    let words = AMDEntry.guest(guest).words
    #expect(words.low == 0xCAFE_0001_0000_05C5)
    #expect(words.high == 0x0100_0000_0007_F061)
    #expect(AMDEntry(low: words.low, high: words.high) == .guest(guest))
  }

  @Test func remappedAndLegacyEntriesSurviveTheirWords() {
    var e = AMDEntry.Remapped()
    e.destination = 0x12_3456
    e.vector = 0x77
    e.interruptType = 1
    e.isLogical = true
    let words = AMDEntry.remapped(e).words
    #expect(AMDEntry(low: words.low, high: words.high) == .remapped(e))
    e.destination = 0x34
    #expect(
      AMDEntry(legacy: UInt32(AMDEntry.legacy(e).words.low)) == .legacy(e))
    #expect(AMDEntry.legacy(e).words.low == 0x77_3445)
  }

  private func unit(running: Bool, logCapacity: Int = 512) -> AMDUnit {
    var unit = AMDUnit(logCapacity: logCapacity)
    var control = AMDInterruptControl()
    control.isValid = true
    unit.control[0x100] = control
    var guest = AMDEntry.Guest()
    guest.isRunning = running
    guest.destination = 3
    guest.tag = 9
    guest.vector = 0x40
    guest.backingPage = 0x1000
    unit.write(.guest(guest), device: 0x100, index: 0)
    return unit
  }

  private func message(_ data: UInt32) -> X86Message {
    X86Message(address: 0xFEE0_0000, data: data)
  }

  @Test func aRunningVCPUGetsADoorbellAndNoLogEntry() {
    var unit = unit(running: true)
    let result = unit.request(message(0), device: 0x100)
    #expect(
      result
        == .guest(vector: 0x40, tag: 9, coalesced: false, doorbell: 3, logged: false))
    #expect(unit.log.isEmpty)
  }

  @Test func aVCPUThatDoesNotRunGetsALogEntryUntilTheLogIsFull() {
    var unit = unit(running: false, logCapacity: 3)
    for count in 1...4 {
      let result = unit.request(message(0), device: 0x100)
      #expect(
        result
          == .guest(
            vector: 0x40, tag: 9, coalesced: count > 1, doorbell: nil, logged: count <= 2))
    }
    #expect(unit.logOverflows == 2)
    let drained = unit.drainLog()
    #expect(drained.map(\.word) == [0x1000_0100_0000_0009, 0x1000_0100_0000_0009])
    let taken = (0..<2).map { _ in unit.acknowledge(backingPage: 0x1000, vector: 0x40) }
    #expect(taken == [true, false], "an overflow loses no request")
  }

  @Test func eachDropHasItsCondition() {
    var unit = unit(running: true)
    func request(_ data: UInt32, device: UInt16 = 0x100) -> AMDUnit.Result {
      unit.request(message(data), device: device)
    }
    #expect(request(0, device: 7) == .dropped(.targetAbort))
    #expect(request(512) == .dropped(.indexOutOfRange))
    #expect(request(1) == .dropped(.entryDisabled))
    var reserved = AMDEntry.Remapped()
    reserved.interruptType = 7
    unit.write(.remapped(reserved), device: 0x100, index: 2)
    #expect(request(2) == .dropped(.reservedInterruptType))
    #expect(unit.drops.values.reduce(0, +) == 4)
  }

  @Test func aMigrationRewritesEveryEntryOfTheVCPU() {
    var unit = unit(running: true)
    for index in UInt32(1)..<40 {
      var guest = AMDEntry.Guest()
      guest.tag = index % 2 == 0 ? 9 : 8
      guest.vector = UInt8(index)
      unit.write(.guest(guest), device: 0x100, index: index)
    }
    let written = unit.setRunning(tag: 9, on: 5)
    #expect(written == 20)
    let result = unit.request(message(2), device: 0x100)
    #expect(
      result == .guest(vector: 2, tag: 9, coalesced: false, doorbell: 5, logged: false))
  }
}
