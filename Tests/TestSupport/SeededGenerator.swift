import EventModel

/// The same seed gives the same sequence on every host, so a failing test is replayed from its seed.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var generator: SplitMix64
  public init(seed: UInt64) { generator = SplitMix64(seed: seed) }
  public mutating func next() -> UInt64 { generator.next() }
}
