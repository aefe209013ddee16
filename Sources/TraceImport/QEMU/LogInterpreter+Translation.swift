import EventModel

// SMMU translations: configuration and walk lines fill the thread's context; the line that ends the
// translation turns it into events.

extension LogInterpreter {
  mutating func readWalk(_ action: LineAction, _ thread: Int, _ text: LineText) -> Disposition {
    var text = text
    switch action {
    case .configurationHit, .configurationMiss:
      guard let streamID = text.number32("sid") else { return .notUnderstood }
      threads[thread].endTranslation()
      threads[thread].endAccess()
      threads[thread].streamID = streamID
      threads[thread].hasConfigurationMiss = action == .configurationMiss
    case .contextDescriptor:
      guard let bits = text.number("oas"), bits <= 64 else { return .notUnderstood }
      threads[thread].outputAddressBits = UInt8(bits)
      geometry.outputAddressBits = UInt8(bits)
    case .translationTable:
      return readTranslationTable(thread, text)
    case .tlbLookup:
      guard let asid = text.number("asid"), let iova = text.number("addr")
      else { return .notUnderstood }
      threads[thread].hasASID = true
      threads[thread].asid = UInt16(truncatingIfNeeded: asid)
      threads[thread].vmid = UInt16(truncatingIfNeeded: text.number("vmid") ?? 0)
      threads[thread].lookedUp = iova
      threads[thread].hasLeaf = false
    case .pageDescriptor, .blockDescriptor:
      return readLeaf(
        thread, text, address: action == .pageDescriptor ? "page address" : "block address")
    default:
      guard let asid = text.number("asid"), let code = text.number("tg"), 1...3 ~= code
      else { return .notUnderstood }
      threads[thread].hasASID = true
      threads[thread].asid = UInt16(truncatingIfNeeded: asid)
      threads[thread].vmid = UInt16(truncatingIfNeeded: text.number("vmid") ?? 0)
      threads[thread].leafGranule = UInt8(code * 2 + 10)
    }
    return .used
  }

  /// "TT[0]:tsz:16 ttb:0x4cf7f000 granule_sz:12 had:0". TT[1] is not used for DMA by anyone.
  private mutating func readTranslationTable(_ thread: Int, _ text: LineText) -> Disposition {
    var text = text
    guard text.has("TT[", at: 0), let size = text.number("tsz"), size < 64,
      let base = text.number("ttb"), let granule = text.number("granule_sz"),
      granule == 12 || granule == 14 || granule == 16
    else { return .notUnderstood }
    guard text.has("TT[0]", at: 0) else { return .ignored }
    threads[thread].hasTranslationTable = true
    threads[thread].ttb0 = base
    threads[thread].t0sz = UInt8(size)
    threads[thread].granule = UInt8(granule)
    geometry.inputAddressBits = 64 - UInt8(size)
    return .used
  }

  private mutating func readLeaf(
    _ thread: Int, _ text: LineText, address: StaticString
  ) -> Disposition {
    var text = text
    guard let level = text.number("level"), level <= 3, let iova = text.number("iova"),
      let descriptor = text.number("pte"), let output = text.number(address)
    else { return .notUnderstood }
    // A stage 2 walk says nothing of an IOVA; no recording has one.
    if let stage = text.number("stage"), stage != 1 { return .notUnderstood }
    threads[thread].hasLeaf = true
    threads[thread].leafLevel = UInt8(level)
    threads[thread].leafIOVA = iova
    threads[thread].leafDescriptor = descriptor
    threads[thread].leafAddress = output
    return .used
  }

  mutating func readSMMURegister(_ text: LineText) -> Disposition {
    if hasSMMUIDR1 { return .ignored }
    var text = text
    guard let offset = text.number("addr"), let value = text.number("val")
    else { return .notUnderstood }
    // SMMU_IDR1.SIDSIZE is 5:0 (IHI 0070, §6.3.2).
    guard offset == 4 else { return .ignored }
    geometry.streamIDBits = UInt8(value & 0x3F)
    hasSMMUIDR1 = true
    return .used
  }

  // MARK: The end of a translation

  mutating func readAccess(
    _ action: LineAction, _ thread: Int, _ time: UInt64, _ text: LineText
  ) -> Disposition {
    var text = text
    let result: Disposition
    threads[thread].endAccess()
    switch action {
    case .translated: result = readTranslated(thread, time, &text)
    case .recordedFault: result = readFault(thread, time, &text)
    default: result = readUntranslated(thread, time, &text, isAborted: action == .aborted)
    }
    threads[thread].endTranslation()
    threads[thread].raisedVector = nil
    return result
  }

  private mutating func readTranslated(
    _ thread: Int, _ time: UInt64, _ text: inout LineText
  ) -> Disposition {
    guard let streamID = text.number32("sid"), let iova = text.number("iova"),
      let address = text.number("translated")
    else { return .notUnderstood }
    let permissions = text.number("perm") ?? 0
    configureStream(thread, streamID, time)
    mapAccess(thread, streamID, time, iova: iova, address: address)
    // QEMU's IOMMUAccessFlags: 1 read, 2 write.
    var flags: EventFlags = .addressRecorded
    if permissions & 1 != 0 { flags.insert(.readable) }
    if permissions & 2 != 0 { flags.insert(.writable) }
    let ordinal = queue.append(
      .dma(
        time: time, streamID: streamID, iova: iova, flags: flags, expectedAddress: address,
        outcome: .translated, origin: .emulator))
    beginAccess(thread, ordinal, address: address)
    return .used
  }

  /// The SMMU or the stream table lets the access pass, or aborts it without a record.
  private mutating func readUntranslated(
    _ thread: Int, _ time: UInt64, _ text: inout LineText, isAborted: Bool
  ) -> Disposition {
    guard let streamID = text.number32("sid"), let iova = text.number("iova")
    else { return .notUnderstood }
    let config: UInt8 = isAborted ? 0 : 4
    if streamConfigurations[streamID] != config {
      note(streamID, config)
      var configuration = StreamConfiguration()
      configuration.config = config
      queue.append(
        configuration.event(
          time: time, streamID: streamID,
          flags: threads[thread].hasConfigurationMiss ? [] : .inferred, origin: .emulator))
    }
    var flags: EventFlags = isAborted ? [] : .addressRecorded
    if let isWrite = text.number("is_write") { flags.insert(isWrite != 0 ? .write : .read) }
    // An aborted access leaves no event record: event number 0 stands for that.
    let ordinal = queue.append(
      .dma(
        time: time, streamID: streamID, iova: iova, flags: flags,
        expectedAddress: isAborted ? 0 : iova,
        outcome: isAborted ? .smmuFault(0) : .translated, origin: .emulator))
    if !isAborted { beginAccess(thread, ordinal, address: iova) }
    return .used
  }

  /// Remembers the access whose event is `ordinal`: a write to the ITS may follow.
  private mutating func beginAccess(_ thread: Int, _ ordinal: UInt64, address: UInt64) {
    threads[thread].access = ordinal
    threads[thread].stage = .translated
    threads[thread].accessVector = threads[thread].raisedVector
    // Until a doorbell page is known, any page may be one; then only that has to wait.
    threads[thread].isHeld = translationPage.map { $0 == address & ~0xFFFF } ?? true
  }

  // MARK: Faults

  /// "SMMU_EVT_F_TRANSLATION sid=0x100": the access that was under way failed.
  private mutating func readFault(
    _ thread: Int, _ time: UInt64, _ text: inout LineText
  ) -> Disposition {
    guard let number = SMMUEventName.number(text), let streamID = text.number32("sid")
    else { return .notUnderstood }
    let message = failedIOVA
    failedIOVA = nil
    guard let iova = message ?? threads[thread].lookedUp else { return .notUnderstood }
    configureStream(thread, streamID, time)
    let context = threads[thread]
    // F_TRANSLATION: the descriptor is invalid now, whatever was known.
    if number == 0x10, KnownMappings.isKeepable(iova) {
      var leaves: [KnownMappings.Leaf] = []
      mappings.remove(asid: context.asid, start: iova, size: 1) { leaves.append($0) }
      for leaf in leaves { unmap(leaf, streamID, context.vmid, time) }
    }
    // The message has the whole address; the TLB lookup only that of its page.
    let flags: EventFlags = message == nil ? .inferred : []
    let outcome = OutcomeClass.smmuFault(number)
    if let vector = context.raisedVector {
      let entry = msix.entry(owner: streamID, vector: vector)
      if entry == nil || entry?.address == iova {
        queue.append(
          .msi(
            time: time, streamID: streamID, deviceID: streamID, address: iova,
            data: entry?.data ?? 0, vector: vector,
            flags: flags.union(entry == nil ? [.write, .inferred] : .write), outcome: outcome,
            origin: .emulator))
        return .used
      }
    }
    queue.append(
      .dma(
        time: time, streamID: streamID, iova: iova, flags: flags, outcome: outcome,
        origin: .emulator))
    return .used
  }
}
