import RingBuffer

/// One step of a small program on a ring. Counts are what is asked for, not what is granted.
enum RingStep: Hashable, CustomStringConvertible {
  case push
  case pop
  /// Claims up to `claim` slots, fills all that were granted and publishes all but `keep` of them.
  case claim(Int, keep: Int)
  /// Peeks up to `peek` elements and releases all but `keep` of them.
  case peek(Int, keep: Int)

  var description: String {
    switch self {
    case .push: "push"
    case .pop: "pop"
    case .claim(let count, let keep): "claim \(count) publish all but \(keep)"
    case .peek(let count, let keep): "peek \(count) release all but \(keep)"
    }
  }
}

/// The slow and obvious ring: an array with a maximum count, and two positions.
struct RingModel {
  let capacity: Int
  let slotCount: Int
  var elements: [UInt64] = []
  var published: UInt64 = 0
  var released: UInt64 = 0

  init(capacity: Int) {
    self.capacity = capacity
    var slotCount = 1
    while slotCount < capacity { slotCount *= 2 }
    self.slotCount = slotCount
  }

  /// How many slots a claim of `count` must give: what is asked, free and before the wrap.
  func claimable(_ count: Int) -> Int {
    min(count, capacity - elements.count, slotCount - Int(published) % slotCount)
  }

  /// How many elements a peek of `count` must show.
  func peekable(_ count: Int) -> Int {
    min(count, elements.count, slotCount - Int(released) % slotCount)
  }

  mutating func push() {
    elements.append(payload(published))
    published += 1
  }

  mutating func pop() {
    elements.removeFirst()
    released += 1
  }
}

/// The element at a sequence: not the sequence itself, and never zero.
func payload(_ sequence: UInt64) -> UInt64 { sequence &* 0x9E37_79B9_7F4A_7C15 | 1 }

/// Runs the same steps on a ring and on the model, and keeps the first difference.
struct RingComparison: ~Copyable {
  var producer: RingProducer<UInt64>
  var consumer: RingConsumer<UInt64>
  var model: RingModel

  /// A ring whose next slot to read is `position` and which holds `count` elements.
  init(capacity: Int, position: Int, count: Int) {
    let ring = SPSCRing<UInt64>(capacity: capacity)
    producer = ring.producer
    consumer = ring.consumer
    model = RingModel(capacity: capacity)
    advance(to: position)
    for _ in 0..<count {
      _ = producer.tryPush(payload(model.published))
      model.push()
    }
  }

  /// Sends elements that nobody looks at through the ring until its next slot is `position`.
  private mutating func advance(to position: Int) {
    while Int(model.released) < position {
      let count = unsafe producer.claim(upTo: position - Int(model.released)).count
      producer.publish(count)
      _ = unsafe consumer.peek(upTo: count)
      consumer.release(count)
      model.published += UInt64(count)
      model.released += UInt64(count)
    }
  }

  /// What went wrong at this step, or nil.
  mutating func difference(after step: RingStep) -> String? {
    switch step {
    case .push:
      let expected = model.claimable(1) == 1
      let pushed = producer.tryPush(payload(model.published))
      guard pushed == expected else { return "pushed: \(pushed), expected \(expected)" }
      if pushed { model.push() }
    case .pop:
      let popped = consumer.tryPop()
      guard popped == model.elements.first else {
        return "popped \(String(describing: popped)), expected \(model.elements)"
      }
      if popped != nil { model.pop() }
    case .claim(let count, let keep):
      let buffer = unsafe producer.claim(upTo: count)
      guard buffer.count == model.claimable(count) else {
        return "claimed \(buffer.count), expected \(model.claimable(count))"
      }
      for index in 0..<buffer.count {
        // Safety: the index is below the buffer's count, and the claim is not yet published.
        unsafe buffer[index] = payload(model.published + UInt64(index))
      }
      let published = max(0, buffer.count - keep)
      producer.publish(published)
      for _ in 0..<published { model.push() }
    case .peek(let count, let keep):
      let buffer = unsafe consumer.peek(upTo: count)
      let expected = Array(model.elements.prefix(model.peekable(count)))
      // Safety: the peek is not yet released.
      guard unsafe buffer.elementsEqual(expected) else {
        return unsafe "peeked \(Array(buffer)), expected \(expected)"
      }
      let released = max(0, buffer.count - keep)
      consumer.release(released)
      for _ in 0..<released { model.pop() }
    }
    return producer.testOnlyBrokenInvariant() ?? consumer.testOnlyBrokenInvariant()
  }

  /// Whether draining gives exactly what the model still holds.
  mutating func drainDiffers() -> Bool {
    while let expected = model.elements.first {
      guard consumer.tryPop() == expected else { return true }
      model.pop()
    }
    return consumer.tryPop() != nil
  }
}
