/// "PID@SECONDS.MICROS:" at the start of a trace line (QEMU util/log.c and scripts/tracetool, the
/// log backend with '-msg timestamp=on').
struct LinePrefix {
  var thread: UInt64
  var nanoseconds: UInt64
  /// Bytes of the prefix; the event name starts here.
  var length: Int

  /// Of a record that has no text.
  init(thread: UInt64, nanoseconds: UInt64) {
    self.thread = thread
    self.nanoseconds = nanoseconds
    length = 0
  }

  /// - Returns: nil if the line does not start with a whole prefix.
  @inline(__always)
  init?(_ line: LineText) {
    var index = 0
    var thread: UInt64 = 0
    // Ten digits of thread number, ten of seconds and six of microseconds all fit 64 bits.
    while index < 10 {
      let digit = UInt64(line[index] &- UInt8(ascii: "0"))
      guard digit < 10 else { break }
      thread = thread &* 10 &+ digit
      index += 1
    }
    guard index > 0, line[index] == UInt8(ascii: "@") else { return nil }
    index += 1
    let firstSecond = index
    var time: UInt64 = 0
    while index < firstSecond + 10 {
      let digit = UInt64(line[index] &- UInt8(ascii: "0"))
      guard digit < 10 else { break }
      time = time &* 10 &+ digit
      index += 1
    }
    guard index > firstSecond, line[index] == UInt8(ascii: ".") else { return nil }
    index += 1
    let lastMicrosecond = index + 6
    while index < lastMicrosecond {
      let digit = UInt64(line[index] &- UInt8(ascii: "0"))
      guard digit < 10 else { return nil }
      time = time &* 10 &+ digit
      index += 1
    }
    guard line[index] == UInt8(ascii: ":"), index + 1 < line.count else { return nil }
    self.thread = thread
    nanoseconds = time &* 1_000
    length = index + 1
  }
}
