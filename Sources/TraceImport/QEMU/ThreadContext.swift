import EventModel

/// What the importer remembers of one emulator thread between two of its lines.
///
/// QEMU runs a translation, the write that follows it and the lookup in the ITS tables on one
/// thread without a break, but other threads' lines may stand in between.
struct ThreadContext {
  var thread: UInt64

  // The translation under way.
  /// The last StreamID that a configuration line named.
  var streamID: UInt32 = 0
  /// A configuration miss was seen: the context descriptor's fields follow.
  var hasConfigurationMiss = false
  var hasTranslationTable = false
  var ttb0: UInt64 = 0
  var t0sz: UInt8 = 16
  var granule: UInt8 = 12
  var outputAddressBits: UInt8 = 44
  var hasASID = false
  var asid: UInt16 = 0
  var vmid: UInt16 = 0
  /// The page that the TLB was asked for.
  var lookedUp: UInt64?
  /// The leaf that a walk found.
  var hasLeaf = false
  var leafLevel: UInt8 = 0
  var leafIOVA: UInt64 = 0
  var leafDescriptor: UInt64 = 0
  var leafAddress: UInt64 = 0
  /// log2 of the granule by the TLB entry that the walk made; 0 if no line tells.
  var leafGranule: UInt8 = 0

  // The access under way.
  /// Its event's ordinal, 0 if none.
  var access: UInt64 = 0
  var stage: AccessStage = .none
  /// Whether the event must stay in the queue until `stage` is `none`.
  var isHeld = false
  /// The MSI-X entry that the device said it would raise.
  var raisedVector: UInt16?
  /// The vector that belongs to `access`.
  var accessVector: UInt16?
  /// Physical address of the last write to an ITS translation page.
  var translationAddress: UInt64?

  // The SMMU command under way.
  var smmuOpcode: SMMUOpcode?
  /// The opcode's line, to be counted again if no operands follow.
  var smmuCommandLine: UInt64 = 0
  var range: RangeInvalidation?

  // The ITS command under way: the opcode that was fetched, until its own line follows.
  var itsOpcode: UInt8?
  var itsCommandLine: UInt64 = 0

  /// RequesterID of the PCI function whose configuration was written last.
  var configuredFunction: UInt32?

  init(thread: UInt64) { self.thread = thread }

  /// Forgets the translation: the next one starts.
  mutating func endTranslation() {
    hasConfigurationMiss = false
    hasTranslationTable = false
    hasASID = false
    asid = 0
    vmid = 0
    lookedUp = nil
    hasLeaf = false
    leafGranule = 0
  }

  /// Lets go of the access: nothing that follows belongs to it.
  @inline(__always)
  mutating func endAccess() {
    access = 0
    stage = .none
    isHeld = false
    accessVector = nil
    translationAddress = nil
  }
}

/// How far the lines of an access have come.
enum AccessStage: UInt8 {
  case none
  /// Translated; a write to the ITS may follow.
  case translated
  /// Written to GITS_TRANSLATER; table reads follow, in this order.
  case device, interrupt, collection, vPE
}

/// A TLB range invalidation, put together from one line or several: QEMU cuts a range that is no
/// power of two, and prints a line for each part (hw/arm/smmuv3.c, smmuv3_s1_range_inval).
struct RangeInvalidation {
  var start: UInt64
  var pages: UInt64
  /// nil: of all address spaces (TLBI_NH_VAA).
  var asid: UInt16?
  var vmid: UInt16
  var granuleCode: UInt8
  var ttl: UInt8
  var isLeaf: Bool
  var isStage2: Bool

  /// log2 of the bytes per page; without a granule code one page of the smallest granule.
  var log2Page: UInt64 { granuleCode == 0 ? 12 : UInt64(granuleCode) * 2 + 10 }
}

/// The threads of the emulator. A log has few (vCPUs and I/O threads), so they are searched one by
/// one from the last hit; at `limit` the oldest makes room.
@safe
struct ThreadTable: ~Copyable {
  static var limit: Int { 256 }

  // Safety: `contexts` has room for `limit` and its first `count` are initialised. ThreadContext is
  // trivial, so no deinitialisation is due.
  private let contexts: UnsafeMutablePointer<ThreadContext>
  private(set) var count = 0
  private var last = 0
  private var oldest = 0
  /// Threads that made room.
  private(set) var replaced = 0

  init() { unsafe contexts = .allocate(capacity: Self.limit) }
  deinit { unsafe contexts.deallocate() }

  /// The index of a thread's context, if it has one.
  @inline(__always)
  mutating func find(_ thread: UInt64) -> Int? {
    if last < count, unsafe contexts[last].thread == thread { return last }
    for index in 0..<count where unsafe contexts[index].thread == thread {
      last = index
      return index
    }
    return nil
  }

  /// The context that makes room for the next new thread, if one has to.
  var leaving: Int? { count < Self.limit ? nil : oldest }

  /// Gives a new thread a context, that of `leaving` if there is no other.
  mutating func add(_ thread: UInt64) -> Int {
    if let index = leaving {
      last = index
      oldest = (oldest + 1) % Self.limit
      replaced += 1
    } else {
      last = count
      count += 1
    }
    unsafe (contexts + last).initialize(to: ThreadContext(thread: thread))
    return last
  }

  @inline(__always)
  subscript(index: Int) -> ThreadContext {
    get {
      precondition(index < count)
      return unsafe contexts[index]
    }
    _modify {
      precondition(index < count)
      yield unsafe &contexts[index]
    }
  }

  /// The ordinal of the oldest event that must stay in the queue, if any.
  func oldestHeld() -> UInt64? {
    var oldest: UInt64?
    for index in 0..<count where unsafe contexts[index].isHeld {
      let access = unsafe contexts[index].access
      oldest = min(oldest ?? access, access)
    }
    return oldest
  }

  /// Lets go of the access `ordinal`, wherever it is.
  mutating func release(_ ordinal: UInt64) {
    for index in 0..<count where unsafe contexts[index].isHeld && contexts[index].access == ordinal
    {
      unsafe contexts[index].endAccess()
    }
  }
}
