package import EventModel

/// Two views of one machine as one stream of events, in the order of time.
///
/// Events of the moved view get times of the fixed one's clock. If the moved view starts before that
/// clock's zero, all times are later by `shift`, which a reader of the merged trace should know. At the
/// same time the fixed view goes first. Each event keeps its origin, which tells the views apart.
package struct TimelineMerge {
  /// Where the events of a view come from: fills the array with the next ones, which are in the order
  /// of time; leaves it empty at the end.
  package typealias View = (inout [TraceEvent]) throws -> Void

  private let alignment: TimelineAlignment
  /// What was added to all times.
  package private(set) var shift: UInt64 = 0
  package private(set) var fixedCount: UInt64 = 0
  package private(set) var movedCount: UInt64 = 0
  /// Times that an alignment with a drift puts before the event before them; they get its time.
  package private(set) var backwardTimes: UInt64 = 0

  package init(_ alignment: TimelineAlignment) { self.alignment = alignment }

  /// - Parameter sink: gets the events some thousand at a time.
  package mutating func run(
    fixed: @escaping View, moved: @escaping View, sink: (Span<TraceEvent>) throws -> Void
  ) throws {
    var fixedHead = Head(fixed)
    var movedHead = Head(moved)
    try fixedHead.fill()
    try movedHead.fill()
    if let first = movedHead.event {
      let time = alignment.aligned(first.time)
      if time < 0 { shift = time.magnitude }
    }
    var output: [TraceEvent] = []
    output.reserveCapacity(Self.batchCount)
    var latest: UInt64 = 0
    while true {
      var event: TraceEvent
      let movedTime = movedHead.event.map { time(alignment.aligned($0.time)) }
      let fixedTime = fixedHead.event.map { $0.time.addingClamped(shift) }
      if let fixedTime, let next = fixedHead.event, fixedTime <= movedTime ?? .max {
        event = next
        event.time = fixedTime
        fixedCount += 1
        try fixedHead.advance()
      } else if let movedTime, let next = movedHead.event {
        event = next
        event.time = movedTime
        movedCount += 1
        try movedHead.advance()
      } else {
        break
      }
      if event.time < latest {
        backwardTimes += 1
        event.time = latest
      }
      latest = event.time
      output.append(event)
      if output.count == Self.batchCount {
        try sink(output.span)
        output.removeAll(keepingCapacity: true)
      }
    }
    if !output.isEmpty { try sink(output.span) }
  }

  private static var batchCount: Int { 4096 }

  private func time(_ aligned: Int64) -> UInt64 {
    aligned < 0
      ? shift - min(shift, aligned.magnitude) : UInt64(aligned).addingClamped(shift)
  }

  /// The event of a view that comes next.
  private struct Head {
    private let view: View
    private var batch: [TraceEvent] = []
    private var place = 0

    init(_ view: @escaping View) { self.view = view }

    var event: TraceEvent? { place < batch.count ? batch[place] : nil }

    mutating func advance() throws {
      place += 1
      if place == batch.count { try fill() }
    }

    mutating func fill() throws {
      batch.removeAll(keepingCapacity: true)
      place = 0
      try view(&batch)
    }
  }
}
