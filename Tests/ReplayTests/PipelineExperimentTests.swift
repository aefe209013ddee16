import EventModel
import PipelineRaces
import Replay
import Testing

@Suite(.serialized) struct PipelineExperimentTests {
  /// Rings much smaller than, like, and much larger than the batches; both wrap.
  @Test(arguments: [(1, 1), (7, 3), (16, 64), (4_096, 512)])
  func eventsArriveAllAndInOrder(capacity: Int, batch: Int) throws {
    let events = toyTrace(rounds: 30)
    var alone = ToyBackend(keepsLog: true)
    var expected = PassTally()
    for _ in 0..<3 {
      unsafe events.withUnsafeBufferPointer { unsafe replay($0, through: &alone, &expected) }
    }
    var options = PipelineExperiment.Options()
    options.ringCapacity = capacity
    options.batch = batch
    var backend = ToyBackend(keepsLog: true)
    let result = try PipelineExperiment(options)
      .run(LoopingSource(ArraySource(events), passes: 3), through: &backend)
    #expect(result.events == UInt64(3 * events.count) && result.sourceError == nil)
    #expect(backend.log == alone.log)
    #expect(result.tally.digest == expected.digest && result.tally.isConserved)
    #expect(result.nanoseconds > 0 && result.nanoseconds >= result.deviceWaitNanoseconds)
  }

  @Test func emptySourceEndsAtOnce() throws {
    var backend = ToyBackend()
    let result = try PipelineExperiment().run(ArraySource([]), through: &backend)
    #expect(result.events == 0 && result.sourceError == nil)
  }

  /// A source that fails after some events, as a truncated file does.
  struct TornSource: EventSource {
    struct Torn: Error {}
    private var events: ArraySource
    private var isTorn = false
    init(_ events: [TraceEvent]) { self.events = ArraySource(events) }
    mutating func fill(_ buffer: UnsafeMutableBufferPointer<TraceEvent>) throws -> Int {
      let count = unsafe events.fill(buffer)
      if count == 0 { throw Torn() }
      return count
    }
    mutating func rewind() {}
  }

  @Test func whatCameBeforeATearIsReplayedAndTheTearReported() throws {
    let events = toyTrace(rounds: 5)
    var backend = ToyBackend()
    let result = try PipelineExperiment().run(TornSource(events), through: &backend)
    #expect(result.events == UInt64(events.count))
    #expect(result.sourceError is TornSource.Torn)
  }
}
