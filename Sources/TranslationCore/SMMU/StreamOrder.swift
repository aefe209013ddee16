/// Which streams the configuration cache holds, in the order in which they came: a ring that names,
/// when it is full, the one that makes room. Without a limit there is nothing to keep.
@safe
struct StreamOrder: ~Copyable {
  private let pages: ZeroedPages
  /// StreamID + 1; 0 is a place that nobody has.
  private let ring: UnsafeMutablePointer<UInt32>
  private let entries: Int
  private let isLimited: Bool
  private var next = 0

  var isEnabled: Bool { entries > 0 }

  init(entries: Int, streams: Int) {
    self.entries = min(max(entries, 0), streams)
    isLimited = entries > 0 && entries < streams
    pages = ZeroedPages(byteCount: isLimited ? entries * MemoryLayout<UInt32>.stride : 0)
    unsafe ring = pages.table(of: UInt32.self)
  }

  /// Gives a stream its place, the one that it had if that is still its own.
  ///
  /// - Returns: the stream that made room.
  mutating func add(_ streamID: UInt32, at place: inout UInt32) -> UInt32? {
    guard isLimited else { return nil }
    // Safety: places and `next` stay below `entries`.
    if unsafe ring[Int(place)] == streamID + 1 { return nil }
    let before = unsafe ring[next]
    unsafe ring[next] = streamID + 1
    place = UInt32(next)
    next = next + 1 == entries ? 0 : next + 1
    return before == 0 ? nil : before - 1
  }
}
