import EventModel
import ReferenceModel
import TestSupport
import TranslationCore

/// A core and a reference over the same bytes: every table that software stores goes to both.
///
/// Software is random but follows the architecture: after each change the invalidation that is asked
/// for, and no more. So caches must not show, whatever their sizes.
struct ArchitectureWorld: ~Copyable {
  enum Caching: String, CaseIterable, Sendable {
    /// Neither has any: reads per access must be equal.
    case none
    /// Neither loses an entry but by invalidation: reads, hits and misses must be equal.
    case unlimited
    /// The core's are small and of random shape: answers must be equal.
    case small
  }

  static let memoryBytes: UInt64 = 32 << 20
  static let streamIDBits: UInt8 = 10
  /// Every input has at least 25 bits.
  static let markBit: UInt64 = 24

  let caching: Caching
  let base: UInt64
  var random: SeededGenerator
  var core: SMMUCore
  var reference: SMMU
  var registers = SMMURegisters()
  private var nextFree: UInt64

  var machines: [Machine] = []
  var groups: [Group] = []
  var spaces: [Space] = []
  var streams: [Stream] = []

  /// A command that one side took and the other refused.
  var commandDifference: String?

  // What happened, so that a test can tell whether the worlds are worth anything.
  var translated = 0
  var events: [UInt8: Int] = [:]
  var hits = 0

  /// A guest: stage 2 of one VMID.
  struct Machine {
    var ste: StreamTableEntry
    var geometry: WalkGeometry
    /// Where the guest sees the memory: IPA = PA − base + this.
    var ipaBase: UInt64
    var leaves: [Leaf] = []
  }

  /// Address spaces that one STE can lead to: one world and VMID.
  struct Group {
    var world: StreamWorld
    var vmid: UInt16
    var machine: Int?
    var spaces: [Int] = []
  }

  /// Stage 1 of one ASID.
  struct Space {
    var group: Int
    var cd: ContextDescriptor
    var geometry: WalkGeometry
    /// Bit `markBit` of its inputs: different in the spaces of a group, so that global leaves of one
    /// are never in the way of another.
    var mark: UInt64
    var leaves: [Leaf] = []
    var holes: [UInt64] = []
  }

  struct Leaf {
    var input: UInt64
    var level: Int
    /// Of the run, if it is contiguous.
    var log2: UInt64
    var isGlobal = false
  }

  struct Stream {
    var id: UInt32
    var group: Int
    var ste: StreamTableEntry
    /// Spaces by SubstreamID.
    var contexts: [UInt32: Int] = [:]
  }

  init(_ caching: Caching, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let outputBits = ([36, 40, 44, 48, 48, 52, 52] as [UInt8]).randomElement(using: &random)!
    let base: UInt64 = outputBits == 52 && random.next() % 5 < 3 ? 1 << 51 : 1 << 30
    var geometry = TableGeometry()
    geometry.outputAddressBits = outputBits
    geometry.streamIDBits = Self.streamIDBits
    var options = SMMUOptions()
    options.nested = false
    options.guestMemory = 0..<base
    options.arenaLimitBytes = Int(Self.memoryBytes)
    options.eventQueueLog2 = 4
    options.addressSpaceLimit = 64
    Self.chooseFeatures(&options.features, &random)
    Self.chooseCaches(caching, &options, &random)
    self.init(caching, base, geometry, options, random)
    reference.memory.inaccessible = [0..<base, (base + Self.memoryBytes)..<(1 << 53)]
    build()
  }

  private init(
    _ caching: Caching, _ base: UInt64, _ geometry: TableGeometry, _ options: SMMUOptions,
    _ random: SeededGenerator
  ) {
    self.caching = caching
    self.base = base
    self.random = random
    core = SMMUCore(geometry: geometry, options: options)
    reference = SMMU(
      Self.identification(geometry, options.features), caches: caching == .unlimited ? .all : .none)
    // The core's own stream table is at the start of its memory.
    nextFree = base + 1 << 20
  }

  private static func chooseFeatures(
    _ features: inout SMMUFeatures, _ random: inout SeededGenerator
  ) {
    features.virtualAddresses52 = random.next() % 4 != 0
    features.substreamIDBits = random.next() % 4 == 0 ? 8 : 20
    features.updatesAccessFlag = random.next() % 8 != 0
    features.updatesDirtyState = features.updatesAccessFlag && random.next() % 8 != 0
    features.stallModelSelectable = random.next() % 8 != 0
    features.ats = random.next() % 8 != 0
    features.rangeInvalidation = random.next() % 8 != 0
  }

  private static func chooseCaches(
    _ caching: Caching, _ options: inout SMMUOptions, _ random: inout SeededGenerator
  ) {
    func pick(_ values: [Int]) -> Int { values.randomElement(using: &random)! }
    switch caching {
    case .none:
      options.tlbEntries = 0
      options.stage2TLBEntries = 0
      options.walkCacheEntries = 0
      options.streamCacheEntries = 0
      options.keepsContexts = false
    case .unlimited:
      options.tlbEntries = 8192
      options.tlbWays = 8
      options.stage2TLBEntries = 8192
      options.stage2TLBWays = 8
      options.walkCacheEntries = 0
      options.stage1TableCacheEntries = 8192
      options.stage2TableCacheEntries = 8192
      options.tableCacheWays = 8
    case .small:
      options.tlbEntries = pick([0, 1, 4, 16, 64, 2048])
      options.tlbWays = pick([1, 1, 2, 4])
      options.stage2TLBEntries = pick([0, 1, 8, 256])
      options.stage2TLBWays = pick([1, 1, 4])
      options.walkCacheEntries = pick([0, 2, 128])
      options.walkCacheWays = pick([1, 1, 2])
      options.stage1TableCacheEntries = pick([0, 0, 4, 64])
      options.stage2TableCacheEntries = pick([0, 0, 4, 64])
      options.streamCacheEntries = pick([0, 1, 3, .max, .max])
      options.contextCacheEntries = pick([0, 4, 64])
      options.keepsContexts = pick([0, 1, 1, 1]) == 1
    }
  }

  private static func identification(
    _ geometry: TableGeometry, _ features: SMMUFeatures
  ) -> SMMU.Identification {
    var identification = SMMU.Identification(geometry)
    identification.virtualAddresses52 = features.virtualAddresses52
    identification.substreamIDBits = features.substreamIDBits
    identification.updatesAccessFlag = features.updatesAccessFlag
    identification.updatesDirtyState = features.updatesDirtyState
    identification.stallModelSelectable = features.stallModelSelectable
    identification.ats = features.ats
    identification.rangeInvalidation = features.rangeInvalidation
    return identification
  }

  // MARK: Memory

  mutating func store(_ word: UInt64, at physical: UInt64) {
    let isStored = core.store(word, physical: physical)
    precondition(isStored, "a table outside memory")
    reference.memory.store(word, at: physical)
  }

  func load(_ physical: UInt64) -> UInt64 { reference.memory.load(at: physical) }

  /// Room for a table; nil when memory is full.
  mutating func allocate(_ bytes: UInt64, alignment: UInt64) -> UInt64? {
    let start = (nextFree + alignment - 1) & ~(alignment - 1)
    guard start + bytes <= base + Self.memoryBytes else { return nil }
    nextFree = start + bytes
    return start
  }

  // MARK: Chance

  mutating func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
  mutating func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }
  mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }
}
