// Foreign captures → events.
//
// What it is: readers of other people's recordings that yield `TraceEvent`s in the order of the
// capture, with what the capture says about the outcome of each. `QEMULogImporter` reads the text
// log of QEMU's trace events; `CaptureInput` opens a capture (plain or zstd, file or pipe).
//
// What it is not: it writes no trace file and knows no design. Who calls it decides where the
// events go.
//
//   var input = try CaptureInput(path: "boot.qemu.log.zst")
//   var importer = QEMULogImporter()
//   let report = try importer.run(source: &input) { events in try writer.append(events) }
//
// Invariants:
//   · Memory is bounded whatever the length or the content of the capture.
//   · Every line of a capture is counted once in the report: used, ignored for a stated reason, not
//     understood, a message of the emulator, or damaged. Nothing is dropped silently.
//   · Times never run backwards, and an access always follows the mapping that it needs.
//   · Input that is damaged throws an `ImportError` or is counted; it never traps.
//
// Threads: an importer and its input belong to one thread at a time. The sink is called on the
// thread that calls `run`.
