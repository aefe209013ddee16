// History: what one command measured, written down so that it can be compared later.
//
// A run record is one JSON document with a schema version. Everything else that Doorbell prints
// (tables, verdicts, reports) is derived from run records; nothing is derived from printed text.
//
//   let record = try RunRecord.read(from: url)
//   try record.write(to: url)          // temporary file, fsync, rename
//
// It is not a database and takes no decision.
//
// Invariants: values of a field never change their meaning within a schema version; new fields are optional, so
// that a reader accepts older documents; a figure that no run can have given is refused; a file is the old
// document or the new one, never half of one. The schema for others: `Sources/Manual/Reference/Schemas`.
// Threads: values; any thread. Of several writers to one path the last one stays.

/// All that one command measured.
public struct RunRecord: Codable, Hashable, Sendable {
  /// Counts up whenever a reader of the previous version would be misled.
  public static let currentSchema = 1

  public var schema: Int = RunRecord.currentSchema
  public var tool: Tool
  /// The command line, as given.
  public var command: [String]
  /// ISO 8601, UTC.
  public var started: String
  public var trace: Trace
  public var host: HostFingerprint
  /// Fresh processes that this record holds. Statistics are about launches, not iterations.
  public var launches: Int = 1
  public var cells: [Cell]
  /// What the harness itself costs on this host, measured in the same run.
  public var harness: [Metric] = []
  /// What a reader must know before he believes the figures (not pinned, fallback clock, …).
  public var warnings: [String] = []
  /// Lists that a host walks, by length, beside maps: of the host, not of a design or a trace. Absent
  /// unless `set-up` ran.
  public var slowPaths: [LengthCurve]?
  /// What the host was like; absent in records that are older than the question.
  public var findings: [Finding]?
  /// What was asked for and is not available on this host. Absent from records of modelled runs.
  public var absences: [Absence]?

  public init(
    tool: Tool, command: [String], started: String, trace: Trace, host: HostFingerprint,
    cells: [Cell], harness: [Metric] = [], warnings: [String] = []
  ) {
    self.tool = tool
    self.command = command
    self.started = started
    self.trace = trace
    self.host = host
    self.cells = cells
    self.harness = harness
    self.warnings = warnings
  }

  public struct Tool: Codable, Hashable, Sendable {
    public var name: String
    public var version: String
    public init(name: String, version: String) {
      self.name = name
      self.version = version
    }
  }

  public struct Trace: Codable, Hashable, Sendable {
    public var name: String
    /// SHA-256 of the trace file, in hex: two runs are comparable only if it is the same.
    public var contentHash: String
    public var events: UInt64
    public var eventsByKind: [String: UInt64]
    public var lostEvents: UInt64
    /// StreamIDs that accessed memory or raised an interrupt; absent in records that are older than the count.
    public var devices: Int?
    public init(
      name: String, contentHash: String, events: UInt64, eventsByKind: [String: UInt64],
      lostEvents: UInt64, devices: Int? = nil
    ) {
      self.name = name
      self.contentHash = contentHash
      self.events = events
      self.eventsByKind = eventsByKind
      self.lostEvents = lostEvents
      self.devices = devices
    }
  }
}

extension RunRecord {
  /// One trace × design × experiment.
  public struct Cell: Codable, Hashable, Sendable {
    public var design: String
    public var setUp: String
    public var delivery: String
    /// Whose interrupt hardware: arm-gicv3, arm-gicv4, x86-intel, x86-amd, gicv5. Absent in records that
    /// are older than the choice: arm-gicv4.
    public var architecture: String?
    public var experiment: String
    /// "modelled" or "live".
    public var mode: String
    public var parameters: [String: String] = [:]
    public var conformance: Conformance?
    public var ledger: LedgerRecord?
    /// Work counters of one pass over the trace, set-up and delivery apart.
    public var setUpCounters: [String: UInt64] = [:]
    public var deliveryCounters: [String: UInt64] = [:]
    public var metrics: [Metric] = []
    public var distributions: [Distribution] = []
    /// Digest of all outcomes in order, in hex.
    public var digest: String?
    /// What the processor counted in core's delivery; absent if it was not asked.
    public var processorCounters: [ProcessorCounter]?
    /// Interrupts taken apart, at some percentiles of the whole.
    public var stages: [StageAttribution]?
    /// Latency against rate, in rising order of rates.
    public var curve: [RatePoint]?
    /// Those of each launch, where there are several; `curve` is one of them.
    public var launchCurves: [[RatePoint]]?
    /// What tells this cell from others of the same design and experiment in one suite, such as "rate=50k";
    /// absent where there are no others.
    public var variant: String?
    /// Why the figures must not be believed (lag over its budget, …); absent if they may.
    public var voidReason: String?

    public init(
      design: String, setUp: String, delivery: String, experiment: String, mode: String = "modelled"
    ) {
      self.design = design
      self.setUp = setUp
      self.delivery = delivery
      self.experiment = experiment
      self.mode = mode
    }

    public func metric(_ name: String) -> Metric? { metrics.first { $0.name == name } }
    public func distribution(_ name: String) -> Distribution? {
      distributions.first { $0.name == name }
    }
  }

  /// The proof that came before the measurement.
  public struct Conformance: Codable, Hashable, Sendable {
    public var accessesCompared: UInt64
    public var interruptsCompared: UInt64
    public var agreedWithReference: Bool
    /// Accesses for which the recording itself states the outcome.
    public var recordedCompared: UInt64
    public var agreedWithRecording: Bool
    /// The first difference, in words, if there was one. A cell that has one holds no timing.
    public var firstDifference: String?
    public init(
      accessesCompared: UInt64, interruptsCompared: UInt64, agreedWithReference: Bool,
      recordedCompared: UInt64, agreedWithRecording: Bool, firstDifference: String?
    ) {
      self.accessesCompared = accessesCompared
      self.interruptsCompared = interruptsCompared
      self.agreedWithReference = agreedWithReference
      self.recordedCompared = recordedCompared
      self.agreedWithRecording = agreedWithRecording
      self.firstDifference = firstDifference
    }
  }

  /// offered = delivered + coalesced + masked + lost.
  public struct LedgerRecord: Codable, Hashable, Sendable {
    public var offered: UInt64
    public var delivered: UInt64
    public var coalesced: UInt64
    public var masked: UInt64
    public var lost: [String: UInt64]
    public init(
      offered: UInt64, delivered: UInt64, coalesced: UInt64, masked: UInt64, lost: [String: UInt64]
    ) {
      self.offered = offered
      self.delivered = delivered
      self.coalesced = coalesced
      self.masked = masked
      self.lost = lost
    }
    public var lostTotal: UInt64 { lost.values.reduce(0, +) }
    public var isConserved: Bool { offered == delivered + coalesced + masked + lostTotal }
  }

  /// A scalar with every sample behind it.
  public struct Metric: Codable, Hashable, Sendable {
    public var name: String
    public var unit: String
    public var lowerIsBetter: Bool
    /// The figure to quote: the median of `samples`.
    public var value: Double
    /// One per repetition, in order.
    public var samples: [Double]
    /// How many of them each launch gave, in order. Absent: all are of one launch.
    public var launchSizes: [Int]?
    public init(name: String, unit: String, lowerIsBetter: Bool, value: Double, samples: [Double]) {
      self.name = name
      self.unit = unit
      self.lowerIsBetter = lowerIsBetter
      self.value = value
      self.samples = samples
    }
    public var minimum: Double { samples.min() ?? value }
    public var maximum: Double { samples.max() ?? value }
  }

  /// A full histogram: (highest equivalent value, count) pairs in rising order. Percentiles are read
  /// from it and never averaged.
  public struct Distribution: Codable, Hashable, Sendable {
    public var name: String
    public var unit: String
    public var counts: [Bucket]
    public init(name: String, unit: String, counts: [Bucket]) {
      self.name = name
      self.unit = unit
      self.counts = counts
    }

    public struct Bucket: Codable, Hashable, Sendable {
      public var value: UInt64
      public var count: UInt64
      public init(value: UInt64, count: UInt64) {
        self.value = value
        self.count = count
      }
    }

    public var total: UInt64 { counts.reduce(0) { $0 + $1.count } }

    /// The smallest recorded value that at least `percent` per cent of the samples do not exceed;
    /// 0 if there are none. O(buckets).
    public func percentile(_ percent: Double) -> UInt64 {
      let rank = max(1, UInt64((Double(total) * percent / 100).rounded(.up)))
      var seen: UInt64 = 0
      for bucket in counts {
        seen += bucket.count
        if seen >= rank { return bucket.value }
      }
      return counts.last?.value ?? 0
    }
  }
}
