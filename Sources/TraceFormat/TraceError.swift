/// What is wrong with a trace, where, and what to do about it.
///
/// Inner layers state kind, subject, expected and found; the layer that knows the place adds it with
/// `at(…)`.
package struct TraceError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// The operating system refused: open, read, write, sync or rename.
    case system
    /// Nothing there, or not a trace at all.
    case empty, foreign
    /// Written by a newer tool, or with another record layout.
    case unsupported
    /// The file ends too early.
    case truncated
    /// A checksum or a marker does not match.
    case damaged
    /// Checksums match, but the content contradicts itself or a limit.
    case malformed
    /// An event of a kind that this version does not know.
    case unknownKind
    /// Asked for something that this input cannot do (seek in a pipe, an ordinal out of range).
    case usage
  }

  package var kind: Kind
  /// What was looked at, in the words of the format page.
  package var subject: String
  package var expected: String
  package var found: String
  package var path = ""
  package var frame: UInt64?
  package var byteOffset: UInt64?
  package var ordinal: UInt64?

  package init(_ kind: Kind, _ subject: String, expected: String, found: String) {
    self.kind = kind
    self.subject = subject
    self.expected = expected
    self.found = found
  }

  /// The same error with its place. A place that is known already stays.
  package func at(
    path: String? = nil, frame: UInt64? = nil, byteOffset: UInt64? = nil, ordinal: UInt64? = nil
  ) -> TraceError {
    var error = self
    if error.path.isEmpty, let path { error.path = path }
    error.frame = error.frame ?? frame
    error.byteOffset = error.byteOffset ?? byteOffset
    error.ordinal = error.ordinal ?? ordinal
    return error
  }

  /// What the reader of the message can do now.
  package var advice: String {
    switch kind {
    case .system: "check the path, its permissions and the free space"
    case .empty: "nothing was written; make the trace again with 'doorbell import'"
    case .foreign:
      "only .dbtrace files are read here; turn a capture into one with 'doorbell import'"
    case .unsupported: "a newer version wrote it; read it with that version, or import it again"
    case .truncated:
      "the file was cut or its writer stopped; save the whole frames with 'doorbell recover'"
    case .damaged:
      "the file was damaged or edited; save the whole frames with 'doorbell recover'"
    case .malformed: "its writer has a defect, or it was made by hand; import the capture again"
    case .unknownKind: "a newer version wrote it; read it with that version"
    case .usage: "see 'doorbell info' for what the trace holds"
    }
  }
}

extension TraceError: CustomStringConvertible {
  package var description: String {
    var place: [String] = []
    if !path.isEmpty { place.append(path) }
    switch (frame, byteOffset) {
    case (let frame?, let offset?):
      place.append("frame \(Self.grouped(frame)) at byte \(Self.grouped(offset))")
    case (let frame?, nil): place.append("frame \(Self.grouped(frame))")
    case (nil, let offset?): place.append("byte \(Self.grouped(offset))")
    case (nil, nil): break
    }
    if let ordinal { place.append("event \(Self.grouped(ordinal))") }
    place.append("\(subject): expected \(expected), found \(found); \(advice)")
    return place.joined(separator: ": ")
  }

  /// 1114112 → "1,114,112".
  private static func grouped(_ value: UInt64) -> String {
    var digits = Array(String(value))
    var position = digits.count - 3
    while position > 0 {
      digits.insert(",", at: position)
      position -= 3
    }
    return String(digits)
  }
}

extension UInt64 {
  /// 0x-prefixed hexadecimal, for messages.
  package var hex: String { "0x" + String(self, radix: 16) }
}
