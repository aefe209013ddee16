// Foreign captures → events.
//
// What it is: readers of other people's recordings that yield `TraceEvent`s in the order of the
// capture, with what the capture says about the outcome of each. `QEMULogImporter` reads the text
// log of QEMU's trace events and `SimpleTraceImporter` their binary form, `TraceDatImporter` trace-cmd's
// trace.dat, `PerfDataImporter` perf.data, `FtraceTextImporter` the text of tracefs, trace-cmd and perf
// script, `TableImporter` CSV and JSON lines; `CaptureFormat` tells which one a capture needs,
// `CaptureInput` opens it (plain or zstd, file or pipe) and `CaptureImporter` does all of that.
// `TimelineMatch` and `TimelineMerge` put two views of one machine on one time line. `LiveRecorder`
// needs no capture: it reads the rings of the running kernel. `EventText` is the way out again: events
// as lines for people and tools.
//
// What it is not: it writes no trace file and knows no design. Who calls it decides where the
// events go.
//
//   let report = try CaptureImporter().run(path: "boot.qemu.log.zst") { events in
//     try writer.append(events)
//   }
//
// Invariants:
//   · Memory is bounded whatever the length or the content of the capture.
//   · Every line or record of a capture is counted once in the report: used, ignored for a stated
//     reason, not understood, a message or comment, or damaged. Nothing is dropped silently.
//   · What a capture does not say is not guessed: it stays empty, or the event is flagged `inferred`.
//   · Times never run backwards, and an access always follows the mapping that it needs.
//   · Input that is damaged throws an `ImportError` or is counted; it never traps.
//
// Threads: an importer and its input belong to one thread at a time. The sink is called on the
// thread that calls `run`.
