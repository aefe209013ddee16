import Glibc

/// A trace instance of our own: rings and switches that no other user of tracefs sees, so that to
/// remove it restores everything that was switched on for it
/// (linux, Documentation/trace/ftrace.rst, "Instances").
///
/// It is removed when this goes away, and by its `InstanceGuard` should the process be killed.
struct TraceInstance: ~Copyable {
  let folder: TracefsFolder
  private let guardian: InstanceGuard

  /// Makes an instance that records nothing yet.
  init(_ name: String, in tracefs: TracefsFolder) throws(RecordError) {
    let folder = tracefs.folder("instances/\(name)")
    if tracefs.has("instances/\(name)") { throw .instanceExists(path: folder.path) }
    let guardian = try InstanceGuard(folder.path)
    // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
    guard unsafe mkdir(folder.path, 0o750) == 0 else {
      if errno == EEXIST { throw .instanceExists(path: folder.path) }
      throw .refused(path: folder.path, operation: "making the trace instance", code: errno)
    }
    guardian.arm()
    self.folder = folder
    self.guardian = guardian
  }

  /// Chooses what is recorded, and does not start yet.
  func setUp(
    clock: TraceClock, bufferKiBPerCPU: Int, events: [TracepointName]
  ) throws(RecordError) {
    try folder.write("0", to: "tracing_on")
    try folder.write(clock.rawValue, to: "trace_clock")
    try folder.write("\(bufferKiBPerCPU)", to: "buffer_size_kb")
    // Old events go when a ring is full: a gap is then marked in the page behind it, with its size.
    try folder.write("1", to: "options/overwrite")
    for event in events { try folder.write("1", to: "\(event.folder)/enable") }
  }

  func start() throws(RecordError) { try folder.write("1", to: "tracing_on") }
  func stop() throws(RecordError) { try folder.write("0", to: "tracing_on") }

  // The kernel switches the events of an instance off when it is removed. Files of it must be closed.
  // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
  deinit { _ = unsafe rmdir(folder.path) }
}
