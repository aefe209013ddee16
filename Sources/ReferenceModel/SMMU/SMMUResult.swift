package import EventModel

/// What one access gave, and what it cost in memory reads and cache lookups.
package struct SMMUResult: Hashable, Sendable {
  package enum Outcome: Hashable, Sendable {
    case translated(SMMUTranslation)
    /// Terminated without an event: STE.Config = 0b0xx, or a disabled SMMU with GBPA.ABORT.
    case aborted
    case fault(SMMUFault)
  }

  package var outcome: Outcome
  package var work: SMMUWork

  package var translation: SMMUTranslation? {
    if case .translated(let translation) = outcome { translation } else { nil }
  }
  package var fault: SMMUFault? {
    if case .fault(let fault) = outcome { fault } else { nil }
  }
  package var address: UInt64? { translation?.address }

  /// As the replay counts it. A silent abort is event number 0.
  package var outcomeClass: OutcomeClass {
    switch outcome {
    case .translated: .translated
    case .aborted: .smmuFault(0)
    case .fault(let fault): .smmuFault(fault.record.number.rawValue)
    }
  }
}

package struct SMMUTranslation: Hashable, Sendable {
  package var address: UInt64
  /// What the tables allow at this privilege; a writable-clean page counts as writable once
  /// written.
  package var readable: Bool
  package var writable: Bool
  /// log2 of the bytes around the address that translate alike, 64 if nothing translates.
  package var log2SizeBytes: UInt8
  /// The answer came from the IOTLB, or for a stream of stage 2 only from the IPA TLB.
  package var tlbHit: Bool
}

/// A fault: the record, and what became of it and of the transaction (IHI 0070, §5.5).
package struct SMMUFault: Error, Hashable, Sendable {
  package enum Termination: Hashable, Sendable {
    /// The device sees an error; for a posted write (an MSI) that is silence.
    case abort
    /// CD.A = 0: reads give zero, writes vanish, the device sees success.
    case readZeroWriteIgnored
    /// CD.S or STE.S2S: waits for RESUME or STALL_TERM.
    case stalled
  }

  package var record: SMMUEventRecord
  /// False if CD.R or STE.S2R suppressed the record.
  package var isRecorded = true
  package var termination = Termination.abort

  package init(_ record: SMMUEventRecord) { self.record = record }
}

/// Memory reads by what was read, and lookups by the cache that was asked.
package struct SMMUWork: Hashable, Sendable {
  package struct Lookups: Hashable, Sendable {
    package var hits: UInt64 = 0
    package var misses: UInt64 = 0
    package init() {}

    mutating func count(hit: Bool) {
      if hit { hits += 1 } else { misses += 1 }
    }
  }

  package var level1StreamTableReads: UInt64 = 0
  package var steReads: UInt64 = 0
  package var level1ContextTableReads: UInt64 = 0
  package var cdReads: UInt64 = 0
  package var stage1Reads: UInt64 = 0
  package var stage2Reads: UInt64 = 0
  /// Descriptors that hardware rewrote to set AF or the dirty state.
  package var descriptorUpdates: UInt64 = 0

  package var ste = Lookups()
  package var cd = Lookups()
  package var iotlb = Lookups()
  package var stage2TLB = Lookups()
  package var stage1Walk = Lookups()
  package var stage2Walk = Lookups()

  package init() {}

  package var configurationReads: UInt64 {
    level1StreamTableReads + steReads + level1ContextTableReads + cdReads
  }
  package var reads: UInt64 { configurationReads + stage1Reads + stage2Reads }
}
