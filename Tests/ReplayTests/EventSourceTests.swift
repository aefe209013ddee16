import EventModel
import PipelineRaces
import Replay
import Testing

@Suite struct EventSourceTests {
  private func drain(_ source: inout some EventSource & ~Copyable, by count: Int) throws
    -> [TraceEvent]
  {
    let buffer = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: count)
    defer { unsafe buffer.deallocate() }
    var events: [TraceEvent] = []
    while true {
      let filled = try unsafe source.fill(buffer)
      if filled == 0 { return events }
      events += (0..<filled).map { unsafe buffer[$0] }
    }
  }

  @Test(arguments: 1...9)
  func everyBufferSizeGivesTheSameEvents(size: Int) throws {
    let events = toyTrace(rounds: 1)
    var source = ArraySource(events)
    #expect(try drain(&source, by: size) == events)
    #expect(try drain(&source, by: size).isEmpty)
    source.rewind()
    #expect(try drain(&source, by: size) == events)
  }

  @Test(arguments: 1...9)
  func loopedSourceRepeatsTheEventsWithTimesThatGoOnRising(size: Int) throws {
    let events = toyTrace(rounds: 2)
    var source = LoopingSource(ArraySource(events), passes: 3)
    let looped = try drain(&source, by: size)
    #expect(looped.map(\.kind) == (events + events + events).map(\.kind))
    #expect(looped.map(\.time) == looped.map(\.time).sorted())
    let last = try #require(events.last).time
    #expect(looped[events.count].time == last + events[0].time)
    #expect(try #require(looped.last).time == 3 * last)
    try source.rewind()
    #expect(try drain(&source, by: size) == looped)
  }

  @Test func loopingNothingEnds() throws {
    var source = LoopingSource(ArraySource([]), passes: 5)
    #expect(try drain(&source, by: 4).isEmpty)
  }
}
