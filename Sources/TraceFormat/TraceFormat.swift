// TraceFormat: bytes ⇄ events.
//
// What it is. The `.dbtrace` container, version 1: a header, frames of column-coded events (each a
// codec frame with its own checksums), an index and a trailer. `Traces/README.md` describes every
// byte; this target is the reference implementation of that page.
//
// What it is not. It knows nothing about captures (TraceImport), and of what events mean
// (ReferenceModel) only what key frames need (`KeyFrames/`): which configuration is live, and which
// interrupts are pending. A reader and a writer each belong to one thread at a time.
//
//   var writer = try TraceWriter(path: "boot.dbtrace", description: description)
//   try writer.append(event)
//   try writer.finish()                                // the file appears under its name here
//
//   var reader = try TraceReader(path: "boot.dbtrace")
//   while case let count = unsafe try reader.decode(into: slots), count > 0 { … }
//
// Invariants.
//  * Every 48-byte record of a known kind survives the round trip, bit for bit.
//  * A frame needs nothing but itself: any frame can be decoded first, and a file that was cut or
//    damaged still gives every whole frame (`TraceScanner`).
//  * Nothing from a file is believed before it is checked: sizes and counts against `TraceLimits`,
//    headers and plain bytes against their checksums, every index before it is used.
//  * Decoding allocates per frame at most, never per event.
//
// How a frame becomes events. A frame is a small machine of *slots*. A slot holds one whole record
// except its time, and two strides. The frame's slot table says how each slot starts. One byte per
// event names a slot; the event is the slot's record, after which the slot's addresses move on by
// the strides. So a queue that a device walks 64 bytes at a time, and an address that it polls, cost
// one low-entropy byte per event for all columns together: kind, StreamID, IOVA, expected PA, data,
// INTID, target, flags, outcome. Times are a byte (or two) of delta per event. What does not fit in
// a byte stands in lists of exceptions, by position, so that the event loop has no branches.

/// Bounds that a reader checks before it believes a file, and that a writer keeps.
package enum TraceLimits {
  /// Events in one frame. 65,536 records are 3 MiB, and a frame of the recordings is about 100 KiB.
  package static let eventsPerFrame = 65_536
  /// Bytes of one frame's payload, before and after the codec. The worst frame (65,536 records
  /// without any structure) needs about 5 MiB.
  package static let payloadSizeBytes = 16 << 20
  /// Bytes of the provenance section.
  package static let provenanceSizeBytes = 1 << 20
  /// Entries of one index frame.
  package static let entriesPerIndexFrame = 65_536
  /// Records of one snapshot, over all its parts.
  package static let snapshotEvents = 16 << 20
}

/// The format version that this target writes, and the newest that it reads.
package let traceFormatVersion: UInt16 = 1
