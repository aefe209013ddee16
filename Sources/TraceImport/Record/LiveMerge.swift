/// The rings of all CPUs on one time line while they fill.
///
/// A quiet CPU may still have something earlier to say than a busy one. What is known of it is the
/// time at which its ring was found empty: an event that comes later is later. So the earliest head
/// goes as soon as no ring can pass it. A CPU stamps an event and only then makes it readable;
/// `slackNanoseconds` covers that moment, and an event that takes longer gets the time of the one
/// before it and is counted.
///
/// Memory: one page per CPU. What is not due yet waits in the kernel's ring.
struct LiveMerge: ~Copyable {
  /// From an event's time stamp to its commit the kernel does not preempt: only an interrupt, or a
  /// hypervisor that takes the processor away, makes it longer.
  static var slackNanoseconds: UInt64 { 10_000_000 }

  private let files: RingFiles
  private let layout: TracefsFormats.Page
  private let now: () -> UInt64
  private var rings: [RingEntries]
  private var order = RingOrder()
  /// When each ring was last found empty, less the slack. An event before that can no longer come.
  private var emptySince: [UInt64]
  /// The earliest of those of the empty rings: heads before it may go.
  private var horizon: UInt64 = 0
  /// Nobody writes any more: an empty ring stays empty.
  private var isEnding = false

  /// - Parameter now: the clock of the rings.
  init(_ files: consuming RingFiles, _ layout: TracefsFormats.Page, now: @escaping () -> UInt64) {
    cpus = files.cpus
    let count = cpus.count
    self.files = files
    self.layout = layout
    self.now = now
    rings = Array(repeating: RingEntries(), count: count)
    emptySince = Array(repeating: 0, count: count)
  }

  let cpus: [UInt16]
  /// Events that were lost right before a ring's head: nil none, 0 an unknown number.
  func lostBeforeHead(_ ring: Int) -> UInt64? { rings[ring].lostBeforeHead }

  /// Hands over the head of a ring, and the loss before it.
  func readHead(_ ring: Int, into reader: inout TracefsRecordReader) {
    guard let head = rings[ring].head else { return }
    rings[ring].readHead(at: head.time, cpu: cpus[ring], into: &reader)
  }

  var damagedPages: UInt64 { rings.reduce(0) { $0 + $1.damagedPages } }

  /// The ring whose head goes next; nil if none can go yet, or at the end.
  mutating func next() throws(RecordError) -> Int? {
    if let next = due { return next }
    try refill()
    return due
  }

  /// Leaves the head of a ring behind.
  mutating func advance(_ ring: Int) throws(RecordError) {
    try refill(ring)
    if rings[ring].head == nil { horizon = min(horizon, emptySince[ring]) }
    if !order.holds(rings[ring].head?.time) { choose() }
  }

  /// From here on nobody writes.
  mutating func end() { isEnding = true }

  func wait(milliseconds: Int32) { files.wait(milliseconds: milliseconds) }

  private var due: Int? {
    guard let next = order.next, let head = rings[next].head, head.time < horizon
    else { return nil }
    return next
  }

  /// Looks again at every ring that was empty.
  private mutating func refill() throws(RecordError) {
    horizon = .max
    for ring in rings.indices {
      if rings[ring].head == nil { try refill(ring) }
      if rings[ring].head == nil { horizon = min(horizon, emptySince[ring]) }
    }
    choose()
  }

  /// Goes on to the next entry of a ring, if it has one now.
  private mutating func refill(_ ring: Int) throws(RecordError) {
    while !rings[ring].advance() {
      // Read before the ring is: what comes between is later.
      let time = isEnding ? .max : now()
      guard let page = try files.page(ring) else {
        emptySince[ring] = isEnding ? .max : time - min(time, Self.slackNanoseconds)
        return
      }
      rings[ring].begin(page, layout)
    }
  }

  private mutating func choose() { order.choose(rings.count) { rings[$0].head?.time } }
}
