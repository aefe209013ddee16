import EventModel
import TraceImport

/// What `info` finds out about a trace.
struct InfoDocument: Encodable {
  struct Device: Encodable {
    var streamID: UInt32
    var dma: UInt64 = 0
    var msi: UInt64 = 0
    var vectors = 0
  }

  struct Vector: Encodable {
    var deviceID: UInt32
    var eventID: UInt32
    var msi: UInt64 = 0
    /// As the recording states them for the last message.
    var intid: UInt32?
    var target: String?
  }

  struct Rate: Encodable {
    var eventsPerSecond: Double
    var accessesPerSecond: Double
    var interruptsPerSecond: Double
    /// The most events in one window.
    var peakEventsPerSecond: Double
    var peakWindowNanoseconds = RateCurve.peakWindowNanoseconds
    /// Events in each step of time, from the first event on.
    var curve: [UInt64]
    var curveStepNanoseconds: UInt64
  }

  struct KeyFrames: Encodable {
    var count: Int
    /// 0: a replay starts with the first one.
    var firstOrdinal: UInt64
    /// From one to the next, or to the end.
    var mostEventsBetween: UInt64
    /// Of all of them together.
    var records: UInt64
    var bytes: UInt64
  }

  struct Column: Encodable {
    var name: String
    var plainBytes: UInt64
    var storedBytes: UInt64
  }

  var version = 1
  var path: String
  var bytes: UInt64
  var codec: String
  var formatVersion: UInt16
  var clockDomain: String
  var clockResolutionNanoseconds: UInt64
  var events: UInt64
  var lostEvents: UInt64
  var durationNanoseconds: UInt64
  var sha256: String
  var geometry: TableGeometry
  var provenance: [String]
  var eventsByKind: [String: UInt64]
  var devices: [Device]
  var vectorCount: Int
  /// The busiest first, some thousand at most.
  var vectors: [Vector]
  /// nil: none.
  var keyFrames: KeyFrames?
  var rate: Rate
  /// Nanoseconds between two events of a kind.
  var gapsByKind: [String: GapPercentiles]
  /// With --columns.
  var columns: [Column]?
}

/// Percentiles of a histogram that is exact to one part in 32.
struct GapPercentiles: Encodable {
  var p50: UInt64
  var p90: UInt64
  var p99: UInt64
  var p999: UInt64

  init(_ histogram: LogHistogram) {
    p50 = histogram.percentile(thousandths: 500)
    p90 = histogram.percentile(thousandths: 900)
    p99 = histogram.percentile(thousandths: 990)
    p999 = histogram.percentile(thousandths: 999)
  }

  static let names = ["p50", "p90", "p99", "p99.9"]
  var list: [UInt64] { [p50, p90, p99, p999] }
}
