public import EventModel

/// A set-associative cache of words by key that replaces the line used least recently.
///
/// A set is its ways in order of use, the last used first:
///
///     ┌────────────┬────────────┬────────────┐
///     │ key  value │ key  value │ 0        0 │   a value of 0 is a free way; free ways come last
///     └────────────┴────────────┴────────────┘
///
/// so a hit on the first way writes nothing, another one moves the ways before it down by one, and
/// the line to be replaced is always the last. With two ways that is one exchange.
///
/// Without a shape it is switched off: it finds nothing, keeps nothing and counts nothing.
@safe
@usableFromInline
package struct CacheSets: ~Copyable {
  @frozen
  @usableFromInline
  struct Line: BitwiseCopyable {
    @usableFromInline var key: UInt64
    @usableFromInline var value: UInt64
    @inlinable
    init(key: UInt64, value: UInt64) {
      self.key = key
      self.value = value
    }
  }

  @usableFromInline let lines: UnsafeMutablePointer<Line>
  @usableFromInline let indexBits: UInt8
  /// 0: switched off.
  @usableFromInline let ways: Int
  @usableFromInline package internal(set) var hits: UInt64 = 0
  @usableFromInline package internal(set) var misses: UInt64 = 0
  private let lineCount: Int

  package init(_ shape: CacheShape?) {
    indexBits = shape?.indexBits ?? 0
    ways = Int(shape?.ways ?? 0)
    lineCount = shape?.lineCount ?? 0
    // Safety: initialised at once, owned by this value alone.
    unsafe lines = UnsafeMutablePointer<Line>.allocate(capacity: max(lineCount, 1))
    unsafe lines.initialize(repeating: Line(key: 0, value: 0), count: max(lineCount, 1))
  }

  deinit { unsafe lines.deallocate() }

  @inlinable @inline(__always)
  func set(of key: UInt64) -> UnsafeMutablePointer<Line> {
    // Safety: a set's number is below the number of sets; each has `ways` lines.
    unsafe lines + CacheShape.set(of: key, indexBits: indexBits) &* ways
  }

  /// The value, or 0.
  @inlinable @inline(__always)
  mutating func find(_ key: UInt64) -> UInt64 {
    guard ways > 0 else { return 0 }
    // Safety: a set has at least one line.
    let set = unsafe set(of: key)
    let first = unsafe set[0]
    if first.key == key && first.value != 0 {
      hits &+= 1
      return first.value
    }
    return findFurther(key)
  }

  /// `find` in the second way and those after it.
  @usableFromInline
  mutating func findFurther(_ key: UInt64) -> UInt64 {
    // Safety: `way` is below the number of ways of the set.
    let set = unsafe set(of: key)
    for way in 1..<max(ways, 1) {
      let line = unsafe set[way]
      if line.value == 0 { break }
      guard line.key == key else { continue }
      unsafe moveDown(set, from: 0, to: way)
      unsafe set[0] = line
      hits += 1
      return line.value
    }
    misses += 1
    return 0
  }

  /// Puts in what `find` has just missed. The value is not 0.
  @usableFromInline
  mutating func insert(_ key: UInt64, _ value: UInt64) {
    guard ways > 0 else { return }
    let set = unsafe set(of: key)
    // Safety: the last way's line falls out.
    unsafe moveDown(set, from: 0, to: ways - 1)
    unsafe set[0] = Line(key: key, value: value)
  }

  /// Ways `from..<to` become `from + 1...to`.
  private func moveDown(_ set: UnsafeMutablePointer<Line>, from: Int, to: Int) {
    // Safety: both are ways of the set, by the callers.
    for way in stride(from: to, to: from, by: -1) { unsafe set[way] = set[way - 1] }
  }

  /// - Returns: the number of lines that went, 0 or 1.
  mutating func remove(_ key: UInt64) -> UInt64 {
    guard ways > 0 else { return 0 }
    return unsafe remove(in: set(of: key)) { $0 == key }
  }

  /// Asks every line.
  mutating func remove(where matches: (UInt64) -> Bool) -> UInt64 {
    var removed: UInt64 = 0
    for first in stride(from: 0, to: lineCount, by: max(ways, 1)) {
      // Safety: `lineCount` is a multiple of `ways`.
      removed += unsafe remove(in: lines + first, where: matches)
    }
    return removed
  }

  private func remove(
    in set: UnsafeMutablePointer<Line>, where matches: (UInt64) -> Bool
  ) -> UInt64 {
    var kept = 0
    var removed: UInt64 = 0
    for way in 0..<ways {
      // Safety: both are ways of the set.
      let line = unsafe set[way]
      guard line.value != 0 else { break }
      if matches(line.key) {
        removed += 1
      } else {
        unsafe set[kept] = line
        kept += 1
      }
    }
    for way in kept..<kept + Int(removed) { unsafe set[way] = Line(key: 0, value: 0) }
    return removed
  }

  mutating func flush() {
    // Safety: the table's whole length.
    unsafe lines.update(repeating: Line(key: 0, value: 0), count: max(lineCount, 1))
  }

  /// Every key and value: for tests.
  package var contents: [(key: UInt64, value: UInt64)] {
    (0..<lineCount).compactMap { index in
      // Safety: below the table's length.
      let line = unsafe lines[index]
      return line.value == 0 ? nil : (line.key, line.value)
    }
  }
}
