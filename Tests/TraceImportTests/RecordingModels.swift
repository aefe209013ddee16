import EventModel

@testable import TraceImport

/// The pages of every address space by the map and unmap events, and each stream's address space by
/// its configuration.
struct PageModel {
  private struct Page: Hashable {
    var asid: UInt16
    var base: UInt64
    var log2Size: UInt32
  }
  private var pages: [Page: UInt64] = [:]
  private var streams: [UInt32: UInt16] = [:]
  private var sizes: Set<UInt32> = []
  private(set) var wrong: [TraceEvent] = []

  mutating func apply(_ event: TraceEvent) {
    switch event.kind {
    case .streamConfiguration: streams[event.streamID] = event.asid
    case .map:
      sizes.insert(event.log2SizeBytes)
      pages[page(event)] = event.outputAddress
      check(event, streams[event.streamID] == event.asid)
    case .unmap: check(event, pages.removeValue(forKey: page(event)) != nil)
    case .dma, .msi:
      let expected = event.outcome.isSMMUFault ? nil : event.expectedAddress
      check(event, event.flags.contains(.addressRecorded) == (expected != nil))
      check(event, translate(event) == expected)
    default: break
    }
  }

  private func page(_ event: TraceEvent) -> Page {
    Page(asid: event.asid, base: event.iova, log2Size: event.log2SizeBytes)
  }

  private func translate(_ event: TraceEvent) -> UInt64? {
    guard let asid = streams[event.streamID] else { return nil }
    for log2Size in sizes {
      let offset = event.iova & ((1 << UInt64(log2Size)) - 1)
      let page = Page(asid: asid, base: event.iova - offset, log2Size: log2Size)
      if let output = pages[page] { return output + offset }
    }
    return nil
  }

  private mutating func check(_ event: TraceEvent, _ holds: Bool) {
    if !holds && wrong.count < 5 { wrong.append(event) }
  }
}

/// The ITS tables by the raw 32 bytes of each command (IHI 0069, §5.3), decoded here anew.
struct InterruptModel {
  private enum Entry {
    case physical(intid: UInt32, icid: UInt16)
    case virtual(intid: UInt32, vPEID: UInt16)
  }
  private var sizes: [UInt32: UInt64] = [:]
  private var entries: [UInt64: Entry] = [:]
  private var collections: [UInt16: UInt16] = [:]
  private var vPEs: Set<UInt16> = []
  private(set) var wrong: [TraceEvent] = []
  private(set) var checked = 0

  mutating func apply(_ event: TraceEvent) {
    if event.kind == .itsCommand { execute(event) }
    guard event.kind == .msi, !event.outcome.isSMMUFault, event.outcome != .notADoorbell
    else { return }
    checked += 1
    var expected = TraceEvent(time: event.time, kind: .msi)
    expected.outcome = translate(event, &expected)
    let isSame =
      expected.outcome == event.outcome
      && (event.outcome != .delivered
        || expected.intid == event.intid && expected.target == event.target
          && event.flags.contains(.interruptRecorded))
    if !isSame && wrong.count < 5 { wrong.append(event) }
  }

  private mutating func execute(_ event: TraceEvent) {
    let device = UInt32(event.word0 >> 32)
    let eventID = UInt32(truncatingIfNeeded: event.word1)
    let key = UInt64(device) << 32 | UInt64(eventID)
    let high1 = UInt32(event.word1 >> 32)
    let low2 = UInt32(truncatingIfNeeded: event.word2)
    switch UInt8(truncatingIfNeeded: event.word0) {
    case 0x08:
      sizes[device] = event.word2 >> 63 == 1 ? 2 << (event.word1 & 0x1F) : nil
      entries = entries.filter { $0.key >> 32 != UInt64(device) }
    case 0x09:
      collections[UInt16(truncatingIfNeeded: low2)] =
        event.word2 >> 63 == 1 ? UInt16(truncatingIfNeeded: event.word2 >> 16) : nil
    case 0x0A: entries[key] = .physical(intid: high1, icid: UInt16(truncatingIfNeeded: low2))
    case 0x0B: entries[key] = .physical(intid: eventID, icid: UInt16(truncatingIfNeeded: low2))
    case 0x01:
      if case .physical(let intid, _) = entries[key] {
        entries[key] = .physical(intid: intid, icid: UInt16(truncatingIfNeeded: low2))
      }
    case 0x0F: entries[key] = nil
    case 0x29:
      let vPEID = UInt16(truncatingIfNeeded: high1)
      if event.word2 >> 63 == 1 { vPEs.insert(vPEID) } else { vPEs.remove(vPEID) }
    case 0x2A: entries[key] = .virtual(intid: low2, vPEID: UInt16(truncatingIfNeeded: high1))
    case 0x21:
      if case .virtual(let intid, _) = entries[key] {
        entries[key] = .virtual(intid: intid, vPEID: UInt16(truncatingIfNeeded: high1))
      }
    default: break
    }
  }

  private func translate(_ event: TraceEvent, _ result: inout TraceEvent) -> OutcomeClass {
    guard let size = sizes[event.deviceID] else { return .unmappedDevice }
    guard UInt64(event.data) < size else { return .eventIDOutOfRange }
    switch entries[UInt64(event.deviceID) << 32 | UInt64(event.data)] {
    case nil: return .unmappedEvent
    case .physical(let intid, let icid):
      guard let pe = collections[icid] else { return .unmappedCollection }
      result.word3 = UInt64(intid) << 32
      result.target = .pe(pe)
    case .virtual(let intid, let vPEID):
      guard vPEs.contains(vPEID) else { return .unmappedVPE }
      result.word3 = UInt64(intid) << 32
      result.target = .vpe(vPEID)
    }
    return .delivered
  }
}

/// The MSI-X tables by their writes: a message is that of an unmasked entry.
struct MSIXModel {
  private var words: [UInt64: UInt32] = [:]
  private(set) var wrong: [TraceEvent] = []
  private(set) var unknownVectors = 0

  mutating func apply(_ event: TraceEvent) {
    if event.kind == .msixTableWrite {
      if event.deviceID == TraceEvent.unknownDevice { note(event) }
      words[key(event, event.tableOffset)] = UInt32(truncatingIfNeeded: event.value)
    } else if event.kind == .msi {
      guard event.vector != TraceEvent.unknownVector else {
        unknownVectors += 1
        return
      }
      let entry = UInt32(event.vector) * 16
      let low = UInt64(words[key(event, entry)] ?? 0)
      let high = UInt64(words[key(event, entry + 4)] ?? 0)
      if low | high << 32 != event.iova { note(event) }
      if words[key(event, entry + 8)] != event.data { note(event) }
      if words[key(event, entry + 12)] != 0 { note(event) }
    }
  }

  private func key(_ event: TraceEvent, _ offset: UInt32) -> UInt64 {
    UInt64(event.deviceID) << 32 | UInt64(offset)
  }

  private mutating func note(_ event: TraceEvent) {
    if wrong.count < 5 { wrong.append(event) }
  }
}
