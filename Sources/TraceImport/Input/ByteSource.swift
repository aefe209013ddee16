/// Where the bytes of a capture come from. The importer owns the buffer and asks for more.
package protocol ByteSource: ~Copyable {
  /// Appends up to `output.freeCapacity` bytes.
  ///
  /// - Returns: the number of bytes appended; 0 only at the end of the capture.
  mutating func read(into output: inout OutputRawSpan) throws(ImportError) -> Int
  /// Bytes taken from the medium so far: for a compressed file, compressed ones.
  var bytesRead: UInt64 { get }
  /// Size of the medium in the unit of `bytesRead`, or nil for a pipe.
  var totalBytes: UInt64? { get }
  /// How messages call this capture.
  var name: String { get }
}
