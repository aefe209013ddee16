/// The distinct values of a column, for a dictionary.
enum DistinctValues {
  private static let limit = 4096

  /// The distinct values in order, and each value's position among them. Nil where they are more than
  /// half of the values, or than `limit`: a dictionary would not pay.
  static func dictionary(
    of values: [UInt64]
  ) -> (distinct: [UInt64], positions: [UInt64])? {
    let limit = min(limit, values.count / 2)
    // At most half full, so that a search ends soon.
    let bits = UInt64(64 - UInt64(limit * 2).leadingZeroBitCount)
    let mask = 1 << Int(bits) - 1
    /// Number of the value in each place, or −1.
    var table = [Int32](repeating: -1, count: mask + 1)
    var found: [UInt64] = []
    var numbers: [Int32] = []
    numbers.reserveCapacity(values.count)
    for value in values {
      var place = Int(truncatingIfNeeded: (value &* 0x9E37_79B9_7F4A_7C15) &>> (64 &- bits)) & mask
      while table[place] >= 0, found[Int(table[place])] != value { place = (place + 1) & mask }
      if table[place] < 0 {
        if found.count == limit { return nil }
        table[place] = Int32(found.count)
        found.append(value)
      }
      numbers.append(table[place])
    }
    let order = found.indices.sorted { found[$0] < found[$1] }
    var position = [UInt64](repeating: 0, count: found.count)
    for (rank, number) in order.enumerated() { position[number] = UInt64(rank) }
    return (order.map { found[$0] }, numbers.map { position[Int($0)] })
  }
}
