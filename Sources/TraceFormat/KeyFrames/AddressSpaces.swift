import EventModel

/// Streams and the mappings of their address spaces, as recorded.
///
/// A stage 1 space is named by VMID and ASID, a stage 2 space by VMID. A space exists once a stream
/// was configured for it; mappings before that reach no tables, and are kept apart.
struct AddressSpaces: Sendable {
  struct Key: Hashable, Sendable {
    var stage: UInt8
    var vmid: UInt16
    var asid: UInt16
  }

  private struct Space: Sendable {
    /// The configuration of the stream that made it.
    var configuration: TraceEvent?
    var leaves = LeafTable()
    /// Spaces come back in the order in which they were made.
    var number: UInt64
  }

  private var spaces: [Key: Space] = [:]
  private var streams: [UInt32: TraceEvent] = [:]
  private var next: UInt64 = 0
  /// A leaf or a stream changed, and no invalidation came since.
  private(set) var hasStaleEntries = false

  // MARK: Events

  mutating func configure(_ event: TraceEvent) {
    var event = event
    event.time = 0
    if let old = streams.updateValue(event, forKey: event.streamID), old != event {
      hasStaleEntries = true
    }
    for key in Self.keys(of: event) {
      attach(event, to: key)
    }
  }

  private mutating func attach(_ event: TraceEvent, to key: Key) {
    let old = spaces[key]
    if old?.configuration == nil || key.stage == 1 && old?.configuration?.word0 != event.word0 {
      // A new root, empty but for what a table of the same address already held.
      spaces[key] = Space(configuration: event, number: next)
      next += 1
    } else if old?.configuration?.streamID == event.streamID {
      spaces[key]?.configuration = event
    }
    guard key.stage == 1, event.word0 != 0 else { return }
    // A table that comes back under another ASID, and that no other stream uses, was freed and taken
    // again: it is empty.
    let isShared = streams.contains {
      $0.key != event.streamID && $0.value.word0 == event.word0
        && StreamConfiguration($0.value).config & 0b101 == 0b101
    }
    guard !isShared else { return }
    for (other, space) in spaces
    where other.stage == 1 && other != key && space.configuration?.word0 == event.word0 {
      spaces[other] = nil
    }
  }

  /// The spaces that a stream configuration names: STE.Config bit 0 is stage 1, bit 1 stage 2.
  private static func keys(of event: TraceEvent) -> [Key] {
    let config = StreamConfiguration(event).config
    guard config & 0b100 != 0 else { return [] }
    var keys: [Key] = []
    if config & 1 != 0 { keys.append(Key(stage: 1, vmid: event.vmid, asid: event.asid)) }
    if config & 2 != 0 { keys.append(Key(stage: 2, vmid: event.vmid, asid: 0)) }
    return keys
  }

  private static func key(of event: TraceEvent) -> Key {
    let stage = UInt8(event.stage)
    return Key(stage: stage, vmid: event.vmid, asid: stage == 2 ? 0 : event.asid)
  }

  mutating func map(_ event: TraceEvent) {
    if edit(event, { $0.map(event) }) { hasStaleEntries = true }
  }

  mutating func unmap(_ event: TraceEvent) {
    if edit(event, { $0.unmap(event) }) { hasStaleEntries = true }
  }

  private mutating func edit(_ event: TraceEvent, _ body: (inout LeafTable) -> Bool) -> Bool {
    let key = Self.key(of: event)
    if spaces[key] == nil {
      spaces[key] = Space(number: next)
      next += 1
    }
    return body(&spaces[key]!.leaves)
  }

  /// CFGI_* (0x03…0x06), TLBI_* (0x10…0x30) (IHI 0070, §4.1.1): what they do not name is taken to be
  /// followed by its own.
  mutating func command(_ event: TraceEvent) {
    let opcode = event.word0 & 0xFF
    if (0x03...0x06).contains(opcode) || (0x10...0x30).contains(opcode) { hasStaleEntries = false }
  }

  /// Where an access of a stream arrives, if its tables tell. Without any stream configuration there
  /// is no SMMU in the way. Stage 2 is the host's, which backs what a guest maps.
  func translate(_ address: UInt64, stream: UInt32) -> UInt64? {
    guard let configuration = streams[stream] else { return streams.isEmpty ? address : nil }
    let config = StreamConfiguration(configuration).config
    guard config & 0b100 != 0 else { return nil }
    guard config & 1 != 0 else { return address }
    let key = Key(stage: 1, vmid: configuration.vmid, asid: configuration.asid)
    return spaces[key]?.leaves.translate(address)
  }

  // MARK: Records

  /// Mappings without tables; each space's configuration and leaves; streams as they are now.
  var records: [TraceEvent] {
    var records: [TraceEvent] = []
    var current: [UInt32: TraceEvent] = [:]
    let ordered = spaces.sorted { $0.value.number < $1.value.number }
    for (_, space) in ordered where space.configuration == nil {
      records += space.leaves.events
    }
    for (key, space) in ordered where !space.leaves.isEmpty {
      guard let configuration = member(of: key, space) else { continue }
      if current.updateValue(configuration, forKey: configuration.streamID) != configuration {
        records.append(configuration)
      }
      for leaf in space.leaves.events {
        records.append(Self.readdress(leaf, to: key, configuration, current))
      }
    }
    for (stream, configuration) in streams.sorted(by: { $0.key < $1.key })
    where current[stream] != configuration {
      records.append(configuration)
    }
    return records
  }

  /// The first stream that goes by the space; without one, the stream that made it.
  private func member(of key: Key, _ space: Space) -> TraceEvent? {
    let members = streams.filter {
      Self.keys(of: $0.value).contains(key)
        && (key.stage == 2 || $0.value.word0 == space.configuration?.word0)
    }
    return members.min { $0.key < $1.key }?.value ?? space.configuration
  }

  /// A leaf names a stream; if that stream has another space by now, it gets the stream that stands
  /// for this one.
  private static func readdress(
    _ leaf: TraceEvent, to key: Key, _ configuration: TraceEvent, _ current: [UInt32: TraceEvent]
  ) -> TraceEvent {
    guard let owner = current[leaf.streamID], !keys(of: owner).contains(key) else { return leaf }
    var leaf = leaf
    leaf.word2 = leaf.word2 & ~0xFFFF_FFFF | UInt64(configuration.streamID)
    return leaf
  }
}
