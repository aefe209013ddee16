import EventModel
import ReferenceModel
import TestSupport
import TranslationCore

/// Random accesses, and everything that both sides say about them.
extension ArchitectureWorld {
  /// One access of both; a description of the first difference, if there is one.
  mutating func access() -> String? {
    let stream = streams[below(streams.count)]
    var streamID = stream.id
    if chance(3) {
      let other = UInt32(truncatingIfNeeded: random.next() >> UInt64(below(64)))
      if !streams.contains(where: { $0.id == other }) { streamID = other }
    }
    var substreamID: UInt32?
    if stream.ste.s1CDMax == 0 ? chance(3) : chance(50) {
      substreamID = stream.contexts.keys.sorted().randomElement(using: &random)
      if chance(10) { substreamID = UInt32(random.next() & 0xFFFFF) }
    }
    let space = stream.contexts[substreamID ?? 0] ?? stream.contexts[0]!
    let isBypassed = stream.ste.s1CDMax != 0 && stream.ste.s1DSS == 1 && substreamID == nil
    let machine = groups[stream.group].machine
    let address =
      isBypassed || stream.ste.config == StreamTableEntry.stage2
      ? chooseIntermediate(machine) : chooseAddress(space)
    var access = SMMUAccess(
      write: chance(50), privileged: chance(25), instruction: chance(15))
    if chance(8) { access.kind = pick([.atsRequest, .atsTranslated, .unsupported]) }
    if substreamID == nil, chance(40) {
      // As the fast path takes it.
      let plain = SMMUAccess(write: access.write)
      return compare(streamID, nil, address, plain, isPlain: true)
    }
    return compare(streamID, substreamID, address, access, isPlain: false)
  }

  private mutating func chooseAddress(_ space: Int) -> UInt64 {
    var address: UInt64
    if chance(80), let leaf = spaces[space].leaves.randomElement(using: &random) {
      address = leaf.input + random.next() % (1 << leaf.log2)
    } else if chance(50), let hole = spaces[space].holes.randomElement(using: &random) {
      address = hole + random.next() & 0xFFF
    } else {
      address = input(space)
    }
    // A large leaf reaches over inputs that may be global in the other space.
    address = address & ~(1 << Self.markBit) | spaces[space].mark
    if chance(5) { address |= random.next() << 56 }
    if chance(2) { address = random.next() }
    return address
  }

  /// For streams of which only stage 2 translates.
  private mutating func chooseIntermediate(_ machine: Int?) -> UInt64 {
    guard let machine, chance(90),
      let leaf = machines[machine].leaves.randomElement(using: &random)
    else { return random.next() >> UInt64(below(50)) }
    return leaf.input + random.next() % (1 << leaf.log2)
  }

  /// Counts of one access, in the order: STE and CD reads, reads of both stages, descriptors updated;
  /// then hits and misses.
  private struct Work: Equatable {
    var ste: UInt64 = 0
    var cd: UInt64 = 0
    var stage1: UInt64 = 0
    var stage2: UInt64 = 0
    var updates: UInt64 = 0
    var streamMisses: UInt64 = 0
    var contextMisses: UInt64 = 0
    var stage1Tables = SMMUCacheCounters.Lookups()
    var stage2Tables = SMMUCacheCounters.Lookups()
  }

  private var work: Work {
    var counters = WorkCounters()
    core.addCounters(to: &counters)
    let caches = core.cacheCounters
    return Work(
      ste: counters.steReads, cd: counters.cdReads, stage1: counters.stage1DescriptorReads,
      stage2: counters.stage2DescriptorReads, updates: core.descriptorUpdates,
      streamMisses: caches.streamMisses, contextMisses: caches.contextMisses,
      stage1Tables: caches.stage1Tables, stage2Tables: caches.stage2Tables)
  }

  private func difference(_ result: SMMUResult, since before: Work) -> String? {
    let expected = result.work
    let now = work
    var given = Work(
      ste: now.ste - before.ste, cd: now.cd - before.cd, stage1: now.stage1 - before.stage1,
      stage2: now.stage2 - before.stage2, updates: now.updates - before.updates)
    var wanted = Work(
      ste: expected.level1StreamTableReads + expected.steReads,
      cd: expected.level1ContextTableReads + expected.cdReads, stage1: expected.stage1Reads,
      stage2: expected.stage2Reads, updates: expected.descriptorUpdates)
    if caching == .unlimited {
      given.streamMisses = now.streamMisses - before.streamMisses
      given.contextMisses = now.contextMisses - before.contextMisses
      given.stage1Tables = now.stage1Tables - before.stage1Tables
      given.stage2Tables = now.stage2Tables - before.stage2Tables
      // The core asks no cache about a StreamID that it has no room for.
      wanted.streamMisses = result.fault?.record.number == .badStreamID ? 0 : expected.ste.misses
      if result.fault?.record.number == .badStreamID { given.streamMisses = 0 }
      wanted.contextMisses = expected.cd.misses
      wanted.stage1Tables = .init(
        hits: expected.stage1Walk.hits, misses: expected.stage1Walk.misses)
      wanted.stage2Tables = .init(
        hits: expected.stage2Walk.hits, misses: expected.stage2Walk.misses)
    }
    return given == wanted ? nil : "core's work \(given), reference's \(wanted)"
  }

  private mutating func compare(
    _ streamID: UInt32, _ substreamID: UInt32?, _ address: UInt64, _ access: SMMUAccess,
    isPlain: Bool
  ) -> String? {
    let before = work
    let expected = reference.translate(
      streamID: streamID, substreamID: substreamID, address: address, access: access)
    var difference: String?
    if isPlain {
      let given = core.translate(
        streamID: streamID, address: address, write: access.write, read: !access.write)
      difference = compare(given, expected)
    } else {
      let given = core.translate(
        SMMURequest(
          streamID: streamID, substreamID: substreamID, address: address, write: access.write,
          privileged: access.privileged, instruction: access.instruction,
          kind: Self.kind(access.kind)))
      difference = compare(given.translation, expected) ?? compare(given, expected)
      if given.tlbHit { hits += 1 }
    }
    if difference == nil, caching != .small {
      difference = self.difference(expected, since: before)
    }
    difference = difference ?? compareEvents() ?? commandDifference
    return difference.map {
      "StreamID \(streamID), substream \(String(describing: substreamID)), address "
        + "\(hex(address)), \(access): \($0); reference \(expected.outcome)"
    }
  }

  private static func kind(_ kind: SMMUAccess.Kind) -> SMMURequest.Kind {
    switch kind {
    case .untranslated: .untranslated
    case .atsTranslated: .atsTranslated
    case .atsRequest: .atsRequest
    case .unsupported: .unsupported
    }
  }

  private mutating func compare(
    _ given: TranslationCore.SMMUTranslation, _ expected: SMMUResult
  ) -> String? {
    switch expected.outcome {
    case .translated(let translation):
      translated += 1
      return given == .init(address: translation.address) ? nil : "core \(given)"
    case .aborted:
      events[0, default: 0] += 1
      return given.fault == SMMUEvent.aborted ? nil : "core \(given)"
    case .fault(let fault):
      events[fault.record.number.rawValue, default: 0] += 1
      return given.fault == fault.record.number.rawValue ? nil : "core \(given)"
    }
  }

  private func compare(_ given: SMMUAnswer, _ expected: SMMUResult) -> String? {
    switch expected.outcome {
    case .aborted: return nil
    case .translated(let translation):
      // A stream of stage 2 alone has its hits in another TLB.
      let isSameHit =
        caching != .unlimited || expected.work.iotlb.hits + expected.work.iotlb.misses == 0
        || given.tlbHit == translation.tlbHit
      let isSame =
        given.readable == translation.readable && given.writable == translation.writable
        && given.log2SizeBytes == translation.log2SizeBytes && isSameHit
      return isSame ? nil : "core \(given)"
    case .fault(let fault):
      let event = given.event
      let words = [event.dword0, event.dword1, event.dword2, event.dword3]
      let isSame =
        words == fault.record.dwords && given.isRecorded == fault.isRecorded
        && given.termination == Self.termination(fault.termination)
      return isSame ? nil : "core \(given), record \(words.map(hex))"
    }
  }

  private static func termination(_ end: SMMUFault.Termination) -> SMMUAnswer.Termination {
    switch end {
    case .abort: .abort
    case .readZeroWriteIgnored: .readZeroWriteIgnored
    case .stalled: .stalled
    }
  }

  /// Both event queues, emptied.
  private mutating func compareEvents() -> String? {
    let expected = reference.drainEvents().map(\.dwords)
    var given: [[UInt64]] = []
    while let event = core.takeEvent() {
      given.append([event.dword0, event.dword1, event.dword2, event.dword3])
    }
    if given != expected { return "core's events \(given), reference's \(expected)" }
    if core.stalledCount != reference.stalls.waiting.count { return "stalled transactions differ" }
    return nil
  }

  /// The tables as both left them: hardware updates included.
  func compareTables() -> String? {
    var seen = 0
    for (address, _) in reference.memory.populated(base..<base + Self.memoryBytes)
    where address & 7 == 0 || seen != address >> 3 {
      seen = Int(address >> 3)
      let word = address & ~7
      if core.load(physical: word) != load(word) { return "memory differs at \(hex(word))" }
    }
    return nil
  }
}

private func - (
  later: SMMUCacheCounters.Lookups, earlier: SMMUCacheCounters.Lookups
) -> SMMUCacheCounters.Lookups {
  .init(hits: later.hits - earlier.hits, misses: later.misses - earlier.misses)
}
