/// Hands out runs of ITT entries, a power of two each, and takes them back.
struct ITTArena {
  private let capacity: Int
  private var next = 0
  /// Free runs by log2 of their length.
  private var free = [[UInt32]](repeating: [], count: 32)

  init(capacity: Int) { self.capacity = capacity }

  /// First entry of a run, or nil when the arena is full.
  mutating func allocate(log2Count: UInt32) -> UInt32? {
    if let reused = free[Int(log2Count)].popLast() { return reused }
    let count = 1 << Int(log2Count)
    guard next + count <= capacity else { return nil }
    defer { next += count }
    return UInt32(next)
  }

  mutating func release(_ first: UInt32, log2Count: UInt32) { free[Int(log2Count)].append(first) }
}
