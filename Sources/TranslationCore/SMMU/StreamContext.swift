/// What the fast path needs of a stream: half a cache line per StreamID.
///
/// All zero (`limit` 0) sends every access to the slow path: stream not cached, abort, bypass.
@frozen
@usableFromInline
struct StreamLookup: BitwiseCopyable {
  /// First input address beyond the translated range.
  @usableFromInline var limit: UInt64
  /// Page size to try first, the stream's last one: clears the page's offset.
  @usableFromInline var pageMask: UInt64
  /// The TLB tag without the address: space and page size.
  @usableFromInline var key: UInt64
  /// Moves the page number to the place of the set index; then the space's salt.
  @usableFromInline var setShift: UInt32
  @usableFromInline var salt: UInt32
}

/// The configuration cache's entry: an STE, decoded, and the first context descriptor with it.
struct StreamContext: BitwiseCopyable {
  enum Kind {
    static let none: UInt8 = 0
    static let abort: UInt8 = 1
    static let bypass: UInt8 = 2
    static let stage1: UInt8 = 3
    static let stage2: UInt8 = 4
    static let nested: UInt8 = 5
  }

  struct Flags: OptionSet, BitwiseCopyable {
    let rawValue: UInt8
    // S2AFFD, S2PTW, S2HD, S2HA, S2S, S2R: bits 58:53 of the third doubleword, in their order.
    static let noAccessFaults = Flags(rawValue: 1 << 0)
    /// A stage-1 structure in Device memory is a permission fault.
    static let protectsWalks = Flags(rawValue: 1 << 1)
    static let updatesDirtyState = Flags(rawValue: 1 << 2)
    static let updatesAccessFlag = Flags(rawValue: 1 << 3)
    static let stalls = Flags(rawValue: 1 << 4)
    static let records = Flags(rawValue: 1 << 5)
    /// S1STALLD.
    static let stage1NeverStalls = Flags(rawValue: 1 << 6)
  }

  /// CD 0. First, so that a pointer to the stream is one to it.
  var context = ContextEntry()

  var kind: UInt8 = Kind.none
  var flags: Flags = []
  var world = StreamWorld.nsEL1
  var ats: UInt8 = 0
  /// What traffic without SubstreamID gets, if there are substreams at all.
  var defaultSubstream: UInt8 = 0
  var substreamBits: UInt8 = 0
  /// log2 of the CDs in one leaf of a two-level table; 0 is a linear table.
  var contextLeafBits: UInt8 = 0
  /// Width of a stage-2 output, from S2PS.
  var outputBits2: UInt8 = 0
  var vmid: UInt16 = 0
  /// Number of the address space that tags combined entries of stage 2 alone.
  var space2: UInt16 = 0
  /// Place in the order in which streams were cached.
  var order: UInt32 = 0
  var stage2 = TableShape(granuleShift: 12, inputBits: 48)
  /// S2TTB and S1ContextPtr.
  var root2: UInt64 = 0
  var contextPointer: UInt64 = 0
  /// For `resolvePage`: the tags of combined TLB, walk cache and stage-2 TLB without the address, and
  /// salts. With them the first address beyond a stage-1 output. `walkKey` 0: a stream that goes the
  /// general way.
  var pageKey: UInt64 = 0
  var walkKey: UInt64 = 0
  var walkSalt: UInt64 = 0
  var stage2Key: UInt64 = 0
  var stage2Salt: UInt64 = 0
  var outputLimit1: UInt64 = 0

  var hasStage1: Bool { kind == Kind.stage1 || kind == Kind.nested }
  var hasStage2: Bool { kind == Kind.stage2 || kind == Kind.nested }

  /// The context of a stream in the table.
  @inline(__always)
  static func context(
    of stream: UnsafeMutablePointer<StreamContext>
  ) -> UnsafeMutablePointer<ContextEntry> {
    // Safety: `context` is the first stored property, at offset 0.
    unsafe UnsafeMutableRawPointer(stream).assumingMemoryBound(to: ContextEntry.self)
  }
}

/// A context descriptor, decoded.
struct ContextEntry: BitwiseCopyable {
  struct Flags: OptionSet, BitwiseCopyable {
    let rawValue: UInt16
    // HD, HA, S, R, A: bits 46:42 of the first doubleword, in their order.
    static let updatesDirtyState = Flags(rawValue: 1 << 0)
    static let updatesAccessFlag = Flags(rawValue: 1 << 1)
    static let stalls = Flags(rawValue: 1 << 2)
    static let records = Flags(rawValue: 1 << 3)
    static let aborts = Flags(rawValue: 1 << 4)
    /// AFFD, 35.
    static let noAccessFaults = Flags(rawValue: 1 << 5)
    /// TBI0, 38.
    static let ignoresTopByte = Flags(rawValue: 1 << 6)
    /// HAD0: table descriptors set no limits.
    static let ignoresLimits = Flags(rawValue: 1 << 7)
    /// EPD0, where it has an effect.
    static let walksDisabled = Flags(rawValue: 1 << 8)
    static let isCached = Flags(rawValue: 1 << 9)
  }

  var flags: Flags = []
  /// Width of an output, from IPS.
  var outputBits: UInt8 = 0
  var shape = TableShape(granuleShift: 12, inputBits: 48)
  /// Number of the address space that tags TLB entries; 0: none was left, nothing is remembered.
  var space: UInt16 = 0
  /// TTB0, intermediate when nested.
  var root: UInt64 = 0

  var limit: UInt64 { shape.inputLimit }
  /// The address as the tables see it: with TBI0 the top byte is ignored (IHI 0070, §3.4.1).
  func effective(_ address: UInt64) -> UInt64 {
    flags.contains(.ignoresTopByte) ? address & 0x00FF_FFFF_FFFF_FFFF : address
  }
}
