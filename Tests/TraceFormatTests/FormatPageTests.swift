import EventModel
import Glibc
import Testing
import TraceFormatInC

@testable import TraceFormat

/// The format page is enough to read a trace: a reader written from it, in C, gives the same events.
@Suite struct FormatPageTests {
  private func decodeInC(_ file: [UInt8]) throws -> (events: [[UInt64]], error: String?) {
    var events: UnsafeMutablePointer<TraceFormatInC_Event>?
    var count = 0
    // Safety: the array stays in place during the call; the result is freed after it was copied.
    return unsafe file.withUnsafeBufferPointer { bytes in
      let error = unsafe TraceFormatInC_decode(bytes.baseAddress, bytes.count, &events, &count)
      defer { unsafe free(events) }
      let words = (0..<count).map { index in
        let event = unsafe events.unsafelyUnwrapped[index]
        return [event.time, event.word0, event.word1, event.word2, event.word3, event.tail]
      }
      return unsafe (words, error.map { unsafe String(cString: $0) })
    }
  }

  private func words(_ events: [TraceEvent]) -> [[UInt64]] {
    events.map { event in
      let tail = unsafe withUnsafePointer(to: event) { unsafe RecordShape.tail(at: $0) }
      return [event.time, event.word0, event.word1, event.word2, event.word3, tail]
    }
  }

  @Test(arguments: TraceCodec.allCases)
  func theGoldenFilesAreTheSameInC(codec: TraceCodec) throws {
    let decoded = try decodeInC(TemporaryFile.read(GoldenTests.path(codec)))
    #expect(decoded.error == nil)
    #expect(decoded.events == words(GoldenTests.events))
  }

  @Test(arguments: TraceCodec.allCases, [1, 7, 65_536])
  func otherTracesAreTheSameInC(codec: TraceCodec, frame: Int) throws {
    for events in [SampleTrace.events(600), SampleTrace.randomRecords(500, seed: 3)] {
      let file = try SampleTrace.bytes(events, SampleTrace.options(codec, frame: frame))
      let decoded = try decodeInC(file)
      #expect(decoded.error == nil)
      #expect(decoded.events == words(events))
    }
  }

  @Test func damageIsNoticedInCToo() throws {
    let file = try TemporaryFile.read(GoldenTests.path(.zstd))
    for index in file.indices {
      var bytes = file
      bytes[index] ^= 0x10
      let decoded = try decodeInC(bytes)
      // Index, snapshot and note payloads are not looked at by a reader of events.
      #expect(decoded.error != nil || decoded.events == words(GoldenTests.events))
    }
  }
}
