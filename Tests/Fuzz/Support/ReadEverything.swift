import EventModel
import TraceFormat

/// Everything that can be asked of a trace. Refusing it with a `TraceError` is right; anything else
/// that ends it is not.
enum ReadEverything {
  static func read(_ bytes: [UInt8]) {
    refusing { () throws(TraceError) in
      var reader = try TraceReader(bytes: bytes, name: "fuzz")
      _ = try drain(&reader)
    }
    refusing { () throws(TraceError) in
      var reader = try TraceReader(bytes: bytes, name: "fuzz")
      _ = try reader.verify()
    }
    refusing { () throws(TraceError) in
      var reader = try TraceReader(bytes: bytes, name: "fuzz")
      let index = try reader.index()
      _ = index.positions(mayHold: [.msi, .mark])
      for keyFrame in try reader.keyFrames().prefix(8) {
        _ = try reader.seek(toKeyFrame: keyFrame)
      }
      let end = index.entries.last?.endOrdinal ?? 0
      for target in [0, end / 2, end] {
        try reader.seek(toOrdinal: target)
        _ = try drain(&reader)
        _ = try reader.snapshot(before: target)
      }
      try reader.seek(toFrameOfTime: index.entries.first?.latestTime ?? 0)
      _ = try reader.seek(withStateToOrdinal: end / 3)
    }
  }

  static func scan(_ bytes: [UInt8]) {
    refusing { () throws(TraceError) in
      var scanner = try TraceScanner(bytes: bytes, name: "fuzz")
      var next: UInt64 = 0
      while let finding = try scanner.next() {
        switch finding {
        case .frame(let frame, _):
          let events = scanner.events()
          guard frame.kind == .events else { continue }
          // Frames do not overlap, and hold what they say.
          precondition(frame.firstOrdinal >= next)
          precondition(events.count == Int(frame.count))
          next = frame.firstOrdinal + UInt64(frame.count)
        case .damage(let damage): precondition(damage.bytes.upperBound <= UInt64(bytes.count))
        }
      }
    }
  }

  /// Reads to the end, in batches that do not divide frames evenly.
  private static func drain(_ reader: inout TraceReader) throws(TraceError) -> UInt64 {
    let batch = UnsafeMutableBufferPointer<TraceEvent>.allocate(capacity: 37)
    defer { batch.deallocate() }
    var sum: UInt64 = 0
    while true {
      let count = try reader.decode(into: batch)
      if count == 0 { return sum }
      for index in 0..<count { sum &+= batch[index].time ^ batch[index].word0 }
    }
  }

  static func refusing(_ body: () throws(TraceError) -> Void) {
    do {
      try body()
    } catch {
      precondition(!error.expected.isEmpty && !error.found.isEmpty, "an error says both")
    }
  }
}
