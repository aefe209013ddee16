/// Lines and bytes of a capture, without reading any line: the floor under every importer.
package enum LineCount {
  package static func count<Source: ByteSource & ~Copyable>(
    _ source: inout Source
  ) throws(ImportError) -> (lines: UInt64, bytes: UInt64) {
    var block = LineBlock(
      blockBytes: 1 << 20, lineLimitBytes: QEMULogImporter.lineLimitBytes)
    var lines: UInt64 = 0
    var bytes: UInt64 = 0
    while true {
      let count = try block.fill(from: &source)
      bytes += UInt64(count)
      while block.next(isAtEnd: count == 0) != nil { lines += 1 }
      if count == 0 { return (lines, bytes) }
    }
  }
}
