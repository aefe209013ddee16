import EventModel
import Testing

@testable import RingBenchmark

/// The ring's benchmark at a small size, so that it cannot rot.
@Suite struct BenchmarkSmokeTests {
  @Test("The one-to-one benchmark gets every item in order", arguments: [1, 32])
  func oneToOne(batch: Int) {
    #expect(OneToOne<UInt64>(items: 500, capacity: 128, batch: batch).measure() != nil)
    #expect(OneToOne<TraceEvent>(items: 500, capacity: 128, batch: batch).measure() != nil)
  }
}
