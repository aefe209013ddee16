/// Which threads are the kernel's workers, as far as the chosen events need to know it: looked up in
/// /proc once a second, because workers come and go.
struct KernelWorkers {
  private let areNeeded: Bool
  private let processes: TracefsFolder
  private var last: UInt64?

  init(areNeeded: Bool, processes: TracefsFolder = TracefsFolder(path: "/proc")) {
    self.areNeeded = areNeeded
    self.processes = processes
  }

  mutating func update(_ reader: inout TracefsRecordReader) {
    guard areNeeded else { return }
    let now = TraceClock.mono.nanoseconds
    if let last, now - last < 1_000_000_000 { return }
    last = now
    for name in processes.names(".") {
      guard let process = Int32(name), let command = try? processes.text("\(name)/comm")
      else { continue }
      reader.rename(process, command)
    }
  }
}
