import EventModel

// The ITS: writes to its translation page and the table reads that follow, its commands, and its
// registers.

extension LogInterpreter {
  // MARK: MSIs

  /// "offset 0x40 data 0x0 size 4 requester_id 0x8": a write to the translation page. With an SMMU
  /// it completes the access that the thread has just translated.
  mutating func readTranslationWrite(_ thread: Int, _ time: UInt64, _ text: LineText) -> Disposition
  {
    var text = text
    guard let offset = text.number("offset"), offset <= 0xFFFF, let data = text.number32("data"),
      let deviceID = text.number32("requester_id")
    else { return .notUnderstood }
    // The address of the write, if its own line was traced and is of this write.
    let written = threads[thread].translationAddress.flatMap { $0 & 0xFFFF == offset ? $0 : nil }
    threads[thread].translationAddress = nil
    let access = threads[thread].access
    let isTranslated =
      threads[thread].stage == .translated && queue.contains(access)
      && isDoorbellAccess(queue[access].expectedAddress, offset, written)
    let vector = isTranslated ? threads[thread].accessVector : threads[thread].raisedVector
    if let page = written.map({ $0 & ~0xFFFF }) {
      learnTranslationPage(page)
    } else if isTranslated {
      learnTranslationPage(queue[access].expectedAddress & ~0xFFFF)
    }
    let ordinal: UInt64
    if isTranslated {
      ordinal = access
      queue[ordinal] = message(queue[access], data: data, deviceID: deviceID)
    } else {
      ordinal = appendUntranslated(offset, data, deviceID, written, time)
      threads[thread].raisedVector = nil
      threads[thread].access = ordinal
    }
    setVector(ordinal, vector)
    let outcome: OutcomeClass =
      offset != 0x40 ? .notADoorbell : isITSDisabled ? .itsDisabled : .notRecorded
    queue[ordinal].outcome = outcome
    if outcome == .notRecorded {
      threads[thread].stage = .device
      threads[thread].isHeld = true
    } else {
      threads[thread].endAccess()
    }
    return .used
  }

  /// Whether an access to `address` is the write that the ITS saw at `offset`.
  private func isDoorbellAccess(_ address: UInt64, _ offset: UInt64, _ written: UInt64?) -> Bool {
    if let written { return address == written }
    return address & 0xFFFF == offset && (translationPage ?? address & ~0xFFFF) == address & ~0xFFFF
  }

  private mutating func learnTranslationPage(_ page: UInt64) {
    guard translationPage == nil else { return }
    translationPage = page
    geometry.itsTranslationPage = page
  }

  /// The MSI that an access turns out to be.
  private func message(_ access: TraceEvent, data: UInt32, deviceID: UInt32) -> TraceEvent {
    var flags = access.flags
    flags.insert(.write)
    return .msi(
      time: access.time, streamID: access.streamID, deviceID: deviceID, address: access.iova,
      data: data, flags: flags, expectedAddress: access.expectedAddress, origin: .emulator)
  }

  /// An MSI on a machine without an SMMU, or whose translation was not traced.
  private mutating func appendUntranslated(
    _ offset: UInt64, _ data: UInt32, _ deviceID: UInt32, _ written: UInt64?, _ time: UInt64
  ) -> UInt64 {
    let page = written.map { $0 & ~0xFFFF } ?? translationPage
    let address = (page ?? geometry.itsTranslationPage) | offset
    let flags: EventFlags = page == nil ? [.write, .inferred] : [.write, .addressRecorded]
    return queue.append(
      .msi(
        time: time, streamID: deviceID, deviceID: deviceID, address: address, data: data,
        flags: flags, expectedAddress: page == nil ? 0 : address, origin: .emulator))
  }

  /// The MSI-X entry: the one that the device named, if its table does not say otherwise; else the
  /// one whose message this is.
  private mutating func setVector(_ ordinal: UInt64, _ raised: UInt16?) {
    let event = queue[ordinal]
    if let raised {
      let entry = msix.entry(owner: event.streamID, vector: raised)
      if entry == nil || entry?.address == event.iova && entry?.data == event.data {
        queue[ordinal].vector = raised
        return
      }
    }
    if let vector = msix.vector(owner: event.streamID, address: event.iova, data: event.data) {
      queue[ordinal].vector = vector
    }
  }

  /// A table read. It belongs to the thread's MSI, or to the command that the thread executes.
  mutating func readTableEntry(
    _ action: LineAction, _ thread: Int, _ text: LineText
  ) -> Disposition {
    let stage = threads[thread].stage
    let access = threads[thread].access
    guard stage != .none, stage != .translated, queue.contains(access) else { return .ignored }
    var text = text
    switch (action, stage) {
    case (.deviceEntry, .device): return readDeviceEntry(thread, access, &text)
    case (.interruptEntry, .interrupt): return readInterruptEntry(thread, access, &text)
    case (.collectionEntry, .collection):
      guard let isValid = text.number("valid"), let rdbase = text.number("RDBase"),
        rdbase <= 0x7FFF
      else { return fail(thread) }
      if isValid == 0 {
        lose(thread, .unmappedCollection)
      } else {
        deliver(thread, .pe(UInt16(rdbase)))
      }
    case (.vPEEntry, .vPE):
      guard let isValid = text.number("valid"), let vPEID = text.number("vPEID"), vPEID <= 0x7FFF
      else { return fail(thread) }
      if isValid == 0 {
        lose(thread, .unmappedVPE)
      } else {
        deliver(thread, .vpe(UInt16(vPEID)))
      }
    default:
      // Not the read that comes next: a command's, after an MSI whose reads were not all traced.
      threads[thread].endAccess()
      return .ignored
    }
    return .used
  }

  private mutating func readDeviceEntry(
    _ thread: Int, _ access: UInt64, _ text: inout LineText
  ) -> Disposition {
    guard let deviceID = text.number32("DeviceID"), let isValid = text.number("valid"),
      let size = text.number("size"), size <= 31
    else { return fail(thread) }
    guard deviceID == queue[access].deviceID else {
      threads[thread].endAccess()
      return .ignored
    }
    if isValid == 0 {
      lose(thread, .unmappedDevice)
    } else if UInt64(queue[access].data) >> (size + 1) != 0 {
      // The size is in bits − 1 (IHI 0069, §5.3.11: MAPD).
      lose(thread, .eventIDOutOfRange)
    } else {
      threads[thread].stage = .interrupt
    }
    return .used
  }

  private mutating func readInterruptEntry(
    _ thread: Int, _ access: UInt64, _ text: inout LineText
  ) -> Disposition {
    guard let isValid = text.number("valid"), let type = text.number("inttype"), type <= 1,
      let intid = text.number32("intid")
    else { return fail(thread) }
    if isValid == 0 {
      lose(thread, .unmappedEvent)
    } else {
      let event = queue[access]
      queue[access].word3 = UInt64(event.data) | UInt64(intid) << 32
      threads[thread].stage = type == 1 ? .collection : .vPE
    }
    return .used
  }

  private mutating func deliver(_ thread: Int, _ target: InterruptTarget) {
    let access = threads[thread].access
    queue[access].target = target
    queue[access].flags.insert(.interruptRecorded)
    queue[access].outcome = .delivered
    threads[thread].endAccess()
  }

  private mutating func lose(_ thread: Int, _ outcome: OutcomeClass) {
    let access = threads[thread].access
    queue[access].outcome = outcome
    queue[access].word3 = UInt64(queue[access].data)
    threads[thread].endAccess()
  }

  private mutating func fail(_ thread: Int) -> Disposition {
    threads[thread].endAccess()
    return .notUnderstood
  }

  // MARK: Commands

  /// "processing command at offset 0x0: 0x9".
  mutating func readFetchedCommand(_ thread: Int, _ text: LineText, row: Int) -> Disposition {
    closeITSCommand(thread)
    threads[thread].endAccess()
    var text = text
    guard let at = text.find(": 0x", from: 8), let opcode = text.parseNumber(at: at + 2)?.value,
      opcode <= 0xFF, text.number("offset") != nil
    else { return .notUnderstood }
    threads[thread].itsOpcode = UInt8(opcode)
    threads[thread].itsCommandLine = lineCount
    itsFetchRow = row
    return .used
  }

  mutating func readITSCommand(
    _ thread: Int, _ time: UInt64, _ text: LineText, row: Int
  ) -> Disposition {
    var text = text
    guard let named = ITSCommandOpcode(rawValue: names[row].opcode) else { return .notUnderstood }
    let opcode = named.resolved(fetched: threads[thread].itsOpcode)
    guard let words = opcode.words(&text) else { return .notUnderstood }
    threads[thread].itsOpcode = nil
    if opcode == .vmapp { noteVPE(words) }
    queue.append(
      .itsCommand(
        time: time, words.dword0, words.dword1, words.dword2, words.dword3, origin: .emulator))
    return .used
  }

  /// A command whose own line did not follow its fetch is not understood: its operands are unknown.
  mutating func closeITSCommand(_ thread: Int) {
    guard threads[thread].itsOpcode != nil else { return }
    threads[thread].itsOpcode = nil
    demote(itsFetchRow, line: threads[thread].itsCommandLine)
  }

  private mutating func noteVPE(_ words: ITSCommandWords) {
    let vPEID = UInt16(truncatingIfNeeded: words.dword1 >> 32)
    geometry.vPECount = max(geometry.vPECount, UInt16(clamping: UInt32(vPEID) + 1))
    guard words.dword2 >> 63 == 1 else { return }
    if pendingTables.count >= 1 << 16 { pendingTables.removeAll() }
    pendingTables[words.dword3 & Residency.addressMask] = vPEID
  }

  // MARK: Registers

  mutating func readITSRegister(_ text: LineText) -> Disposition {
    if hasGITSTyper { return .ignored }
    var text = text
    guard let offset = text.number("offset"), let value = text.number("data"),
      let size = text.number("size")
    else { return .notUnderstood }
    // GITS_TYPER (IHI 0069, §12.19.12): ID_bits − 1 12:8, Devbits − 1 17:13, CIDbits − 1 35:32 when
    // CIL, bit 36, is set.
    guard offset == 8, size == 8 else { return .ignored }
    hasGITSTyper = true
    geometry.eventIDBits = UInt8(value >> 8 & 0x1F) + 1
    geometry.deviceIDBits = UInt8(value >> 13 & 0x1F) + 1
    geometry.collectionIDBits = value >> 36 & 1 == 1 ? UInt8(value >> 32 & 0xF) + 1 : 16
    return .used
  }

  /// GITS_CTLR, GITS_CBASER, GITS_CWRITER and GITS_BASERn; a store to GITS_CWRITER is one trap of a
  /// virtual ITS.
  mutating func readITSRegisterWrite(_ time: UInt64, _ text: LineText) -> Disposition {
    var text = text
    guard let offset = text.number("offset"), let value = text.number("data"),
      let size = text.number32("size")
    else { return .notUnderstood }
    guard offset == 0 || 0x80...0x8F ~= offset || 0x100...0x13F ~= offset else { return .ignored }
    if offset == 0 { isITSDisabled = value & 1 == 0 }
    queue.append(
      TraceEvent(
        time: time, kind: .itsRegisterWrite, word0: offset, word1: value, word3: UInt64(size),
        origin: .emulator))
    return .used
  }
}
