/// The events of one CPU in order. It holds one page, or one decompressed chunk of pages.
struct DatStream {
  let cpu: UInt16
  private(set) var entries = RingEntries()
  /// The time in nanoseconds of the event that comes next; nil at the end.
  private(set) var headTime: UInt64?
  /// Bytes of the file used so far.
  private(set) var bytesRead: UInt64 = 0

  private let isCompressed: Bool
  private let layout: TracefsFormats.Page
  private let times: DatTimes
  private let pageSize: Int
  private let start: UInt64
  private let end: UInt64
  private var offset: UInt64
  private var chunksLeft: UInt64 = 0
  private var chunk: OrderedBytes?
  private var chunkOffset = 0

  init(
    _ stream: DatLayout.Stream, _ layout: DatLayout, _ file: borrowing CaptureFile
  ) throws(ImportError) {
    cpu = stream.cpu
    isCompressed = stream.isCompressed
    self.layout = layout.formats.page
    times = layout.times
    pageSize = layout.pageSize
    start = stream.offset
    offset = stream.offset
    // The stated size of compressed data leaves out the count of chunks in front of it (as
    // trace-cmd 3.1 writes it; the format page does not say).
    end = stream.offset + stream.size + (stream.isCompressed ? 4 : 0)
    if isCompressed {
      guard stream.size >= 4 else {
        throw file.malformed(
          "data of CPU \(cpu)", at: offset, expected: "a count of chunks",
          found: "\(stream.size) bytes")
      }
      chunksLeft = try file.number(4, at: offset, "count of chunks")
      offset += 4
    }
    try advance(file)
  }

  /// Hands over the event that comes next, and the loss before it.
  func readHead(into reader: inout TracefsRecordReader) {
    guard let headTime else { return }
    entries.readHead(at: headTime, cpu: cpu, into: &reader)
  }

  mutating func advance(_ file: borrowing CaptureFile) throws(ImportError) {
    while !entries.advance() {
      guard let bytes = try nextPage(file) else { break }
      entries.begin(bytes, layout)
    }
    headTime = entries.head.map { times.nanoseconds($0.time, cpu: cpu) }
  }

  private mutating func nextPage(_ file: borrowing CaptureFile) throws(ImportError) -> OrderedBytes?
  {
    guard isCompressed else {
      let size = min(UInt64(pageSize), end - offset)
      guard size > 0 else { return nil }
      defer {
        offset += size
        bytesRead = offset - start
      }
      return try file.read(size, at: offset, "page of CPU \(cpu)")
    }
    while true {
      if let chunk, chunkOffset < chunk.count {
        let size = min(pageSize, chunk.count - chunkOffset)
        defer { chunkOffset += size }
        return OrderedBytes(
          Array(chunk.bytes[chunkOffset..<chunkOffset + size]), isBigEndian: chunk.isBigEndian)
      }
      guard chunksLeft > 0 else { return nil }
      guard offset < end else {
        throw file.malformed(
          "data of CPU \(cpu)", at: offset, expected: "\(chunksLeft) more chunks", found: "its end")
      }
      let (plain, next) = try file.decompress(at: offset, "chunk of CPU \(cpu)")
      guard next <= end else {
        throw file.malformed(
          "chunk of CPU \(cpu)", at: offset, expected: "an end at or before byte \(end)",
          found: "\(next)")
      }
      chunk = plain
      chunkOffset = 0
      chunksLeft -= 1
      offset = next
      bytesRead = offset - start
    }
  }
}
