import EventModel

@testable import TranslationCore

/// StreamID and address to address or event by reading the core's tables from the top, every time,
/// without a cache. It shares no code with the core's walks, only the memory.
///
/// Linear stream table only.
struct BruteForceWalker {
  let streamTable: UInt64
  let arenaPhysical: UInt64
  let outputBits: UInt64

  init(_ core: borrowing SMMUCore) {
    streamTable = core.streamTable
    arenaPhysical = core.arenaPhysical
    outputBits = UInt64(core.outputBits)
  }

  private func word(_ physical: UInt64, _ core: borrowing SMMUCore) -> UInt64 {
    core.arena.load(physical - arenaPhysical)
  }

  private func bits(_ word: UInt64, _ high: UInt64, _ low: UInt64) -> UInt64 {
    (word << (63 - high)) >> (63 - high + low)
  }

  func translate(
    _ core: borrowing SMMUCore, _ streamID: UInt32, _ address: UInt64, write: Bool
  ) -> SMMUTranslation {
    let entry = streamTable + UInt64(streamID) * 64
    let dword0 = core.arena.load(entry)
    if dword0 & 1 == 0 { return .faulted(0x04) }
    let config = bits(dword0, 3, 1)
    if config < 4 { return .faulted(0x40) }
    if config == 4 {
      return address >> outputBits == 0 ? SMMUTranslation(address: address) : .faulted(0x11)
    }
    let entry2 = config & 2 == 0 ? nil : entry
    if config == 6 {
      return address >> outputBits == 0 ? second(core, entry2, address, write) : .faulted(0x11)
    }
    let context = second(core, entry2, bits(dword0, 51, 6) << 6, false)
    if context.fault != 0 { return context }
    let cd0 = word(context.address, core)
    let inputBits = 64 - bits(cd0, 5, 0)
    let granule: UInt64 = [12, 16, 14][Int(bits(cd0, 7, 6))]
    let width = min([32, 36, 40, 42, 44, 48, 48, 48][Int(bits(cd0, 34, 32))], outputBits)
    if address >> inputBits != 0 { return .faulted(0x10) }
    let levels = (inputBits - granule + granule - 4) / (granule - 3)
    let first = walk(
      core, root: word(context.address + 8, core), granule, start: 4 - levels, inputBits, address,
      width, entry2)
    if first.fault != 0 { return .faulted(first.fault) }
    let allowed = first.leaf >> 6 & 1 == 1 && (!write || first.leaf >> 7 & 1 == 0)
    if !allowed { return .faulted(0x13) }
    return second(core, entry2, first.output, write)
  }

  /// Stage 2 if the STE asks for it.
  private func second(
    _ core: borrowing SMMUCore, _ entry: UInt64?, _ address: UInt64, _ write: Bool
  ) -> SMMUTranslation {
    guard let entry else { return SMMUTranslation(address: address) }
    return stage2(core, entry, address, write)
  }

  private func stage2(
    _ core: borrowing SMMUCore, _ entry: UInt64, _ address: UInt64, _ write: Bool
  ) -> SMMUTranslation {
    let dword2 = core.arena.load(entry + 16)
    let inputBits = 64 - bits(dword2, 37, 32)
    if address >> inputBits != 0 { return .faulted(0x10) }
    let granule: UInt64 = [12, 16, 14][Int(bits(dword2, 47, 46))]
    let start = (granule == 12 ? 2 : 3) - bits(dword2, 39, 38)
    let width = min([32, 36, 40, 42, 44, 48, 48, 48][Int(bits(dword2, 50, 48))], outputBits)
    let found = walk(
      core, root: core.arena.load(entry + 24), granule, start: start, inputBits, address, width,
      nil)
    if found.fault != 0 { return .faulted(found.fault) }
    return found.leaf >> (write ? 7 : 6) & 1 == 1
      ? SMMUTranslation(address: found.output) : .faulted(0x13)
  }

  private func walk(
    _ core: borrowing SMMUCore, root: UInt64, _ granule: UInt64, start: UInt64, _ inputBits: UInt64,
    _ address: UInt64, _ width: UInt64, _ entry: UInt64?
  ) -> (output: UInt64, leaf: UInt64, fault: UInt8) {
    var table = root
    for level in start...3 {
      let shift = granule + (3 - level) * (granule - 3)
      let mask: UInt64 = level == start ? ~0 : (1 << (granule - 3)) - 1
      let place = second(core, entry, table + ((address >> shift) & mask) * 8, false)
      if place.fault != 0 { return (0, 0, place.fault) }
      let descriptor = word(place.address, core)
      if descriptor & 1 == 0 || level == 3 && descriptor & 3 == 1 { return (0, 0, 0x10) }
      if level < 3 && descriptor & 3 == 3 {
        table = bits(descriptor, 47, 12) << 12
        continue
      }
      if level == 0 || level == 1 && granule != 12 { return (0, 0, 0x10) }
      let output = bits(descriptor, 47, shift) << shift
      if output >> width != 0 { return (0, 0, 0x11) }
      if descriptor >> 10 & 1 == 0 { return (0, 0, 0x12) }
      return (output + address & (1 << shift - 1), descriptor, 0)
    }
    return (0, 0, 0x10)
  }
}
