import EventModel

/// Events on their way out, in the order of the log.
///
/// Some are finished only by later lines: a translation turns out to be an MSI when the write to the
/// ITS follows, and its outcome stands in the table reads after that. Such an event keeps its place
/// here and is completed in it, while lines of other threads queue up behind it. Events are named
/// by ordinals, which count from 1 over the whole import and stay valid when the queue moves.
@safe
struct EventQueue: ~Copyable {
  // Safety: `storage` holds `capacity` events of which the first `count` are initialised; only this
  // struct holds it.
  private var storage: UnsafeMutablePointer<TraceEvent>
  private var capacity: Int
  private(set) var count = 0
  /// Ordinal of the first event in storage.
  private(set) var firstOrdinal: UInt64 = 1

  init(capacity: Int) {
    self.capacity = capacity
    unsafe storage = .allocate(capacity: capacity)
  }

  deinit {
    unsafe storage.deallocate()
  }

  /// Appends an event; returns its ordinal. One line yields at most as many events as
  /// `KnownMappings.limit`, and the queue is drained after each line, so growth is bounded.
  @discardableResult
  @inline(__always)
  mutating func append(_ event: TraceEvent) -> UInt64 {
    if count == capacity { grow() }
    unsafe (storage + count).initialize(to: event)
    count += 1
    return firstOrdinal + UInt64(count - 1)
  }

  @inline(__always)
  func contains(_ ordinal: UInt64) -> Bool {
    ordinal >= firstOrdinal && ordinal - firstOrdinal < UInt64(count)
  }

  /// An event that is still here.
  @inline(__always)
  subscript(ordinal: UInt64) -> TraceEvent {
    get {
      precondition(contains(ordinal))
      return unsafe storage[Int(ordinal - firstOrdinal)]
    }
    _modify {
      precondition(contains(ordinal))
      yield unsafe &storage[Int(ordinal - firstOrdinal)]
    }
  }

  /// Hands out all events before `boundary` and closes the gap.
  mutating func drain(before boundary: UInt64, _ body: (Span<TraceEvent>) throws -> Void) rethrows {
    guard boundary > firstOrdinal else { return }
    let ready = Int(min(boundary - firstOrdinal, UInt64(count)))
    guard ready > 0 else { return }
    let buffer = unsafe UnsafeBufferPointer(start: storage, count: ready)
    let span = unsafe buffer.span
    try body(span)
    unsafe storage.update(from: storage + ready, count: count - ready)
    count -= ready
    firstOrdinal += UInt64(ready)
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<TraceEvent>.allocate(capacity: capacity * 2)
    unsafe larger.moveInitialize(from: storage, count: count)
    unsafe storage.deallocate()
    unsafe storage = larger
    capacity *= 2
  }
}
