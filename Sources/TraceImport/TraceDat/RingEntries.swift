/// The events of one CPU's ring in order, page after page, whoever brings the pages.
///
///   while !entries.advance() { entries.begin(nextPage, layout) }
struct RingEntries {
  /// The event that comes next; nil before the first page and between two pages.
  private(set) var head: RingPage.Entry?
  /// Events that were lost right before `head`: nil none, 0 an unknown number.
  private(set) var lostBeforeHead: UInt64?
  private var page: RingPage?
  /// Pages that contradict themselves.
  private(set) var damagedPages: UInt64 = 0

  /// Leaves `head` behind. False: the page holds no more, and the next one must begin.
  mutating func advance() -> Bool {
    if head != nil { lostBeforeHead = nil }
    head = nil
    switch page?.next() {
    case .entry(let entry):
      head = entry
      return true
    case .damaged:
      damagedPages += 1
      note(lost: 0)
    case .end, nil: break
    }
    page = nil
    return false
  }

  /// Hands over `head`, as of `time`, and the loss before it.
  func readHead(at time: UInt64, cpu: UInt16, into reader: inout TracefsRecordReader) {
    guard let head, let page else { return }
    if let lostBeforeHead { reader.lose(lostBeforeHead, time: time, cpu: cpu) }
    page.read(head, at: time, cpu: cpu, into: &reader)
  }

  mutating func begin(_ bytes: OrderedBytes, _ layout: TracefsFormats.Page) {
    page = RingPage(bytes, layout)
    if let page {
      note(lost: page.lostEvents)
    } else {
      damagedPages += 1
      note(lost: 0)
    }
  }

  private mutating func note(lost: UInt64?) {
    if let lost { lostBeforeHead = (lostBeforeHead ?? 0) &+ lost }
  }
}
