import EventModel

/// Which IOVA ranges the guest mapped onto its ITS translation page: how a VMM that composes messages
/// itself finds out what the guest meant by an address (QEMU walks the guest's stage 1 for it).
struct DoorbellPages {
  private struct Leaf {
    var space: UInt32
    var iova: UInt64
    var log2Size: UInt64
    var output: UInt64

    func contains(_ address: UInt64) -> Bool { address >> log2Size == iova >> log2Size }
  }

  /// 64 KiB.
  private let page: UInt64
  /// VMID and ASID of each stream with a stage 1.
  private var spaces: [UInt32: UInt32] = [:]
  /// In order of mapping; a handful, one for each address space that has a device with interrupts.
  /// Asked on every unmap, so searched in order rather than hashed.
  private var leaves: [Leaf] = []
  /// Grows whenever `meaning` may answer otherwise than before.
  private(set) var changes: UInt64 = 0
  /// More than this is no guest's doing; the oldest goes.
  private static let leafLimit = 256

  /// - Parameter page: the ITS translation page as the guest sees it.
  init(page: UInt64) { self.page = page }

  private static func space(_ event: TraceEvent) -> UInt32 { UInt32(event.word2 >> 32) }

  mutating func configure(_ event: TraceEvent) {
    changes += 1
    let hasStage1 = StreamConfiguration(event).config & 1 == 1
    spaces[event.streamID] = hasStage1 ? Self.space(event) : nil
  }

  /// Two comparisons for a mapping that has nothing to do with the doorbell.
  @inline(__always)
  mutating func map(_ event: TraceEvent) {
    let size = UInt64(1) &<< UInt64(event.log2SizeBytes & 63)
    if event.outputAddress &- page < 0x1_0000 || page &- event.outputAddress < size { note(event) }
  }

  @inline(never)
  private mutating func note(_ event: TraceEvent) {
    guard event.stage == 1, event.log2SizeBytes < 64 else { return }
    changes += 1
    let new = Leaf(
      space: Self.space(event), iova: event.iova, log2Size: UInt64(event.log2SizeBytes),
      output: event.outputAddress)
    leaves.removeAll { $0.space == new.space && $0.iova == new.iova }
    if leaves.count >= Self.leafLimit { leaves.removeFirst() }
    leaves.append(new)
  }

  /// Removes every leaf that the range touches.
  @inline(__always)
  mutating func unmap(_ event: TraceEvent) {
    let log2Size = UInt64(event.log2SizeBytes & 63)
    let space = Self.space(event)
    for index in leaves.indices where leaves[index].space == space {
      let shift = max(leaves[index].log2Size, log2Size)
      if leaves[index].iova &>> shift == event.iova &>> shift {
        forget(event)
        return
      }
    }
  }

  @inline(never)
  private mutating func forget(_ event: TraceEvent) {
    guard event.stage == 1 else { return }
    changes += 1
    let log2Size = UInt64(min(event.log2SizeBytes, 63))
    leaves.removeAll { leaf in
      let shift = max(leaf.log2Size, log2Size)
      return leaf.space == Self.space(event) && leaf.iova >> shift == event.iova >> shift
    }
  }

  enum Meaning {
    case doorbell
    /// On the page, but another register.
    case otherRegister
    case elsewhere
  }

  /// What the guest means by `address` in a message of `streamID`.
  func meaning(_ streamID: UInt32, _ address: UInt64) -> Meaning {
    var intermediate = address
    if let space = spaces[streamID] {
      guard let leaf = leaves.last(where: { $0.space == space && $0.contains(address) }) else {
        return .elsewhere
      }
      intermediate = leaf.output | address & ((1 << leaf.log2Size) - 1)
    }
    if intermediate == page + 0x40 { return .doorbell }
    return intermediate >> 16 == page >> 16 ? .otherRegister : .elsewhere
  }
}
