import EventModel
import ReferenceModel
import TestSupport
import Testing
import TranslationCore

/// The fast GICv5 tables against the reference: the same random stores, invalidations and events.
@Suite struct GICv5DifferentialTests {
  private func translated(_ result: GICv5ITS.Result) -> GICv5Core.Found {
    switch result {
    case .physical(let lpi): .physical(lpi: lpi)
    case .virtual(let vm, let lpi): .virtual(vm: vm, lpi: lpi)
    case .unmappedDevice: .unmappedDevice
    case .eventIDOutOfRange: .eventIDOutOfRange
    case .unmappedEvent: .unmappedEvent
    }
  }

  @Test(arguments: 1...8)
  func coreEqualsTheReference(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed) &* 5_003)
    var reference = GICv5ITS()
    var core = GICv5Core(geometry: TableGeometry())
    var bits: [UInt32: UInt32] = [:]
    /// Stores by which the reference forgets a table that the core takes back as a whole.
    var extraStores: UInt64 = 0
    for step in 0..<20_000 {
      let device = UInt32.random(in: 0..<6, using: &random)
      let event = UInt32.random(in: 0..<20, using: &random)
      switch Int.random(in: 0..<12, using: &random) {
      case 0:
        let log2Events = UInt32.random(in: 1...4, using: &random)
        let isValid = Int.random(in: 0..<4, using: &random) > 0
        let wasMapped = bits[device] != nil
        var entry = GICv5ITS.DeviceTableEntry()
        entry.isValid = isValid
        entry.eventIDBits = UInt8(log2Events)
        for event in 0..<UInt32(16) where wasMapped {
          reference.storeEvent(event, of: device, GICv5ITS.TranslationEntry())
          extraStores += 1
        }
        reference.storeDevice(device, entry)
        if wasMapped || isValid { reference.invalidateDevice(device) }
        let isStored = core.storeDevice(device, log2Events: log2Events, isValid: isValid)
        #expect(isStored)
        bits[device] = isValid ? log2Events : nil
      case 1, 2, 3:
        var entry = GICv5ITS.TranslationEntry()
        entry.isValid = Int.random(in: 0..<5, using: &random) > 0
        entry.isVirtual = Bool.random(using: &random)
        entry.lpi = .random(in: 0..<1 << 24, using: &random)
        entry.vm = .random(in: 0...UInt16.max, using: &random)
        let isStored = core.storeEvent(event, of: device, word: entry.word)
        let isThere = bits[device].map { event >> $0 == 0 } ?? false
        #expect(isStored == isThere)
        if isThere {
          reference.storeEvent(event, of: device, entry)
          #expect(core.storedEvent(event, of: device) == entry.word)
        }
      case 4:
        reference.invalidateEvent(device: device, event: event)
        core.invalidateEvent(device: device, event: event)
      case 5:
        reference.invalidateDevice(device)
        core.invalidateDevice(device)
      default:
        let expected = translated(reference.translate(device: device, event: event))
        let found = core.translate(device: device, event: event)
        #expect(found == expected, "seed \(seed), step \(step), device \(device) event \(event)")
      }
    }
    #expect(core.tableReads == reference.tableReads)
    #expect(core.invalidations == reference.invalidations && core.polls == reference.polls)
    #expect(core.tableStores == reference.tableStores - extraStores)
  }
}
