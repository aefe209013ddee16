package import EventModel
package import TraceFormat

/// What an import found, used and left out. Every line of the capture is counted exactly once:
/// `lineCount` is the sum of all tallies in `names`, `messages` and `damage`.
package struct ImportReport: Sendable {
  /// What the log says of the machine. A field that no line tells keeps `TableGeometry`'s default.
  package var geometry = TableGeometry()
  /// Whether a line told where the ITS translation page is.
  package var isTranslationPageRecorded = false
  package var textBytes: UInt64 = 0
  package var lineCount: UInt64 = 0
  package var eventCount: UInt64 = 0
  /// Events by kind, in the order of the kinds' raw values; only kinds that occur.
  package var events: [KindTally] = []
  /// Lines or records by event name, in the order of their first appearance.
  package var names: [NameTally] = []
  /// Lines without the trace prefix: the emulator's own messages, by their first word.
  package var messages: [MessageTally] = []
  /// Lines that cannot be read at all, by kind of damage; only kinds that occur.
  package var damage: [DamageTally] = []
  /// Threads of the emulator that wrote used lines.
  package var threadCount = 0
  /// Wall-clock time of the first line, and from there to the last used line.
  package var startMicroseconds: UInt64 = 0
  package var durationNanoseconds: UInt64 = 0
  /// Lines whose time was before that of an earlier line; they got the earlier line's time.
  package var backwardTimes: UInt64 = 0
  /// Mappings that no walk in the log showed: deduced from an access, and flagged `inferred`.
  package var inferredMappings: UInt64 = 0
  /// Accesses that were written before the log said whether they were DMA or MSI.
  package var forcedAccesses: UInt64 = 0
  /// Whose clock the times are, and its smallest step.
  package var clockDomain = ClockDomain.emulator
  package var clockResolutionNanoseconds: UInt64 = 1_000
  package var origin = EventOrigin.emulator
  /// Further origins, as bits by raw value: a second view was imported too.
  package var otherOrigins: UInt8 = 0
  /// What else a reader of the trace should know, for its provenance.
  package var notes: [String] = []

  package init() {}

  /// Bit n: events of the origin with raw value n may occur.
  package var origins: UInt8 { otherOrigins | 1 << origin.rawValue }

  package var usedLines: UInt64 { names.reduce(0) { $0 + $1.used } }
  package var ignoredLines: UInt64 { names.reduce(0) { $0 + $1.ignored } }
  package var notUnderstoodLines: UInt64 { names.reduce(0) { $0 + $1.notUnderstood } }
  package var messageLines: UInt64 { messages.reduce(0) { $0 + $1.count } }
  package var damagedLines: UInt64 { damage.reduce(0) { $0 + $1.count } }

  package func count(_ kind: EventKind) -> UInt64 {
    events.first { $0.kind == kind }?.count ?? 0
  }

  package struct KindTally: Sendable, Hashable {
    package var kind: EventKind
    package var count: UInt64
  }

  package struct NameTally: Sendable, Hashable {
    package var name: String
    /// Lines that became an event, or part of one.
    package var used: UInt64
    /// Lines that are understood but say nothing that a replay needs: `reason`.
    package var ignored: UInt64
    /// Lines of an unknown event, or whose fields are not those of this event.
    package var notUnderstood: UInt64
    package var firstLine: UInt64
    /// 0 when every line was understood.
    package var firstNotUnderstoodLine: UInt64
    package var reason: IgnoredReason
  }

  package struct MessageTally: Sendable, Hashable {
    package var firstWord: String
    package var count: UInt64
    package var firstLine: UInt64
  }

  package struct DamageTally: Sendable, Hashable {
    package var damage: LineDamage
    package var count: UInt64
    package var firstLine: UInt64
  }
}

/// Why lines of an event are left out.
package enum IgnoredReason: String, Sendable, Hashable, CaseIterable {
  case none = ""
  case emulatorInternal = "the emulator's own bookkeeping; the outcome stands in other lines"
  case deviceInternal = "what a device does inside; its accesses stand in other lines"
  case otherInterrupt = "an interrupt that is not an LPI"
  case otherRegister = "a register that no table depends on"
  case virtualisation = "the host's list registers; no table depends on them"
  case walkStep = "a step of a walk; its leaf stands in another line"
  case commandEffect = "the effect of a command that is imported itself"
  case unrelated = "says nothing of interrupts or DMA"
  case otherEnd = "the end of an interrupt in software"
  case hostSide = "what the host does with its own tables"
  case unknownRegister = "a guest's register; which one the recording does not say"
  case noStreamTable = "a domain; its tables stand in no event"
  case recorderInternal = "what the recorder notes of processes and of itself"
  case repeatedInjection = "an injection that another event stands for"
}

/// What makes a line unreadable.
package enum LineDamage: Int, Sendable, Hashable, CaseIterable {
  /// Starts like a trace line, or holds a piece of one, but has no whole prefix and event name.
  case torn
  /// Holds a NUL byte.
  case nulByte
  /// Longer than `QEMULogImporter.lineLimitBytes`.
  case overLong
  case empty
  /// The last line, without its line end: it may be cut in the middle of a number.
  case unterminated
  /// trace.dat: a ring page that contradicts itself; what it held behind that place is lost.
  case page
}

extension LineDamage: CustomStringConvertible {
  package var description: String {
    switch self {
    case .torn: "torn"
    case .nulByte: "with a NUL byte"
    case .overLong: "over-long"
    case .empty: "empty"
    case .unterminated: "cut at the end of the log"
    case .page: "ring page"
    }
  }
}
