import EventModel

@testable import TraceFormat

/// A trace in pieces, so that each piece can be changed and sealed again.
struct TracePieces {
  var head: [UInt8]
  var frames: [(header: FrameHeader, plain: [UInt8])] = []
  var trailer: [UInt8] = []

  init(_ bytes: [UInt8]) throws {
    var reader = FrameReader(InputFile(bytes: bytes, name: "pieces"))
    _ = try reader.readHeader()
    head = Array(bytes[..<Int(reader.input.offset)])
    var plain = RawBuffer()
    while case .frame(let header) = try reader.next() {
      frames.append((header, try reader.text(header, using: &plain)))
    }
    trailer = Array(bytes.suffix(TraceTrailer.size))
  }

  /// The bytes with right checksums.
  /// - Parameters:
  ///   - count: stop after so many frames.
  ///   - liar: a frame whose header keeps the sizes that it states.
  func sealed(upTo count: Int? = nil, keepingSizesOf liar: Int? = nil) -> [UInt8] {
    var bytes = head
    for (place, frame) in frames.prefix(count ?? frames.count).enumerated() {
      var header = frame.header
      header.codec = .none
      if place != liar {
        header.plainSize = UInt32(frame.plain.count)
        header.storedSize = UInt32(frame.plain.count)
      }
      header.plainHash = XXH64.hash(frame.plain)
      bytes += header.encoded() + frame.plain
    }
    if count != nil { return bytes }
    var end = trailer
    end.replace(number: XXH64.hash(Array(end.dropLast(8))), at: end.count - 8)
    return bytes + end
  }
}
