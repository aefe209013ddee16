package import EventModel

/// A cache of sets and ways that replaces the line used least recently, line by line to be read.
///
/// Every line remembers when it was last looked up or filled; a set that is full loses the line
/// whose time is longest ago. A lookup that fails changes nothing.
package struct SetAssociativeCache<Value: Hashable & Sendable>: Sendable {
  package struct Line: Hashable, Sendable {
    package var key: UInt64
    package var value: Value
    fileprivate var lastUse: UInt64
  }

  package let shape: CacheShape
  private var sets: [[Line]]
  private var time: UInt64 = 0

  package private(set) var hits: UInt64 = 0
  package private(set) var misses: UInt64 = 0
  /// Lines that made room for others.
  package private(set) var evictions: UInt64 = 0

  package init(_ shape: CacheShape) {
    self.shape = shape
    sets = Array(repeating: [], count: shape.setCount)
  }

  /// Every line, in no order that means anything.
  package var lines: [Line] { sets.flatMap { $0 } }

  private func set(_ key: UInt64) -> Int { CacheShape.set(of: key, indexBits: shape.indexBits) }

  package mutating func lookUp(_ key: UInt64) -> Value? {
    time += 1
    let set = set(key)
    guard let way = sets[set].firstIndex(where: { $0.key == key }) else {
      misses += 1
      return nil
    }
    hits += 1
    sets[set][way].lastUse = time
    return sets[set][way].value
  }

  /// Puts in what a lookup has just missed.
  package mutating func fill(_ key: UInt64, _ value: Value) {
    time += 1
    let set = set(key)
    if sets[set].count == Int(shape.ways) {
      let oldest = sets[set].indices.min { sets[set][$0].lastUse < sets[set][$1].lastUse }!
      sets[set].remove(at: oldest)
      evictions += 1
    }
    sets[set].append(Line(key: key, value: value, lastUse: time))
  }

  /// - Returns: the number of lines that went.
  @discardableResult
  package mutating func remove(where matches: (UInt64) -> Bool) -> UInt64 {
    let before = lines.count
    for set in sets.indices { sets[set].removeAll { matches($0.key) } }
    return UInt64(before - lines.count)
  }

  package mutating func flush() {
    for set in sets.indices { sets[set] = [] }
  }
}
