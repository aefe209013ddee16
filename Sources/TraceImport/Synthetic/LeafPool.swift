import EventModel

/// The leaves of one size that a device's address space may have, by number: leaf n has an IOVA and a
/// physical place of its own, whether it is mapped or not.
struct LeafPool: Sendable {
  let log2Bytes: UInt32
  let level: UInt32
  let count: Int
  /// IOVA and physical address of leaf 0. IOVAs of pages run down from 4 GiB, as Linux hands them
  /// out; all others run up from a place of their own above.
  private let iovaBase: UInt64
  private let physicalBase: UInt64
  private var mapped: [UInt64]

  /// As many leaves of a size as one address space has.
  static let limit = 1 << 19

  /// - Parameters:
  ///   - place: the number of the pool in its address space, 0 for the first.
  ///   - physicalBase: a multiple of the leaf's size.
  init(log2Bytes: UInt32, level: UInt32, count: Int, place: Int, physicalBase: UInt64) {
    self.log2Bytes = log2Bytes
    self.level = level
    self.count = min(count, Self.limit, 1 << (44 - Int(log2Bytes)))
    self.physicalBase = physicalBase
    iovaBase = place == 0 ? 0 : UInt64(place) << 44
    mapped = Array(repeating: 0, count: (self.count + 63) / 64)
  }

  var bytes: UInt64 { UInt64(count) << UInt64(log2Bytes) }

  func iova(_ leaf: Int) -> UInt64 {
    let size = UInt64(1) << UInt64(log2Bytes)
    let offset = UInt64(leaf) * size
    guard iovaBase == 0 else { return iovaBase + offset }
    // Below the page of the doorbell; from 4 GiB up if that would reach down to 2 GiB.
    return bytes > 1 << 31
      ? 1 << 32 + offset : SyntheticGuest.doorbellPage & ~(size - 1) - size - offset
  }
  func physical(_ leaf: Int) -> UInt64 { physicalBase + UInt64(leaf) << UInt64(log2Bytes) }

  func isMapped(_ leaf: Int) -> Bool { mapped[leaf >> 6] >> UInt64(leaf & 63) & 1 == 1 }
  mutating func setMapped(_ leaf: Int, _ isMapped: Bool) {
    if isMapped {
      mapped[leaf >> 6] |= 1 << UInt64(leaf & 63)
    } else {
      mapped[leaf >> 6] &= ~(1 << UInt64(leaf & 63))
    }
  }
}
