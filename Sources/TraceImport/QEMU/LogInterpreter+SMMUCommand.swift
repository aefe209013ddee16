import EventModel

// SMMU commands: an opcode line, then for most a line with operands, for a range one or several.

extension LogInterpreter {
  mutating func readSMMUCommand(
    _ action: LineAction, _ thread: Int, _ time: UInt64, _ text: LineText, row: Int
  ) -> Disposition {
    var text = text
    if action != .invalidateRange {
      // A detail line completes its opcode; anything else means that there was none.
      let isDetail = action != .commandOpcode && action != .commandQueueStep
      if !isDetail || threads[thread].range != nil { closeSMMUCommand(thread, time) }
    }
    switch action {
    case .commandOpcode:
      return readOpcode(thread, time, text, row: row)
    case .commandQueueStep:
      return .ignored
    case .invalidateRange:
      return readRange(thread, text)
    case .invalidateStream, .invalidateContext:
      guard
        let streamID = text.number32(action == .invalidateStream ? "streamid" : "sid")
          ?? text.number32("streamid")
      else { return .notUnderstood }
      let opcode = takeOpcode(thread) ?? (action == .invalidateStream ? .cfgiSTE : .cfgiCD)
      give(opcode.configuration(streamID: streamID), time)
    case .invalidateStreamRange:
      guard let first = text.number32("start"), let last = text.number32("end"),
        let words = SMMUOpcode.configurationRange(first: first, last: last)
      else { return .notUnderstood }
      _ = takeOpcode(thread)
      give(words, time)
    case .invalidateASID:
      guard let asid = text.number("asid") else { return .notUnderstood }
      let vmid = UInt16(truncatingIfNeeded: text.number("vmid") ?? 0)
      let opcode = takeOpcode(thread) ?? .tlbiNHASID
      give(opcode.invalidation(vmid: vmid, asid: UInt16(truncatingIfNeeded: asid)), time)
    default:
      let vmid = UInt16(truncatingIfNeeded: text.number("vmid") ?? 0)
      let opcode = takeOpcode(thread) ?? .tlbiNHAll
      give(opcode.invalidation(vmid: vmid), time)
    }
    return .used
  }

  private mutating func readOpcode(
    _ thread: Int, _ time: UInt64, _ text: LineText, row: Int
  ) -> Disposition {
    guard let opcode = SMMUOpcode(text) else { return .notUnderstood }
    if opcode.hasDetail {
      threads[thread].smmuOpcode = opcode
      threads[thread].smmuCommandLine = lineCount
      commandOpcodeRow = row
    } else {
      give(opcode.bare, time)
    }
    return .used
  }

  private mutating func readRange(_ thread: Int, _ text: LineText) -> Disposition {
    var text = text
    guard let start = text.number("addr") else { return .notUnderstood }
    let isLeaf = text.number("leaf") != 0
    let code = text.number("tg") ?? 0
    let pages = text.number("num_pages") ?? 1
    guard code <= 3, pages > 0, pages <= 1 << 40 else { return .notUnderstood }
    // All address spaces print -1, or no ASID at all.
    let number = text.number("asid")
    let asid = number == UInt64.max ? nil : number.map { UInt16(truncatingIfNeeded: $0) }
    let next = RangeInvalidation(
      start: start, pages: pages, asid: asid,
      vmid: UInt16(truncatingIfNeeded: text.number("vmid") ?? 0), granuleCode: UInt8(code),
      ttl: UInt8(truncatingIfNeeded: text.number("ttl") ?? 0), isLeaf: isLeaf,
      isStage2: text.number("stage") == 2)
    if var range = threads[thread].range {
      guard range.pages <= 1 << 40 else { return .notUnderstood }
      range.pages += pages
      threads[thread].range = range
    } else {
      threads[thread].range = next
    }
    return .used
  }

  /// Gives what the thread's command has become by now.
  mutating func closeSMMUCommand(_ thread: Int, _ time: UInt64) {
    if let range = threads[thread].range {
      threads[thread].range = nil
      let fallback: SMMUOpcode = range.asid == nil ? .tlbiNHVAA : .tlbiNHVA
      let opcode = takeOpcode(thread) ?? (range.isStage2 ? .tlbiS2IPA : fallback)
      if !range.isStage2 { unmapRange(thread, range, time) }
      if let words = opcode.invalidation(range) { give(words, time) }
    } else if let opcode = threads[thread].smmuOpcode {
      threads[thread].smmuOpcode = nil
      if opcode == .tlbiNHAll || opcode == .tlbiNSNHAll {
        give(opcode.bare, time)
      } else {
        // Its operands did not follow: for instance a CFGI_STE of a stream without a device.
        demote(commandOpcodeRow, line: threads[thread].smmuCommandLine)
      }
    }
  }

  /// The pages that a range invalidation covers are unmapped: Linux clears descriptors first.
  private mutating func unmapRange(_ thread: Int, _ range: RangeInvalidation, _ time: UInt64) {
    let size = range.pages << range.log2Page
    var leaves: [KnownMappings.Leaf] = []
    mappings.remove(asid: range.asid, start: range.start, size: size) { leaves.append($0) }
    if leaves.isEmpty, mappings.hasForgotten, range.pages <= 512, let asid = range.asid {
      for page in 0..<range.pages {
        leaves.append(
          KnownMappings.Leaf(
            asid: asid, iova: range.start &+ page << range.log2Page,
            log2Size: UInt8(range.log2Page)))
      }
    }
    // The command names no StreamID: all streams of the address space lose the page.
    for leaf in leaves { unmap(leaf, 0, range.vmid, time) }
  }

  private mutating func takeOpcode(_ thread: Int) -> SMMUOpcode? {
    defer { threads[thread].smmuOpcode = nil }
    return threads[thread].smmuOpcode
  }

  private mutating func give(_ words: SMMUCommandWords, _ time: UInt64) {
    queue.append(.smmuCommand(time: time, words.dword0, words.dword1, origin: .emulator))
  }
}
