package import EventModel

/// Ranges whose inside a permutation of addresses must leave in order, because one event or one table
/// speaks of all of it: a leaf larger than a page, an ITT, a pending table.
///
/// A range is kept as the smallest aligned block around it. Two addresses that differ in their upper
/// halves only share their blocks, so that memory is bounded whatever the trace holds.
package struct ContiguousBlocks: Sendable {
  /// Blocks by log2 of their size, as lower address halves shifted right by that.
  private var blocks: [(log2Bytes: UInt32, starts: Set<UInt32>)] = []
  /// log2 of the largest block of more than 4 GiB, less 32; then every lower half stays as it is.
  package private(set) var keptHighBits: UInt32 = 0
  package private(set) var log2Largest: UInt32 = 12

  package init() {}

  package mutating func insert(_ base: UInt64, bytes: UInt64) {
    guard bytes > 0 else { return }
    let last = base.addingReportingOverflow(bytes - 1)
    let difference = last.overflow ? .max : base ^ last.partialValue
    let log2 = UInt32(64 - difference.leadingZeroBitCount)
    guard log2 > 12 else { return }
    log2Largest = max(log2Largest, log2)
    guard log2 < 32 else {
      keptHighBits = max(keptHighBits, log2 - 32)
      return
    }
    let start = UInt32(truncatingIfNeeded: base) >> log2
    if let index = blocks.firstIndex(where: { $0.log2Bytes == log2 }) {
      blocks[index].starts.insert(start)
    } else {
      blocks.append((log2, [start]))
    }
  }

  /// log2 of the largest block around an address whose lower half is `low`; 12 if there is none.
  func log2Block(around low: UInt32) -> UInt32 {
    if log2Largest >= 32 { return 32 }
    var largest: UInt32 = 12
    for (log2, starts) in blocks where log2 > largest && starts.contains(low >> log2) {
      largest = log2
    }
    return largest
  }
}

// What the events of a trace say about ranges.
extension ContiguousBlocks {
  package mutating func survey(_ event: TraceEvent) {
    switch event.kind {
    case .map:
      let bytes = UInt64(1) << UInt64(min(event.log2SizeBytes, 63))
      insert(event.iova, bytes: bytes)
      insert(event.outputAddress, bytes: bytes)
    case .itsCommand: surveyCommand(event)
    case .redistributorWrite:
      // GICR_PROPBASER and GICR_VPROPBASER: a byte for each of 2^(IDbits + 1) INTIDs.
      if event.registerOffset & 0x1_FFFF == 0x70 {
        insert(event.value & 0xF_FFFF_FFFF_F000, bytes: 2 << (event.value & 0x1F))
      }
    default: break
    }
  }

  /// Tables that commands name (IHI 0069, §5.3): an ITT has 2^(Size + 1) entries, none of which is larger
  /// than 16 bytes (GITS_TYPER.ITT_entry_size); a VPT has a bit for each of 2^(VPT_size + 1) INTIDs.
  private mutating func surveyCommand(_ event: TraceEvent) {
    switch event.word0 & 0xFF {
    case 0x08:
      guard event.word2 >> 63 == 1 else { return }
      insert(event.word2 & 0xF_FFFF_FFFF_FF00, bytes: 32 << (event.word1 & 0x1F))
    case 0x29:
      insert(event.word3 & 0xF_FFFF_FFFF_0000, bytes: max(1, (2 << (event.word3 & 0x1F)) / 8))
    default: break
    }
  }
}
