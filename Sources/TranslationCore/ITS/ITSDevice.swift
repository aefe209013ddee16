/// An entry of the device table: 8 bytes, all 0 if the device is not mapped.
@frozen
@usableFromInline
struct ITSDevice: BitwiseCopyable {
  /// EventIDs of the device, a power of two, or 0.
  @usableFromInline let eventCount: UInt32
  /// Where its ITT begins in the arena, in entries.
  @usableFromInline let firstEntry: UInt32

  static let unmapped = ITSDevice(firstEntry: 0, eventCount: 0)

  init(firstEntry: UInt32, eventCount: UInt32) {
    self.firstEntry = firstEntry
    self.eventCount = eventCount
  }

  /// Index of an event's entry. EventID is below `eventCount`, and the arena has fewer than 2³²
  /// entries.
  @inlinable @inline(__always)
  func entry(_ eventID: UInt32) -> Int { Int(truncatingIfNeeded: firstEntry &+ eventID) }
}
