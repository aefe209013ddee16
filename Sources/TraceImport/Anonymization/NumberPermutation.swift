package import EventModel

/// A keyed permutation of StreamIDs and DeviceIDs, the same for both, since fixed wiring makes one from
/// the other.
///
/// Numbers stay in their class: 0 and the number for "unknown" as they are, 16 bits (a PCI RequesterID)
/// among themselves, and what is out of range of a table stays out of range. Within a class a Feistel
/// network of six rounds permutes, repeated until it stays in the class.
package struct NumberPermutation {
  private let function: SipHash
  /// Where classes begin, ascending.
  private let bounds: [UInt64]
  private var known: [UInt32: UInt32] = [:]
  private static let knownLimit = 1 << 16

  package init(_ function: SipHash, geometry: TableGeometry) {
    self.function = function
    let limits = [geometry.deviceIDBits, geometry.streamIDBits].map { UInt64(1) << UInt64($0) }
    bounds = Set([0, 1, 1 << 16, UInt64(TraceEvent.unknownDevice), 1 << 32] + limits)
      .filter { $0 <= 1 << 32 }.sorted()
  }

  package mutating func callAsFunction(_ number: UInt32) -> UInt32 {
    if let image = known[number] { return image }
    let index = bounds.lastIndex { $0 <= UInt64(number) }!
    let (first, end) = (bounds[index], bounds[index + 1])
    let image = UInt32(first + permute(UInt64(number) - first, count: end - first, domain: first))
    if known.count < Self.knownLimit { known[number] = image }
    return image
  }

  private func permute(_ index: UInt64, count: UInt64, domain: UInt64) -> UInt64 {
    guard count > 1 else { return index }
    // Two halves of equal width; fewer than four times as many numbers as the class has.
    let width = UInt64(64 - (count - 1).leadingZeroBitCount + 1) / 2
    let mask = (UInt64(1) << width) - 1
    var value = index
    repeat {
      var (left, right) = (value >> width, value & mask)
      for round in 0..<6 as Range<UInt64> {
        let mixed = function.hash(right, domain << 8 | 0x80 | round)
        (left, right) = (right, left ^ mixed & mask)
      }
      value = left << width | right
    } while value >= count
    return value
  }
}
