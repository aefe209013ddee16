import EventModel

// Byte layout of the header: `Traces/README.md`, "Header".

extension TraceHeader {
  /// PNG's idea (RFC 2083, §3.1): a byte above 0x7F, CR LF, and end-of-file for DOS, so that a
  /// transfer as text shows at once.
  static let magic: [UInt8] = [0x89, 0x44, 0x42, 0x54, 0x0D, 0x0A, 0x1A, 0x0A]
  static let fixedSize = 160
  private static let finishedFlag: UInt8 = 1
  /// Where the patched part starts; the bytes before it and the provenance make the file ID.
  private static let flagsOffset = 15
  private static let totalsOffset = 80

  func encoded() throws(TraceError) -> [UInt8] {
    let provenance = try ProvenanceEntry.encode(description.provenance)
    var bytes = Self.magic
    bytes.append(number: version)
    bytes.append(number: UInt16(Self.fixedSize))
    bytes.append(codec.rawValue)
    bytes.append(description.clockDomain.rawValue)
    bytes.append(description.origins)
    bytes.append(0)
    bytes.append(number: RecordLayout.hash)
    bytes.append(number: description.clockResolutionNanoseconds)
    bytes.append(number: description.epochNanoseconds)
    bytes.append(number: description.clockOffsetNanoseconds)
    bytes.append(number: description.clockDriftPerTrillion)
    bytes.append(geometry: description.geometry)
    precondition(bytes.count == Self.totalsOffset)
    let fileID = XXH64.hash(bytes + provenance)
    if totals != nil { bytes[Self.flagsOffset] = Self.finishedFlag }
    bytes.append(totals: totals ?? TraceTotals())
    bytes.append(number: fileID)
    bytes.append(number: UInt32(provenance.count))
    bytes.append(number: UInt32(0))
    bytes.append(number: XXH64.hash(provenance))
    precondition(bytes.count == Self.fixedSize - 8)
    bytes.append(number: XXH64.hash(bytes))
    return bytes + provenance
  }

  /// Reads the fixed part. Provenance of the returned size follows it in the file.
  static func decodeFixed(
    _ bytes: [UInt8]
  ) throws(TraceError) -> (header: TraceHeader, provenanceSize: Int, provenanceHash: UInt64) {
    let start = bytes.prefix(magic.count)
    guard !start.isEmpty else {
      throw TraceError(.empty, "file", expected: "a trace header", found: "nothing")
    }
    guard start.elementsEqual(magic.prefix(start.count)) else {
      throw TraceError(
        .foreign, "magic number", expected: hexadecimal(magic), found: hexadecimal(start))
    }
    guard bytes.count >= fixedSize else {
      throw TraceError(
        .truncated, "header", expected: "\(fixedSize) bytes", found: "\(bytes.count) bytes")
    }
    return try bytes.cursor { (cursor) throws(TraceError) in
      try decodeFixed(&cursor, checksum: XXH64.hash(Array(bytes[..<(fixedSize - 8)])))
    }
  }

  private static func decodeFixed(
    _ cursor: inout ByteCursor, checksum: UInt64
  ) throws(TraceError) -> (header: TraceHeader, provenanceSize: Int, provenanceHash: UInt64) {
    let field = "header"
    let _: UInt64 = try cursor.number(field)
    let version: UInt16 = try cursor.number(field)
    let size: UInt16 = try cursor.number(field)
    guard version == traceFormatVersion, size == fixedSize else {
      throw TraceError(
        .unsupported, "format version (header size)",
        expected: "\(traceFormatVersion) (\(fixedSize))", found: "\(version) (\(size))")
    }
    let codecValue: UInt8 = try cursor.number(field)
    let domainValue: UInt8 = try cursor.number(field)
    var description = TraceDescription()
    description.origins = try cursor.number(field)
    let flags: UInt8 = try cursor.number(field)
    let layout: UInt64 = try cursor.number(field)
    description.clockResolutionNanoseconds = try cursor.number(field)
    description.epochNanoseconds = try cursor.number(field)
    description.clockOffsetNanoseconds = try cursor.number(field)
    description.clockDriftPerTrillion = try cursor.number(field)
    description.geometry = try cursor.geometry()
    let totals = try cursor.totals()
    let fileID: UInt64 = try cursor.number(field)
    let provenanceSize: UInt32 = try cursor.number(field)
    let _: UInt32 = try cursor.number(field)
    let provenanceHash: UInt64 = try cursor.number(field)
    let stated: UInt64 = try cursor.number(field)
    guard stated == checksum else {
      throw TraceError(
        .damaged, "header checksum", expected: stated.hex, found: checksum.hex)
    }
    guard layout == RecordLayout.hash else {
      throw TraceError(
        .unsupported, "record layout", expected: RecordLayout.hash.hex, found: layout.hex)
    }
    guard let codec = TraceCodec(rawValue: codecValue) else {
      throw TraceError(.unsupported, "codec", expected: "0, 1 or 2", found: "\(codecValue)")
    }
    guard let domain = ClockDomain(rawValue: domainValue) else {
      throw TraceError(.unsupported, "clock domain", expected: "0…4", found: "\(domainValue)")
    }
    guard Int(provenanceSize) <= TraceLimits.provenanceSizeBytes else {
      throw TraceError(
        .malformed, "provenance size", expected: "at most \(TraceLimits.provenanceSizeBytes)",
        found: "\(provenanceSize)")
    }
    description.clockDomain = domain
    let header = TraceHeader(
      codec: codec, description: description, totals: flags & finishedFlag != 0 ? totals : nil,
      fileID: fileID)
    return (header, Int(provenanceSize), provenanceHash)
  }

  static func decodeProvenance(
    _ bytes: [UInt8], size: Int, hash: UInt64
  ) throws(TraceError) -> [ProvenanceEntry] {
    guard bytes.count == size else {
      throw TraceError(
        .truncated, "provenance", expected: "\(size) bytes", found: "\(bytes.count) bytes")
    }
    let found = XXH64.hash(bytes)
    guard found == hash else {
      throw TraceError(.damaged, "provenance checksum", expected: hash.hex, found: found.hex)
    }
    return try ProvenanceEntry.decode(bytes)
  }
}

extension ProvenanceEntry {
  static func encode(_ entries: [ProvenanceEntry]) throws(TraceError) -> [UInt8] {
    var bytes: [UInt8] = []
    for entry in entries {
      for part in [entry.key, entry.value] {
        bytes.append(number: UInt32(part.utf8.count))
        bytes.append(contentsOf: part.utf8)
      }
      guard bytes.count <= TraceLimits.provenanceSizeBytes else {
        throw TraceError(
          .usage, "provenance or note",
          expected: "at most \(TraceLimits.provenanceSizeBytes) bytes", found: "more")
      }
    }
    return bytes
  }

  static func decode(_ bytes: [UInt8]) throws(TraceError) -> [ProvenanceEntry] {
    guard !bytes.isEmpty else { return [] }
    return try bytes.cursor { (cursor) throws(TraceError) in
      var entries: [ProvenanceEntry] = []
      while cursor.remaining > 0 {
        let key = try cursor.lengthPrefixedText("text key")
        entries.append(ProvenanceEntry(key, try cursor.lengthPrefixedText("text value")))
      }
      return entries
    }
  }
}

private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}

extension ByteCursor {
  mutating func lengthPrefixedText(_ subject: String) throws(TraceError) -> String {
    let size: UInt32 = try number(subject)
    return try text(Int(size), subject)
  }

  mutating func totals() throws(TraceError) -> TraceTotals {
    var totals = TraceTotals()
    totals.events = try number("totals")
    totals.lostEvents = try number("totals")
    totals.lossGaps = try number("totals")
    totals.frames = try number("totals")
    totals.earliestTime = try number("totals")
    totals.latestTime = try number("totals")
    return totals
  }

  fileprivate mutating func geometry() throws(TraceError) -> TableGeometry {
    var geometry = TableGeometry()
    geometry.deviceIDBits = try number("geometry")
    geometry.eventIDBits = try number("geometry")
    geometry.collectionIDBits = try number("geometry")
    geometry.vPEIDBits = try number("geometry")
    geometry.intidBits = try number("geometry")
    geometry.streamIDBits = try number("geometry")
    geometry.inputAddressBits = try number("geometry")
    geometry.outputAddressBits = try number("geometry")
    geometry.peCount = try number("geometry")
    geometry.vPECount = try number("geometry")
    let _: UInt32 = try number("geometry")
    geometry.itsTranslationPage = try number("geometry")
    return geometry
  }
}

extension [UInt8] {
  mutating func append(totals: TraceTotals) {
    append(number: totals.events)
    append(number: totals.lostEvents)
    append(number: totals.lossGaps)
    append(number: totals.frames)
    append(number: totals.earliestTime)
    append(number: totals.latestTime)
  }

  fileprivate mutating func append(geometry: TableGeometry) {
    append(contentsOf: [
      geometry.deviceIDBits, geometry.eventIDBits, geometry.collectionIDBits, geometry.vPEIDBits,
      geometry.intidBits, geometry.streamIDBits, geometry.inputAddressBits,
      geometry.outputAddressBits,
    ])
    append(number: geometry.peCount)
    append(number: geometry.vPECount)
    append(number: UInt32(0))
    append(number: geometry.itsTranslationPage)
  }
}
