public import EventModel

/// Where events come from: a trace reader decodes straight into the caller's buffer.
public protocol EventSource: ~Copyable {
  /// Fills `buffer` from its start and returns how many events it holds; 0 at the end.
  mutating func fill(_ buffer: UnsafeMutableBufferPointer<TraceEvent>) throws -> Int
  /// Starts again at the first event.
  mutating func rewind() throws
}

/// Events that are in memory already.
package struct ArraySource: EventSource {
  private let events: [TraceEvent]
  private var position = 0
  package init(_ events: [TraceEvent]) { self.events = events }

  package mutating func fill(_ buffer: UnsafeMutableBufferPointer<TraceEvent>) -> Int {
    let count = min(buffer.count, events.count - position)
    // Safety: `count` is bounded by both sides.
    for index in 0..<count { unsafe buffer[index] = events[position + index] }
    position += count
    return count
  }

  package mutating func rewind() { position = 0 }
}

/// A source played several times over. The second time begins with the tables as the first left them,
/// which is what a device that is reset and configured again finds. Times go on rising.
package struct LoopingSource<Base: EventSource & ~Copyable>: EventSource, ~Copyable {
  private var base: Base
  private let passes: Int
  private var pass = 0
  private var offset: UInt64 = 0
  private var latest: UInt64 = 0

  package init(_ base: consuming Base, passes: Int) {
    self.base = base
    self.passes = passes
  }

  package mutating func fill(_ buffer: UnsafeMutableBufferPointer<TraceEvent>) throws -> Int {
    while pass < passes {
      let count = unsafe try base.fill(buffer)
      if count > 0 {
        // Safety: below the count that the base filled.
        if pass > 0 { for index in 0..<count { unsafe buffer[index].time &+= offset } }
        latest = unsafe buffer[count - 1].time
        return count
      }
      pass += 1
      if pass < passes {
        offset = latest
        try base.rewind()
      }
    }
    return 0
  }

  package mutating func rewind() throws {
    pass = 0
    offset = 0
    latest = 0
    try base.rewind()
  }
}

extension LoopingSource: Sendable where Base: Sendable & ~Copyable {}
