/// Codes columns, each in the way that measures smallest after the codec.
@safe
struct ColumnEncoder: ~Copyable {
  let compressor: Compressor

  init(codec: TraceCodec, level: Int) {
    compressor = Compressor(codec: codec, level: level)
  }

  /// Appends a column of any values.
  func append(_ values: [UInt64], to bytes: inout [UInt8]) {
    var candidates: [[UInt8]] = []
    if let constant = Self.constant(values) {
      bytes += constant
      return
    }
    for isDelta in [false, true] {
      candidates += Self.flat(values, isDelta: isDelta)
    }
    if let dictionary = dictionary(values) { candidates.append(dictionary) }
    if let runs = runs(values) { candidates.append(runs) }
    bytes += smallest(candidates)
  }

  /// Appends one of the two streams that the event loop reads in place: constant, or bytes as they
  /// are, or packed where the codec has no entropy coder of its own.
  func append(stream values: [UInt64], width: Int, to bytes: inout [UInt8]) {
    if let constant = Self.constant(values) {
      bytes += constant
      return
    }
    let plain = Self.plain(values, width: width, isDelta: false, base: 0)
    let bits = Self.bitWidth(values)
    let packs = compressor.codec != .zstd && bits <= width * 8 - 2
    bytes += packs ? Self.packed(values, bits: bits, isDelta: false, base: 0) : plain
  }

  private func smallest(_ candidates: [[UInt8]]) -> [UInt8] {
    guard candidates.count > 1 else { return candidates.first ?? [] }
    var best = candidates[0]
    var bestSize = compressor.measuredSize(of: best)
    for candidate in candidates.dropFirst() {
      let size = compressor.measuredSize(of: candidate)
      if size < bestSize { (best, bestSize) = (candidate, size) }
    }
    return best
  }

  private static func constant(_ values: [UInt64]) -> [UInt8]? {
    let first = values.first ?? 0
    guard values.allSatisfy({ $0 == first }) else { return nil }
    var bytes: [UInt8] = []
    ColumnHeader(.constant, count: values.count, base: first).encode(to: &bytes)
    return bytes
  }

  /// Plain and packed forms of values or of differences.
  private static func flat(_ values: [UInt64], isDelta: Bool) -> [[UInt8]] {
    let base = isDelta ? values[0] : values.min() ?? 0
    var stored = values
    var previous = base
    for index in stored.indices {
      let value = values[index]
      stored[index] = isDelta ? zigzag(value &- previous) : value &- base
      previous = value
    }
    let bits = max(1, bitWidth(stored))
    var forms = [plain(stored, width: (bits + 7) / 8, isDelta: isDelta, base: base)]
    if bits % 8 != 0, bits <= 56 {
      forms.append(packed(stored, bits: bits, isDelta: isDelta, base: base))
    }
    return forms
  }

  private static func bitWidth(_ values: [UInt64]) -> Int {
    64 - values.reduce(0, |).leadingZeroBitCount
  }

  private static func plain(
    _ stored: [UInt64], width: Int, isDelta: Bool, base: UInt64
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(ColumnHeader.sizeBytes + stored.count * width)
    ColumnHeader(.plain, width: width, isDelta: isDelta, count: stored.count, base: base)
      .encode(to: &bytes)
    for plane in 0..<width {
      for value in stored { bytes.append(UInt8(truncatingIfNeeded: value &>> UInt64(plane * 8))) }
    }
    return bytes
  }

  private static func packed(
    _ stored: [UInt64], bits: Int, isDelta: Bool, base: UInt64
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    ColumnHeader(.packed, width: bits, isDelta: isDelta, count: stored.count, base: base)
      .encode(to: &bytes)
    var pending: UInt64 = 0
    var pendingBits: UInt64 = 0
    for value in stored {
      pending |= value &<< pendingBits
      pendingBits += UInt64(bits)
      while pendingBits >= 8 {
        bytes.append(UInt8(truncatingIfNeeded: pending))
        pending >>= 8
        pendingBits -= 8
      }
    }
    if pendingBits > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
    return bytes
  }

  private func dictionary(_ values: [UInt64]) -> [UInt8]? {
    let limit = min(4096, values.count / 2)
    var distinct: Set<UInt64> = []
    for value in values where distinct.count <= limit { distinct.insert(value) }
    guard distinct.count <= limit else { return nil }
    let sorted = distinct.sorted()
    let position = Dictionary(uniqueKeysWithValues: zip(sorted, 0...).map { ($0, UInt64($1)) })
    var bytes: [UInt8] = []
    ColumnHeader(.dictionary, count: values.count, base: UInt64(sorted.count)).encode(to: &bytes)
    bytes += inner(sorted)
    bytes += inner(values.map { position[$0] ?? 0 })
    return bytes
  }

  private func runs(_ values: [UInt64]) -> [UInt8]? {
    var runValues: [UInt64] = []
    var lengths: [UInt64] = []
    for value in values {
      if runValues.last == value {
        lengths[lengths.count - 1] += 1
      } else {
        runValues.append(value)
        lengths.append(1)
      }
      if runValues.count > values.count / 4 { return nil }
    }
    var bytes: [UInt8] = []
    ColumnHeader(.runs, count: values.count, base: UInt64(runValues.count)).encode(to: &bytes)
    bytes += inner(runValues)
    bytes += inner(lengths)
    return bytes
  }

  private func inner(_ values: [UInt64]) -> [UInt8] {
    Self.constant(values)
      ?? smallest(Self.flat(values, isDelta: false) + Self.flat(values, isDelta: true))
  }
}
