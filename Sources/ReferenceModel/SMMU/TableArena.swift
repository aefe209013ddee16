/// A region of addresses from which tables are taken, one after the other and never given back: a
/// stale walk-cache entry then names an old table, as it would on hardware before the page is
/// reused.
package struct TableArena: Hashable, Sendable {
  package let region: Range<UInt64>
  package private(set) var next: UInt64

  package init(_ region: Range<UInt64>) {
    self.region = region
    next = region.lowerBound
  }

  /// - Parameter alignment: a power of two.
  mutating func allocate(
    _ sizeBytes: UInt64, alignment: UInt64
  ) throws(SMMUTableError) -> UInt64 {
    let start = (next + alignment - 1) & ~(alignment - 1)
    guard start >= next, start <= region.upperBound, region.upperBound - start >= sizeBytes else {
      throw .arenaExhausted(region: region, wantedBytes: sizeBytes)
    }
    next = start + sizeBytes
    return start
  }
}

/// Why an event could not be turned into tables. Nothing was stored.
package enum SMMUTableError: Error, Hashable, Sendable {
  /// Not a kind of event that this entry point takes.
  case wrongKind(found: UInt8)
  /// A map or unmap for a stream that no streamConfiguration event has described.
  case unknownAddressSpace(streamID: UInt32, vmid: UInt16, asid: UInt16)
  /// A stage 2 event for a VMID without stage 2.
  case unknownVMID(UInt16)
  case granuleMismatch(expected: UInt8, found: UInt8)
  /// No leaf exists at that level, or the walk starts below it.
  case levelOutOfRange(UInt32, granule: UInt8)
  case sizeOutOfRange(log2Bytes: UInt32, level: UInt32)
  case misaligned(address: UInt64, log2Bytes: UInt64)
  case addressOutOfRange(UInt64, bits: UInt64)
  case streamIDOutOfRange(UInt32, bits: UInt8)
  /// The recorded configuration is one that an SMMU refuses.
  case illegalConfiguration(streamID: UInt32)
  /// A table of the guest lies at an IPA that stage 2 does not map.
  case unmappedIntermediateAddress(UInt64)
  case arenaExhausted(region: Range<UInt64>, wantedBytes: UInt64)
}

extension SMMUTableError: CustomStringConvertible {
  package var description: String {
    func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
    switch self {
    case .wrongKind(let found): return "event kind \(hex(found)) does not describe SMMU tables"
    case .unknownAddressSpace(let streamID, let vmid, let asid):
      return
        "no stream configuration for StreamID \(hex(streamID)), VMID \(vmid), ASID \(asid); it "
        + "must come before the first mapping"
    case .unknownVMID(let vmid): return "VMID \(vmid) has no stage 2; configure its stream first"
    case .granuleMismatch(let expected, let found):
      return "mapping with granule code \(found) in tables of granule code \(expected)"
    case .levelOutOfRange(let level, let granule):
      return "no leaf at level \(level) with granule code \(granule)"
    case .sizeOutOfRange(let log2Bytes, let level):
      return "2^\(log2Bytes) bytes cannot be mapped by leaves of level \(level)"
    case .misaligned(let address, let log2Bytes):
      return "address \(hex(address)) is not aligned to 2^\(log2Bytes) bytes"
    case .addressOutOfRange(let address, let bits):
      return "address \(hex(address)) does not fit in \(bits) bits"
    case .streamIDOutOfRange(let streamID, let bits):
      return "StreamID \(hex(streamID)) does not fit in the table's \(bits) bits"
    case .illegalConfiguration(let streamID):
      return "the configuration of StreamID \(hex(streamID)) is one that an SMMU refuses"
    case .unmappedIntermediateAddress(let address):
      return "a table at intermediate address \(hex(address)) is not mapped by stage 2"
    case .arenaExhausted(let region, let wantedBytes):
      return
        "no room for \(wantedBytes) bytes of tables in "
        + "\(hex(region.lowerBound))..<\(hex(region.upperBound))"
    }
  }
}
