// The parallel reader as a program of its own, to be built with ThreadSanitizer:
//
//   swift run -c release --sanitize=thread --scratch-path .build-tsan TraceRaces
//
// It reads a trace with every number of threads to the end, from the middle, into an error, again
// after a rewind, and gives up in between. Races go to stderr with exit code 66 (the sanitizer's
// default); wrong events exit with 1.
import EventModel
import Glibc
import TraceFormat

struct Wrong: Error {
  var what: String
}

func trace(_ count: Int) throws -> [UInt8] {
  let path = "/tmp/doorbell-races-\(getpid()).dbtrace"
  // Safety: a valid C string.
  defer { unsafe unlink(path) }
  var options = TraceWriter.Options()
  options.codec = .lz4
  options.level = 1
  options.eventsPerFrame = 500
  options.eventsBetweenKeyFrames = 3000
  var writer = try TraceWriter(path: path, description: TraceDescription(), options: options)
  for index in 0..<UInt64(count) {
    try writer.append(
      index % 1000 == 0
        ? .itsCommand(time: index, 0x08 | index << 32, 4, 1 << 63)
        : .dma(time: index * 10, streamID: UInt32(index % 3), iova: index << 6))
  }
  _ = try writer.finish()
  // Safety: the path is a valid C string; what is read fits.
  let descriptor = unsafe open(path, O_RDONLY)
  defer { close(descriptor) }
  var bytes = [UInt8](repeating: 0, count: 16 << 20)
  let size = unsafe read(descriptor, &bytes, bytes.count)
  guard size > 0 else { throw Wrong(what: "no trace") }
  return Array(bytes[..<size])
}

/// Takes frames until the end or `limit`, and says how many events came. Each must have its place.
func take(_ reader: inout ParallelTraceReader, limit: Int = .max) throws -> UInt64 {
  var taken = 0
  while taken < limit {
    // Safety: read before the next call.
    let events = unsafe try reader.next()
    if events.isEmpty { break }
    let last = unsafe events[events.count - 1]
    let ordinal = reader.ordinal - 1
    guard last.kind == .itsCommand ? last.time == ordinal : last.time == ordinal * 10 else {
      throw Wrong(what: "event \(ordinal)")
    }
    taken += 1
  }
  return reader.ordinal
}

let count = 60_000
do {
  let bytes = try trace(count)
  for threads in 1...6 {
    var plain = try TraceReader(bytes: bytes, name: "races")
    try plain.seek(toOrdinal: 777)
    var reader = try ParallelTraceReader(plain, threads: threads)
    for _ in 0..<2 {
      let end = try take(&reader)
      guard end == UInt64(count) else { throw Wrong(what: "end \(end)") }
      try reader.rewind()
      _ = try take(&reader, limit: threads * 3)
      try reader.rewind()
    }
    var damaged = bytes
    damaged[bytes.count / 2] ^= 1
    var broken = try ParallelTraceReader(
      TraceReader(bytes: damaged, name: "races"), threads: threads)
    do {
      let end = try take(&broken)
      throw Wrong(what: "no error, end \(end)")
    } catch is TraceError {}
  }
  print("1…6 threads: every event in its place, every end clean")
} catch {
  print("wrong: \(error)")
  exit(1)
}
