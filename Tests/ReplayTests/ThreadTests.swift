import Measurement
import Replay
import Synchronization
import Testing

@Suite(.serialized) struct ThreadTests {
  @Test func joinWaitsForTheBodyAndMayBeRepeated() throws {
    let count = Atomic<Int>(0)
    let thread = try WorkerThread("test", onCPU: 0) { count.add(1, ordering: .relaxed) }
    thread.join()
    thread.join()
    #expect(count.load(ordering: .relaxed) == 1)
  }

  @Test func everyRoundOfThePingPongIsRecorded() throws {
    let result = try PingPong.measure(rounds: 800)
    #expect(result.line.count == 800 && result.ring.count == 800)
    #expect(result.line.minimum > 0 && result.ring.minimum > 0)
    #expect(result.placement.isEmpty == (ThreadPlacement.allowedCPUs.count > 1))
  }
}
