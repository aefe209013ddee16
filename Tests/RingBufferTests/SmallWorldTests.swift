import RingBuffer
import TestSupport
import Testing

@Suite struct SmallWorldTests {
  static let steps: [RingStep] = [
    .push, .pop, .claim(3, keep: 0), .claim(16, keep: 1), .peek(2, keep: 0), .peek(16, keep: 1),
  ]

  @Test(
    "Every capacity, head position, fill and program of three steps agrees with an array",
    arguments: 1...16)
  func everySmallProgram(capacity: Int) {
    let slotCount = RingModel(capacity: capacity).slotCount
    for position in 0..<slotCount {
      for count in 0...capacity {
        for first in Self.steps {
          for second in Self.steps {
            for third in Self.steps {
              let difference = Self.difference(
                in: [first, second, third], capacity: capacity, position: position, count: count)
              if let difference {
                Issue.record(
                  """
                  capacity \(capacity), position \(position), \(count) held: \(first), \(second), \
                  \(third): \(difference)
                  """)
                return
              }
            }
          }
        }
      }
    }
  }

  private static func difference(
    in program: [RingStep], capacity: Int, position: Int, count: Int
  ) -> String? {
    var comparison = RingComparison(capacity: capacity, position: position, count: count)
    for step in program {
      if let difference = comparison.difference(after: step) { return difference }
    }
    return comparison.drainDiffers() ? "drained otherwise" : nil
  }

  @Test("Long random programs agree with an array", arguments: [1, 2, 3, 5, 7, 8, 13, 100])
  func longProgram(capacity: Int) {
    var generator = SeededGenerator(seed: UInt64(capacity))
    var comparison = RingComparison(capacity: capacity, position: 0, count: 0)
    for index in 0..<5_000 {
      let count = Int.random(in: 0...capacity + 2, using: &generator)
      let keep = Int.random(in: 0...2, using: &generator)
      let step: RingStep =
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: .push
        case 1: .pop
        case 2: .claim(count, keep: keep)
        default: .peek(count, keep: keep)
        }
      if let difference = comparison.difference(after: step) {
        Issue.record("step \(index), \(step): \(difference)")
        return
      }
    }
    #expect(comparison.drainDiffers() == false)
  }

  @Test("A claim may be published in pieces, and a peek released in pieces")
  func piecewise() {
    let ring = SPSCRing<UInt64>(capacity: 8)
    var producer = ring.producer
    var consumer = ring.consumer
    let claim = unsafe producer.claim(upTo: 4)
    for index in 0..<4 { unsafe claim[index] = UInt64(index) }
    producer.publish(1)
    #expect(unsafe consumer.peek(upTo: 8).count == 1)
    producer.publish(3)
    // Safety: the peek is used before the release.
    let peek = unsafe consumer.peek(upTo: 8)
    #expect(unsafe Array(peek) == [0, 1, 2, 3])
    consumer.release(3)
    consumer.release(1)
    #expect(consumer.released == producer.published)
    #expect(consumer.released.distance(from: RingSequence(rawValue: 0)) == 4)
  }

  @Test("Indices and slots are at least 128 bytes apart", arguments: [1, 3, 1024])
  func lineDistances(capacity: Int) {
    let (indices, slots) = SPSCRing<UInt8>(capacity: capacity).testOnlyLineDistances
    #expect(indices >= 128)
    #expect(slots >= 128)
  }
}
