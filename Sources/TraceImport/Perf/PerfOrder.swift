/// Samples on their way into the order of their times.
///
/// perf writes the buffers of the CPUs one after the other, in rounds: when a round has ended, nothing
/// that comes later is older than what the round before held (linux, tools/perf/util/session.c,
/// process_finished_round). Memory is bounded: a recording whose rounds are larger than `limit` gives
/// its oldest sample early, and one that then comes too late is counted as a time that runs
/// backwards.
struct PerfOrder {
  enum Step {
    case record(TracefsRecordReader.Decoded)
    case loss(count: UInt64, cpu: UInt16)
    case command(process: Int32, name: String)
  }

  struct Entry {
    var time: UInt64
    /// Samples of one time stay in the order of the file.
    var ordinal: UInt64
    var step: Step

    func isBefore(_ other: Entry) -> Bool { (time, ordinal) < (other.time, other.ordinal) }
  }

  /// Entries that wait at most, 128 bytes each.
  static var limit: Int { 1 << 18 }
  /// A binary heap, the earliest entry first.
  private var heap: [Entry] = []
  private var nextOrdinal: UInt64 = 0
  private var latestTime: UInt64 = 0
  /// What is not later may go: the latest time of the round before this one.
  private var boundary: UInt64?
  private var nextBoundary: UInt64?

  mutating func insert(_ step: Step, time: UInt64) {
    heap.append(Entry(time: time, ordinal: nextOrdinal, step: step))
    nextOrdinal += 1
    latestTime = max(latestTime, time)
    var place = heap.count - 1
    while place > 0, heap[place].isBefore(heap[(place - 1) / 2]) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  /// A round has ended.
  mutating func finishRound() {
    boundary = nextBoundary
    nextBoundary = latestTime
  }

  /// The earliest entry, if nothing earlier can come any more.
  mutating func next(isAtEnd: Bool) -> Entry? {
    guard let first = heap.first else { return nil }
    guard isAtEnd || heap.count > Self.limit || boundary.map({ first.time <= $0 }) == true
    else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return first
  }

  private mutating func sink() {
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
        if heap[child].isBefore(heap[least]) { least = child }
      }
      if least == place { return }
      heap.swapAt(place, least)
      place = least
    }
  }
}
