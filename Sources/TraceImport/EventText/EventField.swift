package import EventModel

/// A named piece of an event's payload words: the vocabulary of the text forms of an event.
///
/// Each kind has its list, which follows the table at the head of `TraceEvent.swift`. `doorbell cat`
/// writes these names and the table importer reads them, so both agree by construction. Bits that no
/// field of the kind covers travel as `word0`…`word3`, so nothing is lost either way.
package struct EventField: Hashable, Sendable {
  package enum Form: Sendable {
    /// Addresses, identifiers and command words.
    case hexadecimal
    /// Counts and sizes.
    case decimal
  }

  package let name: String
  /// Which of the four payload words, and the bits of it.
  package let word: Int
  package let lowBit: Int
  private let mask: UInt64
  package let form: Form
  /// Written even if it is 0, because the event means nothing without it.
  package let isEssential: Bool

  private init(
    _ name: String, _ word: Int, _ low: Int = 0, _ count: Int = 64, _ form: Form = .hexadecimal,
    essential: Bool = false
  ) {
    self.name = name
    self.word = word
    lowBit = low
    mask = (count == 64 ? .max : (1 &<< UInt64(count)) - 1) &<< UInt64(low)
    self.form = form
    isEssential = essential
  }

  /// What the other fields leave of a word.
  private init(restOf word: Int, mask: UInt64) {
    name = "word\(word)"
    self.word = word
    lowBit = 0
    self.mask = mask
    form = .hexadecimal
    isEssential = false
  }

  private static func low(
    _ name: String, _ word: Int, _ form: Form = .hexadecimal, essential: Bool = false
  ) -> EventField { EventField(name, word, 0, 32, form, essential: essential) }

  private static func high(
    _ name: String, _ word: Int, _ form: Form = .hexadecimal, essential: Bool = false
  ) -> EventField { EventField(name, word, 32, 32, form, essential: essential) }

  package func value(in event: TraceEvent) -> UInt64 {
    (event.payload(word) & mask) >> UInt64(lowBit)
  }

  /// Whether the field can hold `value`.
  package func holds(_ value: UInt64) -> Bool { value & ~(mask >> UInt64(lowBit)) == 0 }

  /// - Precondition: `holds(value)`.
  package func set(_ value: UInt64, in event: inout TraceEvent) {
    precondition(holds(value))
    event.setPayload(word, event.payload(word) & ~mask | value &<< UInt64(lowBit))
  }

  /// The fields of a kind, and then the words that they do not cover whole.
  package static func fields(of kind: EventKind) -> [EventField] {
    let named = namedFields(of: kind)
    return named
      + (0..<4).compactMap { word in
        let covered = named.filter { $0.word == word }.reduce(0) { $0 | $1.mask }
        return covered == .max ? nil : EventField(restOf: word, mask: ~covered)
      }
  }

  private static func namedFields(of kind: EventKind) -> [EventField] {
    let space = [
      low("stream", 2, essential: true), EventField("asid", 2, 32, 16),
      EventField("vmid", 2, 48, 16),
    ]
    let leaf = [
      EventField("log2-size", 3, 0, 8, .decimal), EventField("level", 3, 8, 4, .decimal),
      EventField("granule", 3, 12, 4, .decimal), EventField("stage", 3, 16, 2, .decimal),
    ]
    let owner = [low("stream", 2, essential: true), high("device", 2, essential: true)]
    let register = [
      EventField("register", 0, essential: true), EventField("value", 1, essential: true),
      low("size", 3, .decimal),
    ]
    switch kind {
    case .dma:
      return [
        low("stream", 2, essential: true), high("substream", 2),
        EventField("iova", 0, essential: true), EventField("pa", 1), low("size", 3, .decimal),
      ]
    case .msi:
      return owner + [
        EventField("address", 0, essential: true), EventField("pa", 1),
        low("data", 3, essential: true), high("intid", 3, .decimal),
      ]
    case .acknowledge, .endOfInterrupt:
      return [high("intid", 3, .decimal, essential: true)]
    case .map:
      return space + [
        EventField("iova", 0, essential: true), EventField("output", 1, essential: true),
      ] + leaf + [EventField("attributes", 3, 32, 32)]
    case .unmap: return space + [EventField("iova", 0, essential: true)] + leaf
    case .smmuCommand:
      return [EventField("dw0", 0, essential: true), EventField("dw1", 1, essential: true)]
    case .streamConfiguration:
      return space + [
        EventField("ttb0", 0, essential: true), EventField("s2ttb", 1), low("stage1", 3),
        high("stage2", 3),
      ]
    case .itsCommand:
      return (0..<4).map { EventField("dw\($0)", $0, essential: true) }
    case .msixTableWrite:
      return owner + [
        EventField("gpa", 0), low("offset", 3, essential: true),
        EventField("value", 1, essential: true), high("size", 3, .decimal),
      ]
    case .msixControl:
      return owner + [
        EventField("enabled", 3, 0, 1, .decimal, essential: true),
        EventField("masked", 3, 1, 1, .decimal, essential: true),
      ]
    case .lpiConfiguration:
      return [
        high("intid", 3, .decimal, essential: true),
        EventField("configuration", 1, essential: true),
      ]
    case .itsRegisterWrite, .redistributorWrite: return register
    case .vcpuLoad, .vcpuPut, .vcpuBlock, .vcpuMigrate:
      return [
        EventField("vpt", 0), low("from", 3, .decimal), high("to", 3, .decimal),
      ]
    case .mark: return [EventField("number", 0, 0, 64, .decimal, essential: true)]
    case .loss: return [EventField("count", 0, 0, 64, .decimal, essential: true)]
    default: return []
    }
  }
}

extension TraceEvent {
  /// Payload word 0…3.
  fileprivate func payload(_ word: Int) -> UInt64 {
    switch word {
    case 0: word0
    case 1: word1
    case 2: word2
    default: word3
    }
  }

  fileprivate mutating func setPayload(_ word: Int, _ value: UInt64) {
    switch word {
    case 0: word0 = value
    case 1: word1 = value
    case 2: word2 = value
    default: word3 = value
    }
  }

  /// The device that the event concerns: its StreamID or DeviceID, or the DeviceID of an ITS command
  /// that has one. nil if it concerns none, or if the recording does not tell.
  package var device: UInt32? {
    switch kind {
    case .dma, .msi, .map, .unmap, .streamConfiguration: return streamID
    case .msixTableWrite, .msixControl:
      return deviceID == TraceEvent.unknownDevice ? nil : deviceID
    case .itsCommand:
      let opcode = ITSCommandOpcode(rawValue: UInt8(truncatingIfNeeded: word0))
      return opcode?.namesDevice == true ? UInt32(truncatingIfNeeded: word0 >> 32) : nil
    default: return nil
    }
  }
}
