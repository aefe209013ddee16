/// A part of a file, read from its front.
struct SectionSource: ~Copyable, ByteSource {
  private let file: CaptureFile
  private var offset: UInt64
  private let start: UInt64
  private let end: UInt64

  var name: String { file.name }
  var bytesRead: UInt64 { offset - start }
  var totalBytes: UInt64? { end - start }

  /// - Parameter range: bytes of the file; what lies behind its end is left out.
  init(_ file: consuming CaptureFile, _ range: Range<UInt64>) {
    end = min(range.upperBound, file.size)
    start = min(range.lowerBound, end)
    offset = start
    self.file = file
  }

  mutating func read(into output: inout OutputRawSpan) throws(ImportError) -> Int {
    let count = min(UInt64(output.freeCapacity), end - offset)
    if count == 0 { return 0 }
    let bytes = try file.read(count, at: offset, "section")
    for byte in bytes.bytes { output.append(byte) }
    offset += count
    return bytes.count
  }
}
