/// Codes columns. How is decided by what measures smallest after the codec; since columns of one kind
/// are alike from frame to frame, a decision holds for some frames.
@safe
struct ColumnEncoder: ~Copyable {
  var compressor: Compressor
  /// By column number.
  private var forms: [ColumnForm?] = []

  init(codec: TraceCodec, level: Int) {
    compressor = Compressor(codec: codec, level: level)
  }

  /// Forgets what was decided, so that every column is measured again.
  mutating func decideAgain() { forms.removeAll(keepingCapacity: true) }

  /// Appends a column of any values.
  ///
  /// - Parameter column: its number; columns with one number share a decision.
  mutating func append(_ values: [UInt64], column: Int, to bytes: inout [UInt8]) {
    if Self.appendConstant(values, to: &bytes) { return }
    while forms.count <= column { forms.append(nil) }
    if let form = forms[column], Self.append(values, as: form, to: &bytes) { return }
    let (form, coded) = Self.smallest(Self.candidates(values, &compressor), &compressor)
    forms[column] = form
    bytes += coded
  }

  private static func smallest<Form>(
    _ candidates: [(Form, [UInt8])], _ compressor: inout Compressor
  ) -> (Form, [UInt8]) {
    var best = candidates[0]
    guard candidates.count > 1 else { return best }
    var bestSize = compressor.measuredSize(of: best.1)
    for candidate in candidates.dropFirst() {
      let size = compressor.measuredSize(of: candidate.1)
      if size < bestSize { (best, bestSize) = (candidate, size) }
    }
    return best
  }

  // MARK: Candidates

  private static func candidates(
    _ values: [UInt64], _ compressor: inout Compressor
  ) -> [(ColumnForm, [UInt8])] {
    var candidates: [(ColumnForm, [UInt8])] = flatCandidates(values, [false, true]).map {
      (.flat($0), $1)
    }
    if let (distinct, positions) = DistinctValues.dictionary(of: values) {
      let (first, second) = (inner(distinct, &compressor), inner(positions, &compressor))
      candidates.append(
        (
          .dictionary(first.0, second.0),
          coded(.dictionary, values.count, distinct.count) + first.1 + second.1
        ))
    }
    if let (runs, lengths) = self.runs(values) {
      let (first, second) = (inner(runs, &compressor), inner(lengths, &compressor))
      candidates.append(
        (.runs(first.0, second.0), coded(.runs, values.count, runs.count) + first.1 + second.1))
    }
    return candidates
  }

  private static func flatCandidates(
    _ values: [UInt64], _ differences: [Bool]
  ) -> [(FlatForm, [UInt8])] {
    differences.flatMap { isDelta in
      let stored = Stored(values, isDelta: isDelta)
      return (stored.canBePacked ? [false, true] : [false]).map { isPacked in
        var bytes: [UInt8] = []
        stored.append(packed: isPacked, to: &bytes)
        return (FlatForm(isDelta: isDelta, isPacked: isPacked), bytes)
      }
    }
  }

  private static func inner(
    _ values: [UInt64], _ compressor: inout Compressor
  ) -> (FlatForm, [UInt8]) {
    var bytes: [UInt8] = []
    if appendConstant(values, to: &bytes) { return (FlatForm(), bytes) }
    return smallest(flatCandidates(values, [false, true]), &compressor)
  }

  private static func coded(_ coding: ColumnCoding, _ count: Int, _ base: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    ColumnHeader(coding, count: count, base: UInt64(base)).encode(to: &bytes)
    return bytes
  }

  // MARK: One form

  /// False if the values do not have this form.
  private static func append(
    _ values: [UInt64], as form: ColumnForm, to bytes: inout [UInt8]
  ) -> Bool {
    switch form {
    case .flat(let flat): append(values, as: flat, to: &bytes)
    case .dictionary(let first, let second):
      guard let (distinct, positions) = DistinctValues.dictionary(of: values) else { return false }
      ColumnHeader(.dictionary, count: values.count, base: UInt64(distinct.count))
        .encode(to: &bytes)
      appendInner(distinct, as: first, to: &bytes)
      appendInner(positions, as: second, to: &bytes)
    case .runs(let first, let second):
      guard let (runs, lengths) = runs(values) else { return false }
      ColumnHeader(.runs, count: values.count, base: UInt64(runs.count)).encode(to: &bytes)
      appendInner(runs, as: first, to: &bytes)
      appendInner(lengths, as: second, to: &bytes)
    }
    return true
  }

  private static func append(_ values: [UInt64], as form: FlatForm, to bytes: inout [UInt8]) {
    let stored = Stored(values, isDelta: form.isDelta)
    stored.append(packed: form.isPacked && stored.canBePacked, to: &bytes)
  }

  private static func appendInner(
    _ values: [UInt64], as form: FlatForm, to bytes: inout [UInt8]
  ) {
    if !appendConstant(values, to: &bytes) { append(values, as: form, to: &bytes) }
  }

  private static func appendConstant(_ values: [UInt64], to bytes: inout [UInt8]) -> Bool {
    let first = values.first ?? 0
    guard values.allSatisfy({ $0 == first }) else { return false }
    ColumnHeader(.constant, count: values.count, base: first).encode(to: &bytes)
    return true
  }

  /// Runs, where they are four times fewer than values.
  private static func runs(_ values: [UInt64]) -> (values: [UInt64], lengths: [UInt64])? {
    var runValues: [UInt64] = []
    var lengths: [UInt64] = []
    let limit = values.count / 4
    for value in values {
      if runValues.last == value {
        lengths[lengths.count - 1] += 1
      } else {
        if runValues.count == limit { return nil }
        runValues.append(value)
        lengths.append(1)
      }
    }
    return (runValues, lengths)
  }
}

/// How a column is coded, apart from its content.
enum ColumnForm: Hashable {
  case flat(FlatForm)
  /// Forms of the inner columns.
  case dictionary(FlatForm, FlatForm)
  case runs(FlatForm, FlatForm)
}

struct FlatForm: Hashable {
  var isDelta = false
  var isPacked = false
}

/// Values as a flat column stores them: less the base, or as zigzag differences.
private struct Stored {
  private var values: [UInt64]
  private let isDelta: Bool
  private let base: UInt64
  private let bits: Int

  init(_ original: [UInt64], isDelta: Bool) {
    self.isDelta = isDelta
    values = original
    var all: UInt64 = 0
    if isDelta {
      base = original[0]
      var previous = base
      for index in values.indices {
        let value = values[index]
        values[index] = zigzag(value &- previous)
        all |= values[index]
        previous = value
      }
    } else {
      base = original.min() ?? 0
      for index in values.indices {
        values[index] &-= base
        all |= values[index]
      }
    }
    bits = max(1, 64 - all.leadingZeroBitCount)
  }

  /// Packing saves something, and a reader can load a value at once.
  var canBePacked: Bool { bits % 8 != 0 && bits <= 56 }

  func append(packed: Bool, to bytes: inout [UInt8]) {
    if packed { appendPacked(to: &bytes) } else { appendPlain(to: &bytes) }
  }

  private func appendPlain(to bytes: inout [UInt8]) {
    let width = (bits + 7) / 8
    ColumnHeader(.plain, width: width, isDelta: isDelta, count: values.count, base: base)
      .encode(to: &bytes)
    for plane in 0..<width {
      bytes.append(byteAt: UInt64(plane * 8), of: values)
    }
  }

  private func appendPacked(to bytes: inout [UInt8]) {
    ColumnHeader(.packed, width: bits, isDelta: isDelta, count: values.count, base: base)
      .encode(to: &bytes)
    var packer = BitPacker()
    for value in values { packer.append(value, bits: bits, to: &bytes) }
    packer.finish(to: &bytes)
  }
}

/// Puts values one behind the other, lowest bit first.
struct BitPacker {
  private var pending: UInt64 = 0
  private var pendingBits = 0

  /// - Parameter bits: at most 56.
  mutating func append(_ value: UInt64, bits: Int, to bytes: inout [UInt8]) {
    pending |= value &<< UInt64(pendingBits)
    pendingBits &+= bits
    while pendingBits >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: pending))
      pending &>>= 8
      pendingBits &-= 8
    }
  }

  mutating func finish(to bytes: inout [UInt8]) {
    if pendingBits > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
  }
}
