package import EventModel

/// What a replay must know before an event, followed from the first event on: the content of a key
/// frame.
///
///     var state = ConfigurationState(geometry: header.description.geometry)
///     for event in events { state.apply(event) }
///     let records = state.records(time: now)      // from nothing, they lead to the same state
///
/// It keeps streams and live mappings, live ITS tables, register values, LPI configuration bytes,
/// vCPU residency, MSI-X tables, remapping entries, and the interrupts that are pending. It reads
/// commands as the reference model does: one that fails there is not kept, and a mapping that is
/// there is overwritten. What caches hold is no part of it; see `isSettled`.
///
/// Memory: proportional to what is live. Cost: O(1) for an event, but for commands that name many
/// (MAPC, MOVALL, an unmap of a large range); DMA costs nothing.
package struct ConfigurationState: Sendable {
  let geometry: TableGeometry
  var spaces = AddressSpaces()
  var interrupts: InterruptTables
  var vcpus = VCPUResidency()
  /// Plain stores: the last one in each place counts.
  var registers = LastStores()
  var functions = LastStores()
  var remapping = LastStores()
  var configurationBytes = LastStores()
  /// Configuration bytes that were stored since the last invalidation.
  private var hasUnreadConfiguration = false

  package init(geometry: TableGeometry) {
    self.geometry = geometry
    interrupts = InterruptTables(geometry)
  }

  /// Nothing waits for an invalidation: no mapping went or changed, no stream was configured anew,
  /// no configuration byte was stored that a cache may hold with its old value. Only then does a
  /// replay that starts with empty caches behave as one that has them, as long as no access goes by a
  /// mapping that is gone later on.
  package var isSettled: Bool { !spaces.hasStaleEntries && !hasUnreadConfiguration }

  /// Takes the next event of the trace.
  package mutating func apply(_ event: TraceEvent) {
    switch event.kind {
    case .dma, .endOfInterrupt, .mark, .loss: break
    case .msi: message(event)
    case .acknowledge: interrupts.acknowledge(event.intid, event.target)
    case .map: spaces.map(event)
    case .unmap: spaces.unmap(event)
    case .smmuCommand: spaces.command(event)
    case .streamConfiguration: spaces.configure(event)
    case .itsCommand: command(event)
    case .itsRegisterWrite: registerWrite(event)
    case .redistributorWrite: redistributorWrite(event)
    case .lpiConfiguration: configurationByte(event)
    case .vcpuLoad, .vcpuPut, .vcpuBlock, .vcpuMigrate: residency(event)
    case .msixTableWrite, .msixControl: functionWrite(event)
    case .irteWrite: remapping.store(event, at: .init(event.word2, event.word0, 0, 0))
    default: break
    }
  }

  private mutating func message(_ event: TraceEvent) {
    if event.outcome.isLost { return }
    if event.outcome == .notRecorded {
      let reached = spaces.translate(event.iova, stream: event.streamID)
      guard reached == geometry.doorbell else { return }
    }
    interrupts.trigger(event.deviceID, event.data, vcpus)
  }

  private mutating func command(_ event: TraceEvent) {
    let command = ITSCommandWords(event)
    switch command.opcode {
    case 0x0C, 0x0D, 0x2D: hasUnreadConfiguration = false
    default: interrupts.execute(command, vcpus)
    }
    // VMAPP with V = 0: a later mapping of the same vPEID is another vPE.
    if command.opcode == 0x29, !command.isValid { vcpus.forget(command.vPE) }
  }

  private mutating func configurationByte(_ event: TraceEvent) {
    guard interrupts.isLPI(event.intid) else { return }
    let vPE = event.target.isVPE ? UInt64(event.target.rawValue) : 0
    configurationBytes.store(event, at: .init(vPE, UInt64(event.intid), 0, 0))
    hasUnreadConfiguration = true
  }

  // MARK: Registers

  private static let registerFrames: UInt64 = 0x4_0000

  private mutating func registerWrite(_ event: TraceEvent) {
    guard event.registerOffset < Self.registerFrames else { return }
    if event.registerOffset == 0 { interrupts.isEnabled = event.value & 1 == 1 }
    let size = event.word3 & 0xFFFF_FFFF
    registers.store(event, at: .init(0, event.registerOffset, size, 0))
  }

  private mutating func redistributorWrite(_ event: TraceEvent) {
    let (offset, pe) = (event.registerOffset, event.target.number)
    guard !event.target.isVPE, pe < interrupts.peCount, offset < Self.registerFrames else {
      return
    }
    let intid = UInt32(truncatingIfNeeded: event.value)
    switch offset {
    case 0x40: interrupts.setPending(intid, pe: pe)
    case 0x48: interrupts.clearPending(intid, pe: pe)
    case 0xA0, 0xB0: hasUnreadConfiguration = false
    case 0xC0, 0x2_0080: break
    case 0x2_0070...0x2_007F: vcpus.write(event)
    default:
      if offset == 0 { interrupts.setLPIs(enabled: event.value & 1 == 1, pe: pe) }
      let size = event.word3 & 0xFFFF_FFFF
      registers.store(event, at: .init(1, offset, size, UInt64(pe)))
    }
  }

  private mutating func residency(_ event: TraceEvent) {
    vcpus.apply(
      event, vptAddress: interrupts.vPEs[event.target.number]?.vptAddress,
      peCount: interrupts.peCount, intidBits: interrupts.intidBits)
  }

  // MARK: MSI-X

  /// No table is longer: 2,048 entries of 16 bytes (PCI 3.0, §6.8.2.3).
  private static let tableSizeBytes: UInt32 = 2048 * 16

  private mutating func functionWrite(_ event: TraceEvent) {
    guard event.kind == .msixTableWrite else {
      return functions.store(event, at: .init(event.word2, .max, 0, 0))
    }
    let offset = event.tableOffset
    guard offset < Self.tableSizeBytes, offset % 4 == 0 else { return }
    functions.store(event, at: .init(event.word2, UInt64(offset), 0, 0))
    if event.word3 >> 32 == 8 {
      functions.store(event, at: .init(event.word2, UInt64(offset + 4), 0, 0))
    }
  }
}
