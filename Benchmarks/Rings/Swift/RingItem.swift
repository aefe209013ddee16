import EventModel

/// What the benchmark sends: an element that carries its number and is written whole.
protocol RingItem: BitwiseCopyable, Sendable {
  init(number: UInt64)
  var number: UInt64 { get }
}

extension UInt64: RingItem {
  init(number: UInt64) { self = number }
  var number: UInt64 { self }
}

extension TraceEvent: RingItem {
  init(number: UInt64) { self.init(time: number, kind: .mark, word0: number) }
  var number: UInt64 { time }
}
