import CZstd
import EventModel
import Glibc
import Testing

@testable import TraceImport

/// Plain and compressed captures, from files and from pipes.
@Suite struct CaptureInputTests {
  private static func compressed(_ bytes: [UInt8]) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
    // Safety: both arrays outlive the call and their true sizes are passed.
    let count = unsafe ZSTD_compress(&output, output.count, bytes, bytes.count, 3)
    return Array(output[..<count])
  }

  @Test func aCompressedLogGivesWhatThePlainOneGives() throws {
    let text = try Golden.bytes("translation.log")
    let plain = try TemporaryCapture.with(text) { try Imported(path: $0) }
    let zstd = try TemporaryCapture.with(Self.compressed(text)) { try Imported(path: $0) }
    let frames = try TemporaryCapture.with(
      Self.compressed(Array(text[..<1000])) + Self.compressed(Array(text[1000...]))
    ) { try Imported(path: $0) }
    #expect(plain.events == (try Imported(text)).events)
    #expect(zstd.events == plain.events)
    #expect(frames.events == plain.events)
  }

  @Test func aPipeGivesWhatAFileGives() throws {
    let text = try Golden.bytes("translation.log")
    for bytes in [text, Self.compressed(text)] {
      var ends: [Int32] = [0, 0]
      // Safety: the array holds the two descriptors that pipe(2) writes.
      try #require(unsafe pipe(&ends) == 0)
      // Safety: the array's own count is passed; it fits the pipe's 64 KiB.
      try #require(unsafe write(ends[1], bytes, bytes.count) == bytes.count)
      close(ends[1])
      defer { close(ends[0]) }
      var input = try CaptureInput(descriptor: ends[0])
      #expect(input.totalBytes == nil)
      let report = try QEMULogImporter().run(source: &input) { _ in }
      #expect(report.lineCount == (try Imported(text)).report.lineCount)
    }
  }

  @Test func progressReachesTheSizeOfTheFile() throws {
    let bytes = Self.compressed(try Golden.bytes("translation.log"))
    try TemporaryCapture.with(bytes) { path in
      var input = try CaptureInput(path: path)
      var last: UInt64 = 0
      _ = try QEMULogImporter().run(
        source: &input, sink: { _ in },
        progress: { read, total in
          #expect(read >= last)
          #expect(total == UInt64(bytes.count))
          last = read
        })
      #expect(last == UInt64(bytes.count))
    }
  }

  @Test func aZstdFileCutAnywhereIsRefusedOrGivesWholeFrames() throws {
    let bytes = Self.compressed(try Golden.bytes("commands.log"))
    for length in [1, 4, 5, 20, bytes.count / 2, bytes.count - 1] {
      let cut = Array(bytes[..<length])
      #expect(throws: ImportError.self, "cut at \(length)") {
        try TemporaryCapture.with(cut) { try Imported(path: $0) }
      }
    }
    let name = try TemporaryCapture.with(Array(bytes[..<20])) { path in
      do {
        _ = try Imported(path: path)
      } catch ImportError.truncatedCompression(let name, let count) {
        #expect(count == 20)
        return name == path
      }
      return false
    }
    #expect(name)
  }

  @Test func aZstdFileWithAWrongByteNeverTraps() throws {
    let bytes = Self.compressed(try Golden.bytes("commands.log"))
    for index in stride(from: 0, to: bytes.count, by: 3) {
      var damaged = bytes
      damaged[index] ^= 0x55
      _ = try? TemporaryCapture.with(damaged) { try Imported(path: $0) }
    }
  }

  @Test func aMissingFileADirectoryAndAnEmptyFileAreNamed() throws {
    #expect(throws: ImportError.unreadable(name: "/no/such", operation: "open", code: ENOENT)) {
      try Imported(path: "/no/such")
    }
    #expect(throws: ImportError.unreadable(name: "/", operation: "read", code: EISDIR)) {
      try Imported(path: "/")
    }
    #expect(throws: ImportError.self) { try TemporaryCapture.with([]) { try Imported(path: $0) } }
    let text = ImportError.unreadable(name: "/no/such", operation: "open", code: ENOENT)
    #expect(text.description.contains("No such file"))
  }
}
