package import EventModel

/// Whose clock the times of a trace are.
package enum ClockDomain: UInt8, Sendable, Hashable {
  case unknown = 0
  case emulator = 1
  case guest = 2
  case host = 3
  case synthetic = 4
}

/// What the author of a trace says about it, known before the first event.
package struct TraceDescription: Hashable, Sendable {
  package var clockDomain: ClockDomain = .unknown
  /// The smallest step of the clock, in nanoseconds. 0 if unknown.
  package var clockResolutionNanoseconds: UInt64 = 0
  /// Wall-clock time of event time 0, in nanoseconds since 1970. 0 if unknown.
  package var epochNanoseconds: UInt64 = 0
  /// Correction to the reference clock of a recording with two views:
  /// reference = time + offset + time × drift / 10¹². Both 0 if there is none.
  package var clockOffsetNanoseconds: Int64 = 0
  package var clockDriftPerTrillion: Int64 = 0
  /// Bit n: events of the origin with raw value n may occur.
  package var origins: UInt8 = 0
  package var geometry = TableGeometry()
  /// Who made the trace, from what, and how, in order. Keys in use: `tool`, `command`, `source`,
  /// `source-hash`, `note`.
  package var provenance: [ProvenanceEntry] = []
  package init() {}
}

package struct ProvenanceEntry: Hashable, Sendable {
  package var key: String
  package var value: String
  package init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }
}

/// What is known only at the end of writing. It stands in the trailer and, unless the trace went
/// into a pipe, in the header.
package struct TraceTotals: Hashable, Sendable {
  package var events: UInt64 = 0
  /// Events that the recording lost, as its loss records and its author count them.
  package var lostEvents: UInt64 = 0
  /// Places where events were lost.
  package var lossGaps: UInt64 = 0
  /// Frames of every kind but index frames.
  package var frames: UInt64 = 0
  /// Earliest and latest event time. Both 0 without events.
  package var earliestTime: UInt64 = 0
  package var latestTime: UInt64 = 0
  package init() {}
}

/// The head of a trace file.
package struct TraceHeader: Hashable, Sendable {
  package var version = traceFormatVersion
  package var codec: TraceCodec
  package var description: TraceDescription
  /// nil: the trace went into a pipe, or its writer did not finish; see the trailer.
  package var totals: TraceTotals?
  /// Repeated in each frame, so that a scan never takes a frame of another trace for one of this.
  package internal(set) var fileID: UInt64 = 0
}

/// The layout of records that this version decodes into, and its hash. A reader refuses a trace
/// with another hash: its words would mean something else.
package enum RecordLayout {
  package static let text =
    "TraceEvent 48: time u64@0 word0 u64@8 word1 u64@16 word2 u64@24 word3 u64@32 "
    + "target u16@40 vector u16@42 kind u8@44 flags u8@45 outcome u8@46 origin u8@47"
  package static let hash = XXH64.hash(Array(text.utf8))
}
