package import EventModel

/// Rewrites the events of a trace so that it says nothing about whose machine it was, and replays to
/// the same outcomes.
///
///     var blocks = ContiguousBlocks()
///     for event in trace { blocks.survey(event) }          // first reading
///     var anonymizer = Anonymizer(key: key, geometry: geometry, blocks: blocks)
///     for event in trace { try anonymizer.rewrite(event) { writer.append($0) } }
///
/// Permuted: IOVAs, physical addresses, StreamIDs and DeviceIDs, wherever they stand, also in the raw
/// words of commands and in the halves that a guest stores in registers and MSI-X entries. Kept: kinds and
/// their order, EventIDs, INTIDs, targets, ASIDs, vPEIDs, sizes, flags and outcomes. What a replay gives
/// for an event is what it gave before, with its address permuted. An event becomes one event, but for an
/// invalidation of a range of pages: pages that followed one another do not any more, so it becomes one
/// command for each of the range's aligned blocks.
package struct Anonymizer {
  var addresses: AddressPermutation
  var numbers: NumberPermutation
  /// Subtracted from all times.
  package var startTime: UInt64 = 0

  package init(key: (UInt64, UInt64), geometry: TableGeometry, blocks: ContiguousBlocks) {
    let function = SipHash(key: key)
    addresses = AddressPermutation(function, geometry: geometry, blocks: blocks)
    numbers = NumberPermutation(function, geometry: geometry)
  }

  /// - Parameter sink: takes what the event becomes.
  package mutating func rewrite(
    _ event: TraceEvent, sink: (TraceEvent) throws -> Void
  ) throws {
    var event = event
    event.time = event.time &- min(startTime, event.time)
    if let range = InvalidationRange(event) {
      for command in invalidations(range, of: event) { try sink(command) }
    } else {
      try rewriteOne(&event)
      try sink(event)
    }
  }

  private mutating func rewriteOne(_ event: inout TraceEvent) throws(AnonymizationError) {
    switch event.kind {
    case .dma, .msi: rewriteAccess(&event)
    case .map, .unmap: rewriteLeaf(&event)
    case .smmuCommand: rewriteSMMUCommand(&event)
    case .streamConfiguration:
      event.word0 = addresses(event.word0)
      event.word1 = addresses(event.word1)
      event.word2 = Self.replacing(low: numbers(event.streamID), in: event.word2)
    case .itsCommand: rewriteITSCommand(&event)
    case .msixTableWrite: rewriteTableWrite(&event)
    case .msixControl:
      event.word2 = pack(numbers(event.streamID), numbers(event.deviceID))
    case .itsRegisterWrite: rewriteRegister(&event, Self.itsAddressFields)
    case .redistributorWrite: rewriteRegister(&event, Self.redistributorAddressFields)
    // The virtual pending table that the vCPU has.
    case .vcpuLoad, .vcpuPut, .vcpuBlock, .vcpuMigrate: event.word0 = addresses(event.word0)
    case .acknowledge, .endOfInterrupt, .lpiConfiguration, .mark, .loss: break
    default: throw AnonymizationError(kind: event.kind)
    }
  }

  private mutating func rewriteAccess(_ event: inout TraceEvent) {
    event.word0 = addresses(event.iova)
    if event.flags.contains(.addressRecorded) { event.word1 = addresses(event.expectedAddress) }
    let stream = numbers(event.streamID)
    event.word2 =
      event.kind == .msi
      ? pack(stream, numbers(event.deviceID)) : Self.replacing(low: stream, in: event.word2)
  }

  private mutating func rewriteLeaf(_ event: inout TraceEvent) {
    event.word0 = addresses.block(event.iova, log2Bytes: event.log2SizeBytes)
    if event.kind == .map { event.word1 = addresses(event.outputAddress) }
    event.word2 = Self.replacing(low: numbers(event.streamID), in: event.word2)
  }

  /// Message address in the first eight bytes of an entry, then data and control.
  private mutating func rewriteTableWrite(_ event: inout TraceEvent) {
    let sizeBytes = event.word3 >> 32
    event.word0 = addresses(event.word0)
    event.word2 = pack(numbers(event.streamID), numbers(event.deviceID))
    switch (event.tableOffset % 16, sizeBytes) {
    case (0, 8): event.word1 = addresses(event.value)
    case (0, _):
      event.word1 = Self.replacing(
        low: addresses.low(UInt32(truncatingIfNeeded: event.value)), in: event.word1)
    case (4, _):
      event.word1 = Self.replacing(
        low: addresses.high(UInt32(truncatingIfNeeded: event.value)), in: event.word1)
    default: break
    }
  }

  static func replacing(low: UInt32, in word: UInt64) -> UInt64 {
    word & ~0xFFFF_FFFF | UInt64(low)
  }
}

/// A kind of event whose words the anonymizer does not know: what they hold could give the machine away.
package struct AnonymizationError: Error, Hashable, CustomStringConvertible {
  package var kind: EventKind

  package var description: String {
    "\(kind) events hold raw words that cannot be anonymized; leave them out first with "
      + "'doorbell slice --bare --kind' and the kinds to keep"
  }
}
