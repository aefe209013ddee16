import EventModel

// Everything that the event loop takes for granted, proved once per frame.

extension FrameDecoder {
  /// Kinds that this version knows, by raw value.
  private static let knownKinds: [Bool] = {
    var known = [Bool](repeating: false, count: 256)
    for kind in EventKind.all { known[Int(kind.rawValue)] = true }
    return known
  }()

  mutating func check(eventCount: Int, firstOrdinal: UInt64) throws(TraceError) {
    try checkExtended()
    try checkCold()
    try checkKinds(firstOrdinal: firstOrdinal)
  }

  private func checkExtended() throws(TraceError) {
    // Safety: the columns have as many elements as the payload header states.
    for index in 0..<payload.lateTicks {
      unsafe columns.late[index] = unzigzag(columns.late[index])
    }
    for index in 0..<payload.extendedSlots {
      let slot = unsafe columns.extended[index]
      guard slot < UInt64(TraceLimits.slots) else {
        throw TraceError(
          .malformed, "extended slot", expected: "below \(TraceLimits.slots)", found: "\(slot)")
      }
    }
  }

  private func checkCold() throws(TraceError) {
    var literals = 0
    // Safety: the columns have as many elements as the payload header states.
    for index in 0..<payload.shapes {
      let source = unsafe columns.shapeSource[index]
      guard source <= Word1Source.zero.rawValue else {
        throw TraceError(.malformed, "word 1 source", expected: "0…2", found: "\(source)")
      }
    }
    for index in 0..<payload.coldEvents {
      let shape = unsafe columns.coldShape[index]
      guard shape < UInt64(payload.shapes) else {
        throw TraceError(
          .malformed, "cold shape", expected: "below \(payload.shapes)", found: "\(shape)")
      }
      literals += unsafe columns.shapeSource[Int(shape)] == Word1Source.literal.rawValue ? 1 : 0
    }
    guard literals == payload.literalWords else {
      throw TraceError(
        .malformed, "literal words", expected: "\(payload.literalWords)", found: "\(literals)")
    }
  }

  /// An unknown kind is named with the first event that has it.
  private func checkKinds(firstOrdinal: UInt64) throws(TraceError) {
    let known = Self.knownKinds
    for shape in 0..<payload.shapes {
      // Safety: as above.
      let kind = unsafe RecordShape.kind(ofTail: columns.shapeTail[shape])
      guard !known[Int(kind.rawValue)] else { continue }
      let cold = (0..<payload.coldEvents).first { unsafe columns.coldShape[$0] == UInt64(shape) }
      throw TraceError(
        .unknownKind, "event kind", expected: "a kind of format version \(traceFormatVersion)",
        found: "\(kind)"
      ).at(ordinal: cold.map { unsafe firstOrdinal + columns.coldPosition[$0] })
    }
  }
}
