package import EventModel

/// Reads what QEMU's trace backend `simple` writes, versions 3 and 4, in either byte order.
///
/// Records hold the values of arguments and nothing about them: names, order and types stand in the
/// `trace-events` files of the QEMU that recorded, which its build joins to `trace-events-all`. That
/// file is needed: the one named, or one of that name beside the capture, or that of an installed
/// QEMU. From its format strings each record becomes the line that QEMU's log would hold, and is read
/// as such, so both give the same events.
///
/// Format (QEMU, trace/simple.c and scripts/simpletrace.py): u64 all ones, u64 magic, u64 version; then
/// records. Version 4 puts a u64 type in front of each: 0 is the name of an event, {u64 number, u32
/// length, name}, 1 an event. Version 3 has events only, and numbers them as `trace-events-all` lists
/// those that are not disabled. An event is {u64 number, u64 nanoseconds, u32 length from the number on,
/// u32 process, arguments}: u64 each, texts u32 length and bytes. Number ~1 says how many events were
/// dropped.
///
/// A record names the process, not the thread. Steps of one access are put together by thread in a
/// log; here those of two threads that come in between each other can be joined wrongly.
package struct SimpleTraceImporter {
  private let declarations: String?

  /// - Parameter declarations: the path of `trace-events-all`, or nil to look for it.
  package init(declarations: String? = nil) { self.declarations = declarations }

  /// - Throws: `ImportError`, or what `sink` throws.
  package func run<Source: ByteSource & ~Copyable>(
    source: inout Source,
    sink: (Span<TraceEvent>) throws -> Void,
    progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void = { _, _ in }
  ) throws -> ImportReport {
    let events = try EventDeclarations(path: declarations, capture: source.name)
    return try run(source: &source, events, sink: sink, progress: progress)
  }

  func run<Source: ByteSource & ~Copyable>(
    source: inout Source, _ declarations: EventDeclarations,
    sink: (Span<TraceEvent>) throws -> Void,
    progress: (_ bytesRead: UInt64, _ totalBytes: UInt64?) -> Void = { _, _ in }
  ) throws -> ImportReport {
    var reader = SimpleTraceReader(declarations)
    try reader.readHead(from: &source)
    while try reader.readRecord(from: &source) {
      if reader.interpreter.queue.count >= LogInterpreter.drainCount {
        try reader.drain(sink)
        progress(source.bytesRead, source.totalBytes)
      }
    }
    progress(source.bytesRead, source.totalBytes)
    try reader.finish(sink)
    return reader.report()
  }
}
