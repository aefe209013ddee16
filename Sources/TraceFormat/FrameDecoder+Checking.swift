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
    try checkStreams(eventCount: eventCount)
    try checkCold()
    try checkKinds(eventCount: eventCount, firstOrdinal: firstOrdinal)
  }

  /// The escapes in the two streams are as many as the columns that they read from are long, so the
  /// loop's positions never pass the ends.
  private func checkStreams(eventCount: Int) throws(TraceError) {
    var cold = 0
    var extended = 0
    var late = 0
    // Safety: the streams have `eventCount` elements.
    for index in 0..<eventCount {
      let code = unsafe columns.codes[index]
      cold &+= code == EventPayloadHeader.coldCode ? 1 : 0
      extended &+= code == EventPayloadHeader.extendedCode ? 1 : 0
    }
    if payload.timeWidth == 1 {
      for index in 0..<eventCount { late &+= unsafe columns.time1[index] == .max ? 1 : 0 }
    } else {
      for index in 0..<eventCount { late &+= unsafe columns.time2[index] == .max ? 1 : 0 }
    }
    guard cold == payload.coldEvents, extended == payload.extendedCodes, late == payload.lateTicks
    else {
      throw TraceError(
        .malformed, "cold, extended, late",
        expected: "\(payload.coldEvents), \(payload.extendedCodes), \(payload.lateTicks)",
        found: "\(cold), \(extended), \(late)")
    }
    for index in 0..<late { unsafe columns.late[index] = unzigzag(columns.late[index]) }
    for index in 0..<extended {
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
      let slot = unsafe columns.coldSlot[index]
      let shape = unsafe columns.coldShape[index]
      guard slot <= EventPayloadHeader.noSlot, shape < UInt64(payload.shapes) else {
        throw TraceError(
          .malformed, "cold event \(index)",
          expected: "slot up to \(TraceLimits.slots), shape below \(payload.shapes)",
          found: "\(slot), \(shape)")
      }
      literals += unsafe columns.shapeSource[Int(shape)] == Word1Source.literal.rawValue ? 1 : 0
    }
    guard literals == payload.literalWords else {
      throw TraceError(
        .malformed, "literal words", expected: "\(payload.literalWords)", found: "\(literals)")
    }
  }

  /// An unknown kind is named with the first event that has it.
  private func checkKinds(eventCount: Int, firstOrdinal: UInt64) throws(TraceError) {
    let known = Self.knownKinds
    // Safety: as above; shapes of cold events were checked.
    func kind(_ shape: Int) -> EventKind {
      unsafe RecordShape.kind(ofTail: columns.shapeTail[shape])
    }
    guard let bad = (0..<payload.shapes).first(where: { !known[Int(kind($0).rawValue)] }) else {
      return
    }
    var cold = 0
    var position: UInt64?
    for index in 0..<eventCount where unsafe columns.codes[index] == EventPayloadHeader.coldCode {
      if unsafe columns.coldShape[cold] == UInt64(bad) {
        position = UInt64(index)
        break
      }
      cold += 1
    }
    throw TraceError(
      .unknownKind, "event kind", expected: "a kind of format version \(traceFormatVersion)",
      found: "\(kind(bad))"
    ).at(ordinal: position.map { firstOrdinal + $0 })
  }
}
