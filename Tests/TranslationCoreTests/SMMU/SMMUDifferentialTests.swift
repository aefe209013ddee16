import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

/// The same random life for core and reference: streams are configured, pages mapped, unmapped,
/// invalidated as the architecture asks, and used. Every answer must be the same, address or event.
///
/// `DOORBELL_SOAK_EVENTS` lengthens the runs.
@Suite struct SMMUDifferentialTests {
  struct Case: CustomTestStringConvertible {
    var name: String
    var nested = true
    var granule = Granule.kib4
    var tlbEntries = 2048
    var ways = 1
    var stage2TLBEntries = 256
    var walkCacheEntries = 128
    var stage2Block: UInt8 = 21
    var configurationCache = true
    var split: UInt8 = 8
    /// log2 of the guest's memory.
    var memory: UInt64 = 30
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "nested, 4 KiB"),
    Case(name: "nested, 4 KiB, 4 KiB stage 2", stage2Block: 12, memory: 25),
    Case(name: "nested, 16 KiB", granule: .kib16),
    Case(name: "nested, 64 KiB", granule: .kib64, ways: 2),
    Case(name: "stage 1 only, 4 KiB", nested: false),
    Case(name: "stage 1 only, 64 KiB, linear", nested: false, granule: .kib64, split: 0),
    Case(name: "tiny caches", tlbEntries: 4, ways: 2, stage2TLBEntries: 2, walkCacheEntries: 2),
    Case(name: "one entry each", tlbEntries: 1, stage2TLBEntries: 1, walkCacheEntries: 1),
    Case(
      name: "no caches", tlbEntries: 0, stage2TLBEntries: 0, walkCacheEntries: 0,
      configurationCache: false),
  ]

  @Test(arguments: cases)
  func coreAndReferenceGiveTheSameAnswers(_ parameters: Case) throws {
    // Many short lives: the reference's tables and caches only grow.
    let events = SoakSize.events(perCase: 12_000)
    let life = 1_000
    for seed in 0..<UInt64(events / life) {
      var world = DifferentialWorld(parameters, seed: seed)
      for step in 0..<life {
        if let difference = try world.step() {
          Issue.record("seed \(seed), event \(step): \(difference)")
          return
        }
      }
      #expect(world.translated > life / 20)
      #expect(world.faulted > life / 100)
      #expect(world.core.refusals.total == 0)
    }
  }
}

/// Two SMMUs in the same state, and what the guest has to remember to follow the rules.
struct DifferentialWorld: ~Copyable {
  typealias Case = SMMUDifferentialTests.Case
  var core: SMMUCore
  var reference: SMMU
  var random: SeededGenerator
  let parameters: Case
  var configured: [UInt32: UInt16] = [:]
  /// Leaves by ASID and base, so that half of the accesses find one.
  var leaves: [(asid: UInt16, base: UInt64, log2: UInt32)] = []
  var translated = 0
  var faulted = 0

  static let asids: ClosedRange<UInt16> = 1...3
  static let streams: [UInt32] = [0, 1, 8, 255, 256, 0x1234]

  init(_ parameters: Case, seed: UInt64) {
    self.parameters = parameters
    random = SeededGenerator(seed: seed)
    var geometry = TableGeometry()
    geometry.streamIDBits = 13
    var options = SMMUOptions()
    options.nested = parameters.nested
    options.tlbEntries = parameters.tlbEntries
    options.tlbWays = parameters.ways
    options.stage2TLBEntries = parameters.stage2TLBEntries
    options.walkCacheEntries = parameters.walkCacheEntries
    options.stage2BlockLog2 = parameters.stage2Block
    options.streamCacheEntries = parameters.configurationCache ? .max : 0
    options.streamTableSplit = parameters.split
    options.guestMemory =
      parameters.memory == 30
      ? 0x4000_0000..<0x8000_0000 : 0x1E00_0000..<0x2000_0000
    options.arenaLimitBytes = 32 << 20
    core = SMMUCore(geometry: geometry, options: options)

    var layout = TableBuilder.Layout()
    layout.streamIDBits = 13
    layout.split = 8
    layout.streamTable = parameters.split == 0 ? .linear : .twoLevel
    var plan = Stage2Plan()
    plan.vmid = 0
    plan.hostOffset = options.stage2Offset
    plan.log2PageBytes = parameters.stage2Block
    var identification = SMMU.Identification(geometry)
    identification.virtualAddresses52 = false
    reference = SMMU(
      identification, caches: .all,
      tables: TableBuilder(layout, nesting: parameters.nested ? plan : nil))
  }

  private var memory: UInt64 { core.options.guestMemory.lowerBound }

  /// One step of the guest; a description of the first difference, if there is one.
  mutating func step() throws -> String? {
    switch random.next() % 100 {
    case 0: try configure()
    case 1..<12: try map()
    case 12..<18: try unmapAndInvalidate()
    case 18: invalidateSpace()
    case 19: remapStream()
    default: return access()
    }
    return nil
  }

  private mutating func pick<T>(_ values: [T]) -> T {
    values[Int(random.next() % UInt64(values.count))]
  }

  private mutating func command(_ words: (UInt64, UInt64)) {
    core.command(words.0, words.1)
    #expect(throws: Never.self) { try reference.command(words.0, words.1) }
  }

  private mutating func configure() throws {
    let stream = pick(Self.streams)
    let asid = pick(Array(Self.asids))
    let config: UInt8 = pick([5, 5, 5, 5, 4, 0])
    let event = SMMUWorld.stream(
      stream, asid: asid, config: config, t0sz: 25, granule: parameters.granule,
      ttb0: 0x5000_0000 + UInt64(asid) << 20)
    core.configureStream(event)
    try reference.configure(event)
    configured[stream] = config == 5 ? asid : nil
    if parameters.nested, config == 4 {
      // The reference backs a guest's memory when a leaf names it; a bypassed stream has none.
      try reference.mapStage2(
        ipa: memory, pa: memory + core.options.stage2Offset,
        log2Size: UInt32(parameters.stage2Block), vmid: 0)
    }
    command(SMMUCommandWord.configuration(stream))
  }

  /// Level and size of a leaf that the granule has.
  private mutating func leaf() -> (level: UInt32, log2: UInt32) {
    let page = parameters.granule.log2Bytes
    let bits = page - 3
    switch random.next() % 16 {
    case 0: return (2, page + bits)
    // Behind stage 2 the reference backs a leaf page by page, which takes long for 1 GiB.
    case 1 where parameters.granule == .kib4 && !parameters.nested: return (1, 30)
    default: return (3, page)
    }
  }

  private mutating func address(_ log2: UInt32) -> UInt64 {
    // A few regions close together, so that leaves of all sizes meet.
    let region = random.next() % 4 << 30
    let wide = random.next() % 3 == 0
    let offset = random.next() & (wide ? 0x3FFF_FFFF : 0x3F_FFFF)
    return (region + offset) & (~0 << UInt64(log2))
  }

  private mutating func stream(of asid: UInt16) -> UInt32? {
    configured.filter { $0.value == asid }.keys.min()
  }

  private mutating func map() throws {
    let asid = pick(Array(Self.asids))
    guard let stream = stream(of: asid) else { return }
    let (level, log2) = leaf()
    let iova = address(log2)
    let span = (1 << parameters.memory - 1) & (~0 << UInt64(log2)) as UInt64
    let output = memory + random.next() & span
    // Read-write, read-only, privileged only, no access flag.
    let bits: UInt64 = pick([0xF47, 0xF47, 0xF47, 0xFC7, 0xF07, 0xB47])
    // Break before make: whatever covers the place goes first.
    try clear(asid, iova, log2, stream)
    let event = TraceEvent.map(
      time: 0, streamID: stream, asid: asid, iova: iova, outputAddress: output,
      log2SizeBytes: log2, level: level, granule: parameters.granule, descriptor: bits)
    core.map(event)
    try reference.map(event)
    leaves.append((asid, iova, log2))
    if leaves.count > 256 { leaves.removeFirst(64) }
  }

  private mutating func clear(
    _ asid: UInt16, _ iova: UInt64, _ log2: UInt32, _ stream: UInt32
  ) throws {
    let event = TraceEvent.unmap(
      time: 0, streamID: stream, asid: asid, iova: iova, log2SizeBytes: log2, level: 3,
      granule: parameters.granule)
    core.unmap(event)
    try reference.unmap(event)
    // The range as a whole: entries of every level in it, so no TG and TTL hints; a block that was
    // split needs its own base covered, which one address in it does.
    let tg = UInt64(parameters.granule.rawValue)
    let pages = 1 << UInt64(log2 - parameters.granule.log2Bytes) as UInt64
    command(
      SMMUCommandWord.invalidateVA(
        iova, asid: asid, pages: pages, granule: tg, leaf: log2 == parameters.granule.log2Bytes))
    if log2 != parameters.granule.log2Bytes { command(SMMUCommandWord.invalidateASID(asid)) }
  }

  private mutating func unmapAndInvalidate() throws {
    guard !leaves.isEmpty else { return }
    let leaf = pick(leaves)
    guard let stream = stream(of: leaf.asid) else { return }
    // Sometimes only a page of a block, sometimes a neighbourhood.
    let page = parameters.granule.log2Bytes
    let log2 = pick([leaf.log2, leaf.log2, page, page + 4])
    try clear(leaf.asid, leaf.base, log2, stream)
  }

  private mutating func invalidateSpace() {
    command(
      pick([
        SMMUCommandWord.invalidateASID(pick(Array(Self.asids))),
        SMMUCommandWord.invalidateVMID(0), SMMUCommandWord.everything,
        SMMUCommandWord.allConfigurations,
      ]))
  }

  private mutating func remapStream() {
    command(SMMUCommandWord.configuration(pick(Self.streams)))
  }

  private mutating func access() -> String? {
    var stream = pick(Self.streams)
    var address: UInt64
    if !leaves.isEmpty, random.next() % 4 != 0 {
      let leaf = pick(leaves)
      address = leaf.base + random.next() & (1 << UInt64(leaf.log2) - 1)
      if random.next() % 8 != 0, let owner = self.stream(of: leaf.asid) { stream = owner }
    } else {
      address = self.address(0)
      if random.next() % 16 == 0 { address = random.next() }
    }
    if random.next() % 200 == 0 { stream = UInt32(truncatingIfNeeded: random.next()) }
    if configured[stream] == nil, parameters.nested { address = memory | address & 0xFFF }
    let write = random.next() & 1 == 0
    let answer = core.translate(streamID: stream, address: address, write: write, read: !write)
    let expected = reference.translate(
      streamID: stream, address: address, access: write ? .write : .read)
    let number = expected.outcomeClass == .translated ? 0 : expected.outcomeClass.rawValue
    let given = answer.fault == 0 ? 0 : OutcomeClass.smmuFault(answer.fault).rawValue
    if answer.fault == 0 { translated += 1 } else { faulted += 1 }
    if given == number, answer.address == expected.address ?? 0 { return nil }
    let place = "StreamID \(stream), address 0x\(String(address, radix: 16)), write \(write)"
    return "\(place): core \(answer), reference \(expected.outcome)"
  }
}

/// How long the random tests run: a slice by default, `DOORBELL_SOAK_EVENTS` for a soak.
enum SoakSize {
  static var isSoak: Bool { environment("DOORBELL_SOAK_EVENTS") != nil }

  static func events(perCase usual: Int) -> Int {
    environment("DOORBELL_SOAK_EVENTS").flatMap(Int.init) ?? usual
  }
}
