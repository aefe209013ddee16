/// The memory behind the tables: the arena, by physical address. There is no other.
extension SMMUCore {
  /// Physical addresses that a caller's own tables may have.
  package var memory: Range<UInt64> { arenaPhysical..<arenaPhysical + arena.limitBytes }

  /// Reads the word at a physical address; nil where there is no memory, which is a bus error.
  @inline(__always)
  func read(physical address: UInt64) -> UInt64? {
    let offset = address &- arenaPhysical
    return arena.contains(offset) ? arena.load(offset) : nil
  }

  /// What hardware writes: a descriptor.
  mutating func write(_ word: UInt64, physical address: UInt64) -> Bool {
    let offset = address &- arenaPhysical
    guard arena.contains(offset) else { return false }
    arena.store(offset, word)
    counters.descriptorUpdates &+= 1
    return true
  }

  /// Software stores a word of a table of its own. False outside `memory`, and for an address that is
  /// no multiple of 8. Not to be mixed with tables that the core makes, of which it keeps account.
  package mutating func store(_ word: UInt64, physical address: UInt64) -> Bool {
    let offset = address &- arenaPhysical
    guard arena.contains(offset) else { return false }
    arena.store(offset, word)
    return true
  }

  /// A word of `memory`.
  package func load(physical address: UInt64) -> UInt64? { read(physical: address) }

  /// Sets the registers. Configuration that was cached stays, as it does in hardware, unless E2H
  /// changed, which decides about its tags.
  package mutating func program(_ registers: SMMURegisters) {
    let isSameWorld = registers.e2h == self.registers.e2h
    self.registers = registers
    if cachedStreams.lower <= cachedStreams.upper {
      for streamID in cachedStreams.lower...cachedStreams.upper { disarm(streamID) }
    }
    if !isSameWorld { forgetStreams(0, lastStreamID) }
  }
}
