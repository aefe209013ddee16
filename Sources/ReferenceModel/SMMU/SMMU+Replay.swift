package import EventModel

// The trace way: recorded events instead of stores by a driver.

extension SMMU {
  /// Takes a `streamConfiguration` event: stores the stream's STE and CD. The first one also makes
  /// the stream table and enables the SMMU. Nothing is invalidated: the trace's commands do that.
  package mutating func configure(_ event: TraceEvent) throws(SMMUTableError) {
    guard event.kind == .streamConfiguration else { throw .wrongKind(found: event.kind.rawValue) }
    try tables.configure(
      event.streamID, StreamConfiguration(event), for: identification, in: &memory)
    registers.streamTableBase = try tables.provideStreamTable()
    registers.format = tables.layout.streamTable
    registers.log2Size = tables.layout.streamIDBits
    registers.split = tables.layout.split
    registers.isEnabled = true
  }

  /// Takes a `map` event of either stage: stores the leaf with the recorded attributes. With
  /// stage 2 behind it, the pages that a stage 1 leaf names get backed too.
  package mutating func map(_ event: TraceEvent) throws(SMMUTableError) {
    guard event.kind == .map else { throw .wrongKind(found: event.kind.rawValue) }
    defer { counters.descriptorWrites = writesByHardware + tables.descriptorWrites }
    if event.stage == 2 {
      try mapStage2(
        ipa: event.iova, pa: event.outputAddress, log2Size: event.log2SizeBytes, vmid: event.vmid,
        attributes: event.leafAttributes)
      return
    }
    let root = try root(of: event)
    if root.machine != nil && event.log2SizeBytes > Self.largestBackedLeaf {
      throw .sizeOutOfRange(log2Bytes: event.log2SizeBytes, level: event.level)
    }
    try tables.mapLeaves(
      .init(root), input: event.iova, output: event.outputAddress, log2Bytes: event.log2SizeBytes,
      level: event.level, attributes: Self.stage1Attributes(event), in: &memory)
    if let machine = root.machine {
      try tables.provideStage2(
        event.outputAddress, 1 << UInt64(event.log2SizeBytes), machine, in: &memory)
    }
  }

  /// Takes an `unmap` event: clears the leaves of its range.
  package mutating func unmap(_ event: TraceEvent) throws(SMMUTableError) {
    guard event.kind == .unmap else { throw .wrongKind(found: event.kind.rawValue) }
    defer { counters.descriptorWrites = writesByHardware + tables.descriptorWrites }
    if event.stage == 2 {
      guard let machine = tables.machines[event.vmid] else { throw .unknownVMID(event.vmid) }
      try tables.unmapLeaves(
        .init(machine), input: event.iova, log2Bytes: event.log2SizeBytes, in: &memory)
      return
    }
    try tables.unmapLeaves(
      .init(try root(of: event)), input: event.iova, log2Bytes: event.log2SizeBytes, in: &memory)
  }

  /// Maps IPA → PA in the stage 2 of `vmid`.
  ///
  /// - Parameter attributes: of the leaf; 0 means ordinary memory.
  package mutating func mapStage2(
    ipa: UInt64, pa: UInt64, log2Size: UInt32, vmid: UInt16, attributes: UInt64 = 0
  ) throws(SMMUTableError) {
    defer { counters.descriptorWrites = writesByHardware + tables.descriptorWrites }
    try tables.mapStage2(
      vmid, ipa: ipa, pa: pa, log2Bytes: log2Size,
      attributes: attributes == 0 ? Stage2Plan.memoryAttributes : attributes, in: &memory)
  }

  /// Stores one more CD of a stream whose CD table has several (`TableBuilder.Layout.s1CDMax`).
  package mutating func setContext(
    streamID: UInt32, substreamID: UInt32, _ cd: ContextDescriptor
  ) throws(SMMUTableError) {
    guard let stream = tables.streams[streamID], let root = stream.root,
      UInt64(substreamID) >> tables.layout.s1CDMax == 0
    else { throw .unknownAddressSpace(streamID: streamID, vmid: 0, asid: cd.asid) }
    try tables.store(cd, at: substreamID, stream, root.machine, in: &memory)
  }

  /// Where the plan puts an intermediate address; itself if there is no stage 2.
  package func physicalAddress(ofIntermediate ipa: UInt64) -> UInt64 {
    tables.nesting?.physicalAddress(of: ipa) ?? ipa
  }

  /// The stream's tables; for a stream without any, those of another with the same ASID.
  private func root(of event: TraceEvent) throws(SMMUTableError) -> TableBuilder.Root {
    var key = tables.streams[event.streamID]?.root
    if key == nil {
      key =
        tables.streams.values.first {
          $0.root != nil && $0.configuration.asid == event.asid
        }?.root
    }
    guard let key, let root = tables.roots[key] else {
      throw .unknownAddressSpace(streamID: event.streamID, vmid: event.vmid, asid: event.asid)
    }
    let code = root.geometry.granule.rawValue
    guard event.granuleCode == code else {
      throw .granuleMismatch(expected: code, found: event.granuleCode)
    }
    return root
  }

  /// A guest's leaf of 1 GiB is backed page by page; a larger one is refused.
  private static var largestBackedLeaf: UInt32 { 30 }

  /// The recorded attributes. An event without any gets Linux's for DMA memory: write-back, inner
  /// shareable, AF, nG, unprivileged, and read-only if it is flagged readable but not writable.
  static func stage1Attributes(_ event: TraceEvent) -> UInt64 {
    guard event.leafAttributes == 0 else { return event.leafAttributes }
    let readOnly = event.flags.contains(.readable) && !event.flags.contains(.writable)
    return 0xF44 | (readOnly ? 0x80 : 0)
  }
}
