import EventModel
import Glibc
import TraceFormat

struct DecodeBenchmark {
  struct Setting {
    var codec: TraceCodec
    var level: Int
    var name: String { codec == .none ? "none" : "\(codec) \(level)" }
  }

  static let settings = [
    Setting(codec: .none, level: 0), Setting(codec: .lz4, level: 1),
    Setting(codec: .lz4, level: 12), Setting(codec: .zstd, level: 1),
    Setting(codec: .zstd, level: 3), Setting(codec: .zstd, level: 19),
  ]
  /// A batch as a ring takes it: 48 KiB.
  static let batchEvents = 1024

  let events: [TraceEvent]
  let passes: Int

  static func load(_ path: String) throws -> [TraceEvent] {
    var reader = try TraceReader(path: path)
    var events: [TraceEvent] = []
    unsafe try eachBatch(of: &reader) { unsafe events.append(contentsOf: $0) }
    return events
  }

  private static func eachBatch(
    of reader: inout TraceReader, _ body: (UnsafeBufferPointer<TraceEvent>) -> Void
  ) throws {
    let batch = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: batchEvents)
    defer { unsafe batch.deallocate() }
    while true {
      // Safety: `decode` writes the first `count` records, and only those are read.
      let count = unsafe try reader.decode(into: batch)
      if count == 0 { return }
      unsafe body(UnsafeBufferPointer(rebasing: batch[..<count]))
    }
  }

  func run(_ setting: Setting) throws {
    let path = "/tmp/doorbell-decode-\(getpid()).dbtrace"
    defer { unsafe unlink(path) }
    var options = TraceWriter.Options()
    options.codec = setting.codec
    options.level = setting.level
    options.measuresColumns = true
    let writeStart = ContinuousClock.now
    var writer = try TraceWriter(path: path, description: TraceDescription(), options: options)
    try writer.append(contentsOf: events)
    let summary = try writer.finish()
    let writeTime = ContinuousClock.now - writeStart

    var reader = try TraceReader(bytes: FileBytes.read(path), name: setting.name)
    var best = Duration.seconds(1000)
    var digest: UInt64 = 0
    for pass in 0...passes {
      try reader.rewind()
      var seen = 0
      let start = ContinuousClock.now
      if pass == 0 {
        unsafe try Self.eachBatch(of: &reader) {
          for index in $0.indices {
            let event = unsafe $0[index]
            digest = digest &* 31 &+ (event.time ^ event.word0 ^ event.word1 &<< 20)
          }
          seen += $0.count
        }
      } else {
        unsafe try Self.eachBatch(of: &reader) { seen += $0.count }
        best = min(best, ContinuousClock.now - start)
      }
      guard seen == events.count else { fatalError("lost events") }
    }
    let perEvent = Double(summary.sizeBytes) / Double(events.count)
    print(
      pad(setting.name, 14) + pad(decimal(perEvent, 3), 14)
        + pad(decimal(rate(best), 1), 13) + pad(decimal(rate(writeTime), 2), 19)
        + String(digest, radix: 16))
    guard setting.codec == .zstd, setting.level == 19 else { return }
    print("\nbytes per event by column, each compressed on its own (zstd 19):")
    for (name, size) in summary.columnSizes.sorted(by: { $0.value > $1.value }) {
      print("  " + pad(name, 22) + decimal(Double(size) / Double(events.count), 4))
    }
  }

  private func rate(_ time: Duration) -> Double {
    Double(events.count) / (time / .microseconds(1))
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private func decimal(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let number = String(Int((value * scale).rounded()))
    let padded = String(repeating: "0", count: max(0, digits + 1 - number.count)) + number
    return padded.dropLast(digits) + "." + padded.suffix(digits)
  }
}
