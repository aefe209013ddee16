import EventModel

// Everything that the event loop takes for granted, proved once per frame.

extension FrameDecoder {
  /// Kinds that this version knows, by raw value.
  private static let knownKinds: [Bool] = {
    var known = [Bool](repeating: false, count: 256)
    for kind in EventKind.all { known[Int(kind.rawValue)] = true }
    return known
  }()

  func check(eventCount: Int, firstOrdinal: UInt64) throws(TraceError) {
    try checkCodes(eventCount: eventCount)
    try checkExtended()
    try checkSlots()
    try checkKinds(eventCount: eventCount, firstOrdinal: firstOrdinal)
  }

  /// With 256 slots or more every byte names one.
  private func checkCodes(eventCount: Int) throws(TraceError) {
    guard payload.slots < EventPayloadHeader.directSlots else { return }
    var largest: UInt8 = 0
    // Safety: the stream has `eventCount` elements.
    for index in 0..<eventCount { largest = unsafe max(largest, columns.codes[index]) }
    guard Int(largest) < payload.slots else {
      throw TraceError(
        .malformed, "slot code", expected: "below \(payload.slots)", found: "\(largest)")
    }
  }

  private func checkExtended() throws(TraceError) {
    // Safety: the column has as many elements as the payload header states.
    var largest: UInt64 = 0
    for index in 0..<payload.extendedSlots {
      largest = unsafe max(largest, columns.extended[index])
    }
    guard largest < UInt64(payload.slots) else {
      throw TraceError(
        .malformed, "extended slot", expected: "below \(payload.slots)", found: "\(largest)")
    }
  }

  private func checkSlots() throws(TraceError) {
    var literals = 0
    // Safety: the columns have as many elements as the payload header states, and each shape number
    // is checked before it is used.
    for index in 0..<payload.shapes {
      let source = unsafe columns.shapeSource[index]
      guard source <= Word1Source.zero.rawValue else {
        throw TraceError(.malformed, "word 1 source", expected: "0…2", found: "\(source)")
      }
    }
    for index in 0..<payload.slots {
      let shape = unsafe columns.slotShape[index]
      guard shape < UInt64(payload.shapes) else {
        throw TraceError(
          .malformed, "slot shape", expected: "below \(payload.shapes)", found: "\(shape)")
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
    // Safety: the columns have as many elements as the payload header states; shapes were checked.
    func kind(_ shape: Int) -> EventKind {
      unsafe RecordShape.kind(ofTail: columns.shapeTail[shape])
    }
    guard let shape = (0..<payload.shapes).first(where: { !known[Int(kind($0).rawValue)] }) else {
      return
    }
    let numbers = slotNumbers()
    let bad = Set(
      numbers.indices.filter { unsafe columns.slotShape[$0] == UInt64(shape) }.map { numbers[$0] })
    var extended = 0
    let event = (0..<eventCount).first { index in
      guard unsafe columns.extendedPosition[extended] == UInt64(index) else {
        return unsafe bad.contains(UInt64(columns.codes[index]))
      }
      extended += 1
      return unsafe bad.contains(columns.extended[extended - 1])
    }
    throw TraceError(
      .unknownKind, "event kind", expected: "a kind of format version \(traceFormatVersion)",
      found: "\(kind(shape))"
    ).at(ordinal: event.map { firstOrdinal + UInt64($0) })
  }

  /// The number of each entry of the slot table.
  private func slotNumbers() -> [UInt64] {
    var direct = 0
    return (0..<payload.slots).map { entry in
      // Safety: the list of positions is closed by one that is never reached.
      guard unsafe columns.directPosition[direct] == UInt64(entry) else {
        return UInt64(EventPayloadHeader.directSlots + entry - direct)
      }
      direct += 1
      return UInt64(direct - 1)
    }
  }
}
