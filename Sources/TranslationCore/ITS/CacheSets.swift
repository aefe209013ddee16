import EventModel

/// A set-associative cache by key that replaces the line used least recently.
///
/// A set is its ways in order of use, the last used first:
///
///     ┌────────────┬────────────┬────────────┐
///     │ key  value │ key  value │ free       │   free ways come last
///     └────────────┴────────────┴────────────┘
///
/// so a hit on the first way writes nothing, another one moves the ways before it down by one, and
/// the line to be replaced is always the last. With two ways that is one exchange.
///
/// Without a shape it is switched off: it finds nothing, keeps nothing and counts nothing.
@safe
struct CacheSets<Value: BitwiseCopyable>: ~Copyable {
  private struct Line: BitwiseCopyable {
    var key: UInt64
    /// Nil: a free way.
    var value: Value?
    static var free: Line { Line(key: 0, value: nil) }
  }

  private let lines: UnsafeMutablePointer<Line>
  private let lineCount: Int
  private let indexBits: UInt8
  /// 0: switched off.
  private let ways: Int
  private(set) var hits: UInt64 = 0
  private(set) var misses: UInt64 = 0

  init(_ shape: CacheShape?) {
    indexBits = shape?.indexBits ?? 0
    ways = Int(shape?.ways ?? 0)
    lineCount = shape?.lineCount ?? 0
    // Safety: initialised at once, owned by this value alone.
    unsafe lines = UnsafeMutablePointer<Line>.allocate(capacity: lineCount)
    unsafe lines.initialize(repeating: .free, count: lineCount)
  }

  deinit { unsafe lines.deallocate() }

  private func set(of key: UInt64) -> UnsafeMutablePointer<Line> {
    // Safety: a set's number is below the number of sets; each has `ways` lines.
    unsafe lines + CacheShape.set(of: key, indexBits: indexBits) * ways
  }

  mutating func find(_ key: UInt64) -> Value? {
    guard ways > 0 else { return nil }
    // Safety: `way` is below the number of ways of the set.
    let set = unsafe set(of: key)
    for way in 0..<ways {
      let line = unsafe set[way]
      guard let value = line.value else { break }
      guard line.key == key else { continue }
      if way > 0 { unsafe promote(line, in: set, from: way) }
      hits &+= 1
      return value
    }
    misses &+= 1
    return nil
  }

  /// Puts in what `find` has just missed.
  func insert(_ key: UInt64, _ value: Value) {
    guard ways > 0 else { return }
    // Safety: a set of the table; the last way's line falls out.
    unsafe promote(Line(key: key, value: value), in: set(of: key), from: ways - 1)
  }

  /// Puts a line in front; those before `way` move down by one.
  private func promote(_ line: Line, in set: UnsafeMutablePointer<Line>, from way: Int) {
    // Safety: `way` is one of the set's.
    for below in stride(from: way, to: 0, by: -1) { unsafe set[below] = set[below - 1] }
    unsafe set[0] = line
  }

  /// - Returns: the number of lines that went, 0 or 1.
  func remove(_ key: UInt64) -> UInt64 {
    guard ways > 0 else { return 0 }
    return unsafe remove(in: set(of: key)) { $0 == key }
  }

  /// Asks every line.
  func remove(where matches: (UInt64) -> Bool) -> UInt64 {
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
      guard line.value != nil else { break }
      if matches(line.key) {
        removed += 1
      } else {
        unsafe set[kept] = line
        kept += 1
      }
    }
    for way in kept..<kept + Int(removed) { unsafe set[way] = .free }
    return removed
  }

  func flush() {
    // Safety: the table's whole length.
    unsafe lines.update(repeating: .free, count: lineCount)
  }

  /// Every key and value: for tests.
  var contents: [(key: UInt64, value: Value)] {
    (0..<lineCount).compactMap { index in
      // Safety: below the table's length.
      let line = unsafe lines[index]
      return line.value.map { (line.key, $0) }
    }
  }
}
