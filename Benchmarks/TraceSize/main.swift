// What a trace costs in bytes and in time to read, and its columns as plain files for other formats to
// try.
//
//   swift run -c release TraceSize trace.dbtrace folder
//
// It writes two sets of little-endian arrays into the folder, `all.<field>.<bits>` for every event
// with every field, and `access.<field>.<bits>` for DMA and MSI with the fields that a translation
// study needs; and prints, as lines of `set codec level events bytes nanoseconds`, what a .dbtrace of
// the same content takes on disk and how long one thread decodes it. `compare.py` calls it and puts
// Parquet beside it.
import EventModel
import TraceFormat

let arguments = CommandLine.arguments.dropFirst()
if arguments.count != 2 {
  print("usage: TraceSize trace.dbtrace folder")
} else {
  do {
    let events = try ColumnFiles.read(arguments[1])
    let access = events.filter(\.kind.isAccess).map(ColumnFiles.access)
    try ColumnFiles.writeAll(events, folder: arguments[2])
    try ColumnFiles.writeAccess(access, folder: arguments[2])
    for (name, set) in [("all", events), ("access", access)] where !set.isEmpty {
      for (codec, level) in [(TraceCodec.zstd, 3), (.zstd, 19), (.lz4, 1)] {
        let cost = try ColumnFiles.traceCost(set, codec, level, folder: arguments[2])
        print(name, codec, level, set.count, cost.bytes, cost.nanoseconds)
      }
    }
  } catch {
    print("error: \(error)")
  }
}
