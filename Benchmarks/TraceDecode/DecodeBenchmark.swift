import EventModel
import Glibc
import TraceFormat

struct DecodeBenchmark {
  struct Setting {
    var codec: TraceCodec
    var level: Int
    var name: String { codec == .none ? "none" : "\(codec) \(level)" }
    /// What one core should do, in million events per second: of each codec's quick level for writing.
    var decodeTarget: Double? { codec == .zstd ? 150 : codec == .lz4 ? 250 : nil }
    var writeTarget: Double? {
      codec == .zstd && level <= 3 || codec == .lz4 && level == 1 ? 20 : nil
    }
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
    events.reserveCapacity(reader.totals.map { Int($0.events) } ?? 0)
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

  /// Prints one line; with `showsColumns` also what each column costs.
  func run(_ setting: Setting, showsColumns: Bool = false) throws {
    let path = "/tmp/doorbell-decode-\(getpid()).dbtrace"
    defer { unsafe unlink(path) }
    var options = TraceWriter.Options()
    options.codec = setting.codec
    options.level = setting.level
    options.measuresColumns = showsColumns
    var writer = try TraceWriter(path: path, description: TraceDescription(), options: options)
    try writer.append(contentsOf: events)
    let summary = try writer.finish()

    var reader = try TraceReader(bytes: FileBytes.read(path), name: setting.name)
    let (best, digest) = try decode(&reader)
    let written = try write(setting)
    let perEvent = Double(summary.sizeBytes) / Double(events.count)
    print(
      Text.pad(setting.name, 12) + Text.pad(Text.decimal(perEvent, 3), 13)
        + result(rate(best, events.count), setting.decodeTarget)
        + result(written, setting.writeTarget) + String(digest, radix: 16))
    guard showsColumns else { return }
    print("\nbytes per event by column, each compressed on its own (\(setting.name)):")
    for (name, size) in summary.columnSizes.sorted(by: { $0.value > $1.value }) {
      print("  " + Text.pad(name, 22) + Text.decimal(Double(size) / Double(events.count), 4))
    }
  }

  /// The least time of a pass, and a digest of the events.
  private func decode(_ reader: inout TraceReader) throws -> (Duration, UInt64) {
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
    return (best, digest)
  }

  /// Events written per microsecond of this thread's CPU time: the trace over and over into a stream
  /// that keeps nothing, as a recorder that goes on. The least of several stretches, decisions included;
  /// a stretch is too long to be undisturbed on a shared machine, hence not wall time.
  private func write(_ setting: Setting) throws -> Double {
    let sink = unsafe open("/dev/null", O_WRONLY)
    defer { close(sink) }
    var options = TraceWriter.Options()
    options.codec = setting.codec
    options.level = setting.level
    var best = Duration.seconds(1000)
    // A stretch is as many events as one decision holds for.
    let stretch = (options.framesPerDecision * options.eventsPerFrame) / events.count + 1
    for _ in 0..<(setting.writeTarget == nil ? 1 : max(1, passes / 8)) {
      var writer = try TraceWriter(
        descriptor: sink, name: "/dev/null", description: TraceDescription(), options: options)
      let rounds = setting.writeTarget == nil ? 1 : stretch
      let start = Self.cpuTime
      for _ in 0..<rounds {
        // Safety: the pointer is used within the call only.
        try unsafe events.withUnsafeBufferPointer { unsafe try writer.append(contentsOf: $0) }
      }
      _ = try writer.finish()
      best = min(best, (Self.cpuTime - start) / rounds)
    }
    return rate(best, events.count)
  }

  static var cpuTime: Duration {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  private func result(_ rate: Double, _ target: Double?) -> String {
    let ratio = target.map { " (\(Text.decimal(rate / $0, 2)) × \(Int($0)))" } ?? ""
    return Text.pad(Text.decimal(rate, 1) + ratio, 22)
  }

  private func rate(_ time: Duration, _ count: Int) -> Double {
    Double(count) / (time / .microseconds(1))
  }
}
