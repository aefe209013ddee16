package import EventModel

/// The machine as recorded: SMMU, ITS and MSI-X tables together, fed with a recording's events.
///
///     var machine = ReferenceMachine(geometry)
///     for event in trace {
///       guard let outcome = machine.apply(event) else { continue }   // set-up, maintenance
///       // event.kind is .dma or .msi: compare with what the recording says
///     }
///
/// An MSI is a write like any other (IHI 0069, §5.2.1): the SMMU translates its address, and only if
/// that gives GITS_TRANSLATER does the ITS see it, with the DeviceID that the wiring adds and the
/// data as EventID. The message itself is the recorded one; the MSI-X table of its function is
/// followed beside it, and a message that the table would not have sent is counted.
package struct ReferenceMachine: Sendable {
  package var smmu: SMMU
  package var its: ITS
  /// By StreamID. Tables are as long as any can be: recordings do not tell the length.
  package private(set) var functions: [UInt32: MSIXFunction] = [:]

  package private(set) var checks = Checks()

  /// What does not go together in a recording. All but `messages` should be 0.
  package struct Checks: Hashable, Sendable {
    /// MSIs whose vector and table are known, and were compared.
    package var messages: UInt64 = 0
    /// Of those, address or data differ from the entry.
    package var otherMessages: UInt64 = 0
    /// Of those, the vector was masked or MSI-X disabled.
    package var maskedMessages: UInt64 = 0
    /// Stream configurations, mappings and commands that the SMMU model refused.
    package var refusedConfigurations: UInt64 = 0

    package init(messages: UInt64 = 0) { self.messages = messages }
  }

  package init(
    _ geometry: TableGeometry, version: ITS.Version = .v4,
    policy: ITS.Policy = .specification.forRecordings()
  ) {
    smmu = SMMU(SMMU.Identification(geometry))
    its = .provisioned(ITS.Configuration(geometry, version: version), policy: policy)
  }

  /// Takes the next event of the recording.
  /// - Returns: the outcome of a DMA access or an MSI, nil for everything else.
  package mutating func apply(_ event: TraceEvent) -> Outcome? {
    switch event.kind {
    case .dma: return access(event)
    case .msi: return message(event)
    case .streamConfiguration, .map, .unmap, .smmuCommand: maintain(event)
    case .msixTableWrite, .msixControl: configureMSIX(event)
    default: its.apply(event)
    }
    return nil
  }

  // MARK: Accesses

  private mutating func access(_ event: TraceEvent) -> Outcome {
    let result = smmu.translate(
      streamID: event.streamID,
      substreamID: event.flags.contains(.substreamValid) ? event.substreamID : nil,
      address: event.iova, access: SMMUAccess(write: Self.isWrite(event.flags)))
    return Outcome(address: result.address ?? 0, outcome: result.outcomeClass)
  }

  /// Where a recording does not tell the direction, the one that the recorded translation allows;
  /// reading comes first.
  private static func isWrite(_ flags: EventFlags) -> Bool {
    if flags.contains(.write) { return true }
    return !flags.contains(.read) && flags.contains(.writable) && !flags.contains(.readable)
  }

  private mutating func message(_ event: TraceEvent) -> Outcome {
    check(event)
    let result = smmu.translate(streamID: event.streamID, address: event.iova, access: .write)
    guard let address = result.address else { return Outcome(outcome: result.outcomeClass) }
    let page = its.configuration.frame + 0x1_0000
    guard address & ~0xFFFF == page else {
      return Outcome(address: address, outcome: .notADoorbell)
    }
    return its.writeTranslationFrame(
      offset: address - page, value: event.data, sizeBytes: 4, deviceID: DeviceID(event.deviceID))
  }

  private mutating func check(_ event: TraceEvent) {
    guard event.vector != TraceEvent.unknownVector, let function = functions[event.streamID],
      function.entries.indices.contains(Int(event.vector))
    else { return }
    checks.messages += 1
    let expected = MSIXMessage(address: event.iova, data: event.data)
    if function.entries[Int(event.vector)].message != expected { checks.otherMessages += 1 }
    if !function.isEnabled || function.isMasked(Int(event.vector)) { checks.maskedMessages += 1 }
  }

  // MARK: Set-up

  private mutating func maintain(_ event: TraceEvent) {
    do {
      switch event.kind {
      case .streamConfiguration: try smmu.configure(event)
      case .map: try smmu.map(event)
      case .unmap: try smmu.unmap(event)
      default: try smmu.command(event.word0, event.word1)
      }
    } catch {
      checks.refusedConfigurations += 1
    }
  }

  private mutating func configureMSIX(_ event: TraceEvent) {
    guard event.streamID != TraceEvent.unknownDevice else { return }
    var function =
      functions[event.streamID] ?? MSIXFunction(vectorCount: MSIXFunction.maximumVectorCount)
    if event.kind == .msixControl {
      function.control(enabled: event.word3 & 1 != 0, masked: event.word3 & 2 != 0)
    } else {
      function.write(
        offset: event.tableOffset, value: event.value,
        sizeBytes: UInt32(truncatingIfNeeded: event.word3 >> 32))
    }
    functions[event.streamID] = function
  }
}
