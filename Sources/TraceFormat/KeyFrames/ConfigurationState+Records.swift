package import EventModel

// What a snapshot holds, in an order in which every record finds what it needs.

extension ConfigurationState {
  /// Records that lead from nothing to this state, all at `time`. They are configuration only; what
  /// is pending comes as INT commands to a device that is mapped for them and gone after them.
  /// O(n log n) in what is live.
  package func records(at time: UInt64) -> [TraceEvent] {
    let (plain, controls) = splitRegisters()
    var records = spaces.records
    records += plain + controls.filter { $0.value & 1 == 1 }
    records += vcpus.propertyRecords
    records += lostTableRecords()
    for (_, vPE) in interrupts.vPEs.sorted(by: { $0.key < $1.key }) { records.append(vPE.command) }
    for event in configurationBytes.events { store(event, to: &records) }
    let (mapped, unmapped) = splitPending()
    records += pendingRecords(unmapped)
    records += tableRecords()
    for source in mapped {
      var command = ITSCommandWords.interrupt(source.device, source.event)
      command.flags.insert(.inferred)
      records.append(command)
    }
    records += vcpus.records
    records += interrupts.virtualSGIs.events
    records += controls.filter { $0.value & 1 == 0 }
    records += functions.events + remapping.events
    for index in records.indices { records[index].time = time }
    return records
  }

  /// GITS_CTLR and GICR_CTLR apart: what they disable must be there first.
  private func splitRegisters() -> (plain: [TraceEvent], controls: [TraceEvent]) {
    let events = registers.events
    return (events.filter { $0.registerOffset != 0 }, events.filter { $0.registerOffset == 0 })
  }

  /// A configuration byte of a vPE lies in a table that is known while the vPE is resident.
  private func store(_ event: TraceEvent, to records: inout [TraceEvent]) {
    guard event.target.isVPE, vcpus.hasStay(event.target),
      let vPE = interrupts.vPEs[event.target.number]
    else { return records.append(event) }
    let pe = UInt64(vPE.pe) | UInt64(vPE.pe) << 32
    records.append(
      TraceEvent(time: 0, kind: .vcpuLoad, word3: pe, target: event.target, flags: .inferred))
    records.append(event)
    records.append(
      TraceEvent(time: 0, kind: .vcpuPut, word3: pe, target: event.target, flags: .inferred))
  }

  private func tableRecords() -> [TraceEvent] {
    var records: [TraceEvent] = []
    for (collection, pe) in interrupts.collections.sorted(by: { $0.key < $1.key }) {
      records.append(ITSCommandWords.mapCollection(collection, pe: pe, valid: true))
    }
    for (id, device) in interrupts.devices.sorted(by: { $0.key < $1.key }) {
      records.append(
        ITSCommandWords.mapDevice(id, size: device.size, table: device.table, valid: true))
      for (event, mapping) in device.mappings.sorted(by: { $0.key < $1.key }) {
        records.append(ITSCommandWords.map(id, event, mapping))
      }
    }
    return records
  }

  // MARK: Pending bits

  /// Pending bits in the tables of vPEs that are not mapped: each is mapped for them once more.
  private func lostTableRecords() -> [TraceEvent] {
    let live = Set(interrupts.vPEs.values.map(\.vptAddress))
    var lost: [UInt64: [UInt32]] = [:]
    for bit in interrupts.pending where bit.isVirtual && !live.contains(bit.place) {
      lost[bit.place, default: []].append(bit.intid)
    }
    var records: [TraceEvent] = []
    for (table, intids) in lost.sorted(by: { $0.key < $1.key }) {
      guard let command = interrupts.pendingTables[table] else { continue }
      let vPE = ITSCommandWords(command).vPE
      records.append(command)
      records += PendingScript(geometry).records(
        intids.sorted().map { .init(intid: $0, place: vPE, isVirtual: true) })
      var unmap = command
      unmap.word2 &= ~(1 << 63)
      unmap.flags.insert(.inferred)
      records.append(unmap)
    }
    return records
  }

  private struct Source: Comparable {
    var device: UInt32
    var event: UInt32
    static func < (a: Source, b: Source) -> Bool { (a.device, a.event) < (b.device, b.event) }
  }

  /// A physical bit whose event is mapped is set by that event: some hosts keep it with the event, and
  /// not with the INTID. The others need a script.
  private func splitPending() -> (mapped: [Source], unmapped: Set<InterruptTables.Pending>) {
    var sources: [InterruptTables.Pending: Source] = [:]
    var unmapped = interrupts.pending
    guard interrupts.isEnabled, !unmapped.isEmpty else { return ([], unmapped) }
    for (id, device) in interrupts.devices {
      for (event, mapping) in device.mappings where !mapping.isVirtual {
        guard let pe = interrupts.collections[mapping.place] else { continue }
        let bit = InterruptTables.Pending.pe(pe, mapping.intid)
        guard interrupts.pending.contains(bit) else { continue }
        unmapped.remove(bit)
        let source = Source(device: id, event: event)
        sources[bit] = min(sources[bit] ?? source, source)
      }
    }
    return (sources.values.sorted(), unmapped)
  }

  private func pendingRecords(_ pending: Set<InterruptTables.Pending>) -> [TraceEvent] {
    var vPEOfTable: [UInt64: UInt16] = [:]
    for (id, vPE) in interrupts.vPEs.sorted(by: { $0.key > $1.key }) {
      vPEOfTable[vPE.vptAddress] = id
    }
    let bits = pending.sorted {
      ($0.isVirtual ? 1 : 0, $0.place, $0.intid) < ($1.isVirtual ? 1 : 0, $1.place, $1.intid)
    }
    let script = PendingScript(geometry)
    return script.records(
      bits.compactMap { bit in
        guard bit.isVirtual else {
          return .init(intid: bit.intid, place: UInt16(bit.place), isVirtual: false)
        }
        guard let vPE = vPEOfTable[bit.place] else { return nil }
        return .init(intid: bit.intid, place: vPE, isVirtual: true)
      })
  }
}

/// Makes interrupts pending by command, through a device and a collection that are mapped for it: the
/// first of each, which nothing else uses yet.
struct PendingScript {
  private let eventIDBits: UInt64

  /// Above every table of a recorded machine, and of a model's.
  private static let table: UInt64 = 0x000F_F000_0000_0000

  init(_ geometry: TableGeometry) { eventIDBits = UInt64(min(max(geometry.eventIDBits, 1), 16)) }

  /// - Parameter bits: `place` is a vPEID, or the number of a PE.
  func records(_ bits: [InterruptTables.Mapping]) -> [TraceEvent] {
    guard !bits.isEmpty else { return [] }
    var records: [TraceEvent] = []
    var pe: UInt16?
    for (index, bit) in bits.enumerated() {
      let event = UInt32(index) & (1 << UInt32(eventIDBits) - 1)
      if event == 0 {
        records.append(
          ITSCommandWords.mapDevice(0, size: eventIDBits - 1, table: Self.table, valid: true))
      }
      var mapping = bit
      if !bit.isVirtual {
        if pe != bit.place {
          records.append(ITSCommandWords.mapCollection(0, pe: bit.place, valid: true))
          pe = bit.place
        }
        mapping.place = 0
      }
      records.append(ITSCommandWords.map(0, event, mapping))
      records.append(ITSCommandWords.interrupt(0, event))
    }
    records.append(
      ITSCommandWords.mapDevice(0, size: eventIDBits - 1, table: Self.table, valid: false))
    if pe != nil { records.append(ITSCommandWords.mapCollection(0, pe: 0, valid: false)) }
    for index in records.indices { records[index].flags.insert(.inferred) }
    return records
  }
}
