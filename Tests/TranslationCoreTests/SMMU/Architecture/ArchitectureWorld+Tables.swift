import EventModel
import ReferenceModel
import TestSupport
import TranslationCore

/// Descriptors in tables of either stage, stored as software stores them.
extension ArchitectureWorld {
  /// Where software sees a physical address.
  func address(_ physical: UInt64, _ machine: Int?) -> UInt64 {
    machine.map { physical &- base &+ machines[$0].ipaBase } ?? physical
  }

  func root(_ space: Int) -> UInt64 {
    spaces[space].geometry.rootAddress(spaces[space].cd.ttb0)
  }

  func isMemory(_ physical: UInt64) -> Bool { physical &- base < Self.memoryBytes }

  /// Physical address of a descriptor that software sees at `address`.
  func physical(_ address: UInt64, _ machine: Int?) -> UInt64 {
    machine.map { address &- machines[$0].ipaBase &+ base } ?? address
  }

  /// Stores the leaves of 2^log2 bytes, or none of them.
  mutating func storeRun(
    _ root: UInt64, _ geometry: WalkGeometry, _ input: UInt64, _ output: UInt64, _ level: Int,
    _ log2: UInt64, _ attributes: UInt64, machine: Int?
  ) -> Bool {
    let step = UInt64(1) << geometry.shift(level)
    for offset in stride(from: 0, to: UInt64(1) << log2, by: Int(step)) {
      if storeLeaf(
        root, geometry, input + offset, output + offset, level, attributes, machine: machine)
      {
        continue
      }
      for stored in stride(from: 0, to: offset, by: Int(step)) {
        store(0, at: place(root, geometry, input + stored, level, machine)!)
      }
      return false
    }
    return true
  }

  /// Where the descriptor of `input` at `level` lies; nil without a table for it.
  func place(
    _ root: UInt64, _ geometry: WalkGeometry, _ input: UInt64, _ level: Int, _ machine: Int?
  ) -> UInt64? {
    var table = root
    for upper in geometry.startLevel..<level {
      let raw = load(physical(table + geometry.index(input, level: upper) * 8, machine))
      guard raw & 3 == 3 else { return nil }
      table = TranslationDescriptor(raw).nextTable(geometry)
    }
    return physical(table + geometry.index(input, level: level) * 8, machine)
  }

  /// Stores a leaf where nothing is, with the tables above it; false if that cannot be.
  mutating func storeLeaf(
    _ root: UInt64, _ geometry: WalkGeometry, _ input: UInt64, _ output: UInt64, _ level: Int,
    _ attributes: UInt64, machine: Int?
  ) -> Bool {
    var table = root
    for upper in geometry.startLevel..<level {
      let place = physical(table + geometry.index(input, level: upper) * 8, machine)
      let raw = load(place)
      if raw & 3 == 3 {
        table = TranslationDescriptor(raw).nextTable(geometry)
        guard isMemory(physical(table, machine)) else { return false }
        continue
      }
      guard raw & 1 == 0 else { return false }
      if chance(4) {
        // A table that is nowhere, or beyond the output width.
        let nowhere = (chance(50) ? random.next() : Self.memoryBytes) & ~0xFFFF
        store(
          TranslationDescriptor.table(address(base &+ nowhere, machine), geometry).raw, at: place)
        return false
      }
      let size = UInt64(1) << geometry.granule.log2
      guard let made = allocate(size, alignment: size) else { return false }
      if let machine { back(made, size, machine) }
      table = address(made, machine)
      let limits: UInt64 = chance(12) ? random.next() & 0xF << 59 : 0
      store(TranslationDescriptor.table(table, geometry).raw | limits, at: place)
    }
    let place = physical(table + geometry.index(input, level: level) * 8, machine)
    guard load(place) == 0 else { return false }
    store(
      TranslationDescriptor.addressField(output, geometry) | attributes & ~3
        | (level == 3 ? 3 : 1), at: place)
    return true
  }
}
