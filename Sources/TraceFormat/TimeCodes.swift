import EventModel

/// Deltas of time in ticks of the largest step that divides them all. A µs-resolution capture thus
/// needs one byte where its nanoseconds would need two.
struct TimeCodes {
  private(set) var codes: [UInt16] = []
  private(set) var late: [UInt64] = []
  private var latePositions = Gaps()
  private(set) var width = 1
  private(set) var nanosecondsPerTick: UInt64 = 1
  private var ticks: [Int64] = []
  private var previous: UInt64 = 0
  private var position = 0
  private var divisor: UInt64 = 0
  private var division = ExactDivision(by: 1)

  var lateGaps: [UInt64] { latePositions.values }

  /// Starts a frame of `count` events, of which the first has this time.
  mutating func begin(count: Int, firstTime: UInt64) {
    if ticks.count != count {
      ticks = [Int64](repeating: 0, count: count)
      codes = [UInt16](repeating: 0, count: count)
    }
    previous = firstTime
    position = 0
    divisor = 0
  }

  /// Takes the next events of the frame: their deltas, and the largest common divisor of all so far.
  mutating func add(_ events: UnsafeBufferPointer<TraceEvent>) {
    var previous = previous
    let start = position
    // Safety: the frame has room for these events; indices of the buffer.
    unsafe ticks.withUnsafeMutableBufferPointer { deltas in
      for index in events.indices {
        let time = unsafe events[index].time
        let delta = Int64(bitPattern: time &- previous)
        previous = time
        unsafe deltas[start &+ index] = delta
        if delta == 0 || divisor != 0 && division.divides(delta.magnitude) { continue }
        divisor = Self.commonDivisor(delta.magnitude, divisor)
        division = ExactDivision(by: divisor)
      }
    }
    self.previous = previous
    position += events.count
  }

  /// Makes codes of the deltas.
  mutating func finish() {
    nanosecondsPerTick = divisor == 0 || divisor > UInt64(Int64.max) ? 1 : divisor
    late.removeAll(keepingCapacity: true)
    latePositions.removeAll()
    // Safety: the pointers are used within the calls; both arrays have as many elements.
    unsafe ticks.withUnsafeMutableBufferPointer { ticks in
      width = unsafe Self.divide(ticks, by: nanosecondsPerTick)
      let most: UInt64 = width == 1 ? 0xFF : 0xFFFF
      unsafe codes.withUnsafeMutableBufferPointer { codes in
        for position in ticks.indices {
          let tick = unsafe UInt64(bitPattern: ticks[position])
          let isDirect = tick <= most
          unsafe codes[position] = isDirect ? UInt16(truncatingIfNeeded: tick) : 0
          guard !isDirect else { continue }
          late.append(zigzag(tick))
          latePositions.append(position: position)
        }
      }
    }
  }

  /// Makes ticks of deltas, and says how many bytes their codes should have.
  private static func divide(
    _ ticks: UnsafeMutableBufferPointer<Int64>, by divisor: UInt64
  ) -> Int {
    let division = ExactDivision(by: divisor)
    var (late1, late2) = (0, 0)
    for index in ticks.indices {
      // Safety: an index of the buffer.
      let tick = unsafe division.quotient(ticks[index])
      unsafe ticks[index] = tick
      // Negative ticks are late, whatever their size.
      late1 &+= UInt64(bitPattern: tick) > 0xFF ? 1 : 0
      late2 &+= UInt64(bitPattern: tick) > 0xFFFF ? 1 : 0
    }
    // A late tick costs about four bytes in the end; a wider code, one per event.
    return late1 * 4 <= late2 * 4 + ticks.count ? 1 : 2
  }

  private static func commonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }
}

/// Division by a number that may divide evenly, without a division: the inverse of its odd part modulo
/// 2⁶⁴ (H. Warren, "Hacker's Delight", §10–16 and §10–17).
struct ExactDivision {
  private let shift: UInt64
  private let inverse: UInt64
  /// The largest quotient by the odd part.
  private let most: UInt64

  init(by divisor: UInt64) {
    shift = UInt64(divisor.trailingZeroBitCount)
    let odd = divisor >> shift
    // Each round doubles the number of bits that are right, from three.
    var inverse = odd
    for _ in 0..<5 { inverse = inverse &* (2 &- odd &* inverse) }
    self.inverse = inverse
    most = .max / odd
  }

  func divides(_ value: UInt64) -> Bool {
    let low = (1 as UInt64) &<< shift &- 1
    return value & low == 0 && (value &>> shift) &* inverse <= most
  }

  /// Only for values that it divides.
  func quotient(_ value: Int64) -> Int64 {
    Int64(bitPattern: UInt64(bitPattern: value &>> Int64(shift)) &* inverse)
  }
}
