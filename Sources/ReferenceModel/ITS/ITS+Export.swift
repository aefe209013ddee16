package import EventModel

// The tables and pending bits as sorted lists, so that another implementation can be compared in
// both directions: what it has and the model has not, and the reverse.

extension ITS {
  package struct Mapping: Hashable, Sendable {
    package var deviceID: DeviceID
    package var eventID: EventID
    package var intid: INTID
    package var destination: Destination

    package enum Destination: Hashable, Sendable {
      case collection(UInt16)
      case vPE(UInt16, doorbell: INTID)
    }

    package init(
      deviceID: DeviceID, eventID: EventID, intid: INTID, destination: Destination
    ) {
      self.deviceID = deviceID
      self.eventID = eventID
      self.intid = intid
      self.destination = destination
    }
  }

  package struct PendingBit: Hashable, Sendable {
    package var target: InterruptTarget
    package var intid: INTID
    package init(target: InterruptTarget, intid: INTID) {
      self.target = target
      self.intid = intid
    }
  }

  /// Every mapped device, by DeviceID.
  package var devices: [(id: DeviceID, entry: DeviceTableEntry)] {
    identifiers(in: registers.deviceTable, limit: deviceIDLimit).compactMap { id in
      var copy = self
      return (try? copy.device(DeviceID(UInt32(id)))).map { (DeviceID(UInt32(id)), $0) }
    }
  }

  /// Every mapped event of every mapped device, by DeviceID, then EventID.
  package var mappings: [Mapping] {
    devices.flatMap { id, device -> [Mapping] in
      let size = InterruptTranslationEntry.sizeBytes
      let table = device.ittAddress..<(device.ittAddress + device.eventCount * size)
      let events = Self.distinct(
        memory.populated(table).map { ($0.address - device.ittAddress) / size })
      return events.compactMap { event in
        let address = device.ittAddress + event * size
        let entry = InterruptTranslationEntry(
          low: memory.load(at: address), high: memory.load(at: address + 8))
        guard entry.valid else { return nil }
        return Mapping(
          deviceID: id, eventID: EventID(UInt32(event)), intid: INTID(entry.intid),
          destination: entry.isPhysical
            ? .collection(entry.icid) : .vPE(entry.vPEID, doorbell: INTID(entry.doorbell)))
      }
    }
  }

  /// Every mapped collection and its processor, by ICID.
  package var collections: [(icid: UInt16, processor: UInt16)] {
    identifiers(in: registers.collectionTable, limit: collectionIDLimit).compactMap { id in
      var copy = self
      return (try? copy.target(ofCollection: UInt16(id))).map { (UInt16(id), $0) }
    }
  }

  /// Every mapped vPE, by vPEID.
  package var vPEs: [(vPEID: UInt16, entry: VPETableEntry)] {
    guard configuration.version >= .v4 else { return [] }
    return identifiers(in: registers.vPETable, limit: vPEIDLimit).compactMap { id in
      var copy = self
      return (try? copy.vPE(UInt16(id))).map { (UInt16(id), $0) }
    }
  }

  /// Every pending LPI: of the processors, then of the mapped vPEs, ascending.
  package var pendingBits: [PendingBit] {
    let physical = redistributors.indices.flatMap { n in
      pendingLPIs(at: n).map { PendingBit(target: .pe(UInt16(n)), intid: INTID($0)) }
    }
    let virtual = vPEs.flatMap { vPEID, entry in
      pendingINTIDs(in: entry.vptAddress, idBits: UInt64(entry.vptSize) + 1).map {
        PendingBit(target: .vpe(vPEID), intid: INTID($0))
      }
    }
    return physical + virtual
  }

  /// The pending table of a redistributor as it lies in memory: one bit per INTID, LSB first.
  package func pendingTable(ofPE n: UInt16) -> [UInt8] {
    let redistributor = redistributors[Int(n)]
    return bytes(redistributor.pendingTable, count: (1 << redistributor.idBits) / 8)
  }

  /// The virtual pending table of a mapped vPE. In GICv4.1 its first KiB holds the SGIs.
  package func pendingTable(ofVPE vPEID: UInt16) -> [UInt8]? {
    vPEs.first { $0.vPEID == vPEID }.map {
      bytes($0.entry.vptAddress, count: $0.entry.intidCount / 8)
    }
  }

  private func bytes(_ address: UInt64, count: UInt64) -> [UInt8] {
    (0..<count).map { memory.loadByte(address + $0) }
  }

  /// Identifiers whose entry is not all zeros, ascending.
  private func identifiers(in base: TableBase, limit: UInt64) -> [UInt64] {
    guard base.isValid else { return [] }
    let size = base.entrySizeBytes
    func within(_ address: UInt64, _ count: UInt64) -> [UInt64] {
      Self.distinct(
        memory.populated(address..<(address + count * size)).map { ($0.address - address) / size })
    }
    guard base.isIndirect else {
      return within(base.address, min(limit, base.capacity))
    }
    let level1Count = base.capacity / base.entriesPerPage
    return (0..<level1Count).flatMap { index -> [UInt64] in
      let entry = memory.load(
        UInt64.self, at: base.address + index * TableBase.level1EntrySizeBytes)
      guard entry.bit(63) else { return [] }
      return within(entry & .field(~0 as UInt64, 51, 12), base.entriesPerPage).map {
        index * base.entriesPerPage + $0
      }
    }.filter { $0 < limit }
  }

  private static func distinct(_ ascending: [UInt64]) -> [UInt64] {
    var result: [UInt64] = []
    for value in ascending where result.last != value { result.append(value) }
    return result
  }
}
