/// What the SMMU answered to one access: 16 bytes, returned in registers.
@frozen
@usableFromInline
package struct SMMUTranslation: Hashable, Sendable, BitwiseCopyable {
  /// The physical address; 0 with a fault.
  @usableFromInline package var address: UInt64
  /// 0: none. Else the event number (IHI 0070, §7.3), or `SMMUEvent.aborted`.
  @usableFromInline package var fault: UInt8

  @inlinable
  package init(address: UInt64, fault: UInt8 = 0) {
    self.address = address
    self.fault = fault
  }

  @inlinable
  package static func faulted(_ event: UInt8) -> SMMUTranslation {
    SMMUTranslation(address: 0, fault: event)
  }
}

/// Records and commands that were not applied, by reason. A trace is untrusted input: none of
/// these is an error of the core.
package struct SMMURefusals: Hashable, Sendable {
  /// map, unmap: no stream was configured with this VMID and ASID (or VMID, for stage 2).
  package var unknownAddressSpace: UInt64 = 0
  /// map, unmap: level, size and granule do not fit together or not the tables of the space.
  package var badGeometry: UInt64 = 0
  /// map, unmap: an address beyond the input or output width.
  package var addressOutOfRange: UInt64 = 0
  /// map, unmap, stage 2: an address that is no multiple of the size.
  package var misaligned: UInt64 = 0
  /// map, streamConfiguration, stage 2: the arena's limit.
  package var arenaFull: UInt64 = 0
  /// streamConfiguration: the limit of address spaces.
  package var addressSpacesFull: UInt64 = 0
  /// streamConfiguration: StreamID beyond the stream table.
  package var streamIDOutOfRange: UInt64 = 0
  /// Command with an opcode that this SMMU does not have (CERROR_ILL).
  package var illegalCommand: UInt64 = 0

  package init() {}

  package var total: UInt64 {
    unknownAddressSpace + badGeometry + addressOutOfRange + misaligned + arenaFull
      + addressSpacesFull + streamIDOutOfRange + illegalCommand
  }
}
