/// Physical memory as far as anybody stored into it: 4 KiB pages in a dictionary, the rest is zero.
///
/// A value: a copy is a snapshot. Addresses that a test declares `inaccessible` abort, which is how
/// a bus error reaches a table walk or a command fetch.
package struct ReferenceMemory: Sendable {
  package static let pageSizeBytes: UInt64 = 4096

  private var pages: [UInt64: [UInt8]] = [:]
  package var inaccessible: [Range<UInt64>] = []

  package init() {}

  package func isAccessible(_ address: UInt64, sizeBytes: UInt64) -> Bool {
    !inaccessible.contains { $0.overlaps(address..<(address + sizeBytes)) }
  }

  package func loadByte(_ address: UInt64) -> UInt8 {
    guard let page = pages[address / Self.pageSizeBytes] else { return 0 }
    return page[Int(address % Self.pageSizeBytes)]
  }

  package mutating func storeByte(_ value: UInt8, at address: UInt64) {
    let number = address / Self.pageSizeBytes
    if pages[number] == nil {
      if value == 0 { return }
      pages[number] = [UInt8](repeating: 0, count: Int(Self.pageSizeBytes))
    }
    pages[number]![Int(address % Self.pageSizeBytes)] = value
  }

  /// Little-endian, any alignment.
  package func load<Value: FixedWidthInteger & UnsignedInteger>(
    _: Value.Type = Value.self, at address: UInt64
  ) -> Value {
    var value: Value = 0
    for index in 0..<UInt64(Value.bitWidth / 8) {
      value |= Value(truncatingIfNeeded: loadByte(address + index)) << (index * 8)
    }
    return value
  }

  package mutating func store<Value: FixedWidthInteger & UnsignedInteger>(
    _ value: Value, at address: UInt64
  ) {
    for index in 0..<UInt64(Value.bitWidth / 8) {
      storeByte(UInt8(truncatingIfNeeded: value >> (index * 8)), at: address + index)
    }
  }

  package mutating func clear(_ address: UInt64, sizeBytes: UInt64) {
    for (index, _) in populated(address..<(address + sizeBytes)) { storeByte(0, at: index) }
  }

  /// Bit `index` of the little-endian bit string at `base`: byte index / 8, bit index % 8.
  package func loadBit(_ index: UInt32, base: UInt64) -> Bool {
    (loadByte(base + UInt64(index / 8)) >> (index % 8)) & 1 == 1
  }

  /// - Returns: the bit's value before.
  @discardableResult
  package mutating func storeBit(_ value: Bool, _ index: UInt32, base: UInt64) -> Bool {
    let address = base + UInt64(index / 8)
    let byte = loadByte(address)
    let mask = UInt8(1) << UInt8(index % 8)
    storeByte(value ? byte | mask : byte & ~mask, at: address)
    return byte & mask != 0
  }

  /// The bytes of `range` that are not zero, in order of address.
  package func populated(_ range: Range<UInt64>) -> [(address: UInt64, byte: UInt8)] {
    var found: [(UInt64, UInt8)] = []
    guard !range.isEmpty else { return found }
    let first = range.lowerBound / Self.pageSizeBytes
    let last = (range.upperBound - 1) / Self.pageSizeBytes
    let numbers =
      last - first < UInt64(pages.count)
      ? Array(first...last) : pages.keys.filter { (first...last).contains($0) }.sorted()
    for number in numbers {
      guard let page = pages[number] else { continue }
      let start = number * Self.pageSizeBytes
      for (offset, byte) in page.enumerated()
      where byte != 0 && range.contains(start + UInt64(offset)) {
        found.append((start + UInt64(offset), byte))
      }
    }
    return found
  }
}
