/// One access with everything that the architecture asks of it. The fast path takes its commonest
/// form, without SubstreamID and privilege, as plain arguments.
package struct SMMURequest: Hashable, Sendable, BitwiseCopyable {
  package enum Kind: UInt8, BitwiseCopyable, Sendable {
    case untranslated
    /// A PCIe transaction whose address came from an ATS translation (IHI 0070, §3.9).
    case atsTranslated
    /// An ATS Translation Request: faults of the tables are answers to it, not events.
    case atsRequest
    /// A transaction that the bus cannot express to the SMMU (§16.7.1).
    case unsupported
  }

  package var address: UInt64
  package var streamID: UInt32
  package var substreamID: UInt32?
  /// What is asked for: bit 0 reading, bit 1 writing.
  package let need: UInt8
  package let privileged: Bool
  /// An instruction fetch; only reads are.
  package let instruction: Bool
  package let kind: Kind

  package init(
    streamID: UInt32, substreamID: UInt32? = nil, address: UInt64, write: Bool,
    privileged: Bool = false, instruction: Bool = false, kind: Kind = .untranslated
  ) {
    self.streamID = streamID
    self.substreamID = substreamID
    self.address = address
    need = write ? 2 : 1
    self.privileged = privileged
    self.instruction = instruction && !write
    self.kind = kind
  }

  /// An access as the fast path takes it.
  @inline(__always)
  init(_ streamID: UInt32, _ address: UInt64, _ need: UInt64) {
    self.streamID = streamID
    substreamID = nil
    self.address = address
    self.need = UInt8(truncatingIfNeeded: need)
    privileged = false
    instruction = false
    kind = .untranslated
  }

  var writes: Bool { need & 2 != 0 }
}

/// The answer to a request: the translation, and what the architecture says about it.
package struct SMMUAnswer: Hashable, Sendable, BitwiseCopyable {
  /// What became of a transaction that was not translated (IHI 0070, §5.5).
  package enum Termination: UInt8, BitwiseCopyable, Sendable {
    /// The device sees an error; for a posted write (an MSI) that is silence.
    case abort
    /// CD.A = 0: reads give zero, writes vanish, the device sees success.
    case readZeroWriteIgnored
    /// CD.S or STE.S2S: waits for RESUME or STALL_TERM.
    case stalled
  }

  package var translation: SMMUTranslation
  /// What the tables allow at this privilege; a writable-clean page counts as writable.
  package var readable = false
  package var writable = false
  /// log2 of the bytes around the address that translate alike; 64 if nothing translates.
  package var log2SizeBytes: UInt8 = 0
  /// The combined TLB had it.
  package var tlbHit = false
  /// With a fault: the event, whether it went to the queue, and the end of the transaction.
  package var event = SMMUEventWords()
  package var isRecorded = false
  package var termination = Termination.abort

}
