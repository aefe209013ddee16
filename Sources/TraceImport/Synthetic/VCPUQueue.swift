/// What a vCPU does about its interrupts, one at a time: it takes the oldest that has waited long enough,
/// handles it, and takes the next. While it does not run, they wait.
struct VCPUQueue: Sendable {
  struct Entry: Sendable {
    var vector: Int
    /// Of the vector when it was raised; an entry of another one is void.
    var generation: UInt32
    /// The vCPU notices no earlier.
    var from: UInt64
    var handlingNanoseconds: UInt64
  }

  private var entries: [Entry] = []
  private var head = 0
  var isRunning = true
  /// The INTID being handled, and when that ends.
  var handling: (intid: UInt32, end: UInt64)?
  /// From when on it may take the next.
  var freeAt: UInt64 = 0

  private var isEmpty: Bool { head == entries.count }
  var first: Entry? { isEmpty ? nil : entries[head] }
  /// Nothing is pending and nothing being handled.
  var isIdle: Bool { isEmpty && handling == nil }

  mutating func append(_ entry: Entry) { entries.append(entry) }

  mutating func removeFirst() {
    head += 1
    guard head > 1_024 || isEmpty else { return }
    entries.removeFirst(head)
    head = 0
  }

  /// When it next does something; `.max` if nothing is to be done.
  var nextTime: UInt64 {
    guard isRunning else { return .max }
    if let handling { return handling.end }
    return first.map { max($0.from, freeAt) } ?? .max
  }
}
