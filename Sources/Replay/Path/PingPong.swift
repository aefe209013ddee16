import CPlatform
package import Measurement
import RingBuffer

/// What it costs to get from one CPU to the other and back, with nothing else: the floor under every
/// `path`. Two threads on the CPUs of the device and the vCPU thread pass one cache line to and fro; in
/// the same run, block by block, two rings of one element each do the same.
///
/// Half of a round trip is one way if both ways are alike, which is assumed, not measured.
package struct PingPong: Sendable {
  /// A store on one CPU that the other one sees, and back.
  package var line = LatencyHistogram()
  /// A push that the other thread pops, and back.
  package var ring = LatencyHistogram()
  /// Why a thread does not have a CPU of its own; empty if both have.
  package var placement: [String] = []

  /// Takes about `rounds` microseconds; longer when the CPUs are busy.
  package static func measure(rounds: Int = 20_000) throws(WorkerThreadError) -> PingPong {
    let mailbox = Mailbox()
    let there = SPSCRing<UInt64>(capacity: 1)
    let back = SPSCRing<UInt64>(capacity: 1)
    let received = HandOff(there.consumer)
    let returned = HandOff(back.producer)
    var serve = there.producer
    var catchEnd = back.consumer
    let blocks = 8
    let perBlock = max(1, rounds / blocks)
    let partner = try WorkerThread("partner", onCPU: 1) {
      var last = Mailbox.none
      var received = received.take()
      var returned = returned.take()
      for _ in 0..<blocks {
        for _ in 1...perBlock { last = mailbox.answer(after: last) }
        for _ in 1...perBlock {
          guard let ball = received.pop(waiting: SpinThenYieldWait()),
            returned.push(ball, waiting: SpinThenYieldWait())
          else { return }
        }
      }
    }
    var result = PingPong()
    if let reason = ThreadPlacement.pin(toAllowed: 0) {
      result.placement.append("first thread not on a CPU of its own: \(reason)")
    }
    defer { ThreadPlacement.unpin() }
    let clock = CycleClock.shared
    for block in 0..<blocks {
      var last = clock.now()
      for round in 1...perBlock {
        mailbox.exchange(UInt64(block * perBlock + round))
        let now = clock.now()
        result.line.record(clock.nanoseconds(from: last, to: now))
        last = clock.now()
      }
      for round in 1...perBlock {
        guard serve.push(UInt64(round), waiting: SpinThenYieldWait()),
          catchEnd.pop(waiting: SpinThenYieldWait()) == UInt64(round)
        else { fatalError("the partner left before the last round") }
        let now = clock.now()
        result.ring.record(clock.nanoseconds(from: last, to: now))
        last = clock.now()
      }
    }
    if let reason = partner.join() { result.placement.append(reason) }
    return result
  }
}
