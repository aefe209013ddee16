public import EventModel
public import Measurement

/// How `core` looks at caches that hold something else: a pass is cut into blocks of delivery events,
/// and a few blocks, evenly spread, are timed right after the processor's caches were displaced.
@usableFromInline package struct CoreThrash: Sendable {
  /// Events of a timed block. A longer block warms up on its way and says less about misses.
  @usableFromInline package var blockEvents = 256
  /// Timed blocks in a pass, at most; each costs a walk over `displacedBytes`.
  @usableFromInline package var blocks = 16
  /// Twice the last-level cache, because replacement is not exactly oldest first.
  @usableFromInline package var displacedBytes = 2 * (HostFacts.lastLevelCacheBytes ?? 32 << 20)
  @usableFromInline package init() {}

  /// What the timed blocks of one pass gave.
  @usableFromInline package struct Pass: Sendable {
    @usableFromInline package var nanoseconds: UInt64 = 0
    @usableFromInline package var events: UInt64 = 0
    @usableFromInline package var blocks: UInt64 = 0
    @usableFromInline init() {}
  }
}

/// Memory that is as large as the caches and is walked to fill them.
@safe @usableFromInline
struct CacheDisplacer: ~Copyable {
  @usableFromInline let lines: UnsafeMutablePointer<UInt64>
  private let count: Int

  /// At most 256 MiB.
  @usableFromInline
  init(bytes: Int) {
    count = max(1, min(bytes, 256 << 20) / MemoryLayout<UInt64>.size)
    // Safety: allocated and initialised for `count` words, and given back by `deinit` only.
    unsafe lines = .allocate(capacity: count)
    unsafe lines.initialize(repeating: 0, count: count)
  }

  // Safety: the memory is this value's alone.
  @inlinable deinit { unsafe lines.deallocate() }

  /// Writes to every 64-byte line: a written line must be owned, so no other core's copy stays either.
  @usableFromInline
  mutating func displace() {
    let step = 64 / MemoryLayout<UInt64>.size
    // Safety: the index stays below the count that was allocated and initialised.
    for index in stride(from: 0, to: count, by: step) { unsafe lines[index] &+= 1 }
  }
}

extension CoreExperiment {
  @inlinable
  func thrashPass<Backend: TranslationBackend & ~Copyable>(
    _ backend: inout Backend, _ clock: CycleClock, _ options: CoreThrash,
    _ displacer: inout CacheDisplacer, _ tallies: inout [PassTally]
  ) -> CoreThrash.Pass {
    var result = CoreThrash.Pass()
    var tally = PassTally()
    var ticks: UInt64 = 0
    let blockEvents = max(1, options.blockEvents)
    let interval = max(1, events.count / max(1, options.blocks))
    var nextTimed = 0
    // Safety: blocks lie within stretches, which lie within the array, whose storage lives during the
    // call.
    unsafe events.withUnsafeBufferPointer { all in
      for stretch in stretches {
        var start = stretch.range.lowerBound
        while start < stretch.range.upperBound {
          let end = min(start + blockEvents, stretch.range.upperBound)
          let isTimed = stretch.work != .setUp && start >= nextTimed
          if isTimed {
            nextTimed = start + interval
            displacer.displace()
          }
          let begin = clock.now()
          unsafe replay(UnsafeBufferPointer(rebasing: all[start..<end]), through: &backend, &tally)
          if isTimed {
            ticks &+= clock.now() &- begin
            result.events += UInt64(end - start)
            result.blocks += 1
          }
          start = end
        }
      }
    }
    tallies.append(tally)
    result.nanoseconds = clock.nanoseconds(from: 0, to: ticks)
    return result
  }
}
