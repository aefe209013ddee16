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

/// The configuration cache's entry: STE and CD, decoded.
struct StreamContext: BitwiseCopyable {
  enum Kind {
    static let none: UInt8 = 0
    static let abort: UInt8 = 1
    static let bypass: UInt8 = 2
    static let stage1: UInt8 = 3
    static let stage2: UInt8 = 4
    static let nested: UInt8 = 5
  }
  var kind: UInt8
  /// Width of a stage-1 output, from CD.IPS, and of a stage-2 output, from STE.S2PS.
  var outputBits1: UInt8
  var outputBits2: UInt8
  var stage1: TableShape
  var stage2: TableShape
  /// Number of the address space that tags the stream's TLB entries.
  var space: UInt16
  var vmid: UInt16
  /// Root addresses: TTB0 (intermediate when nested) and S2TTB.
  var root1: UInt64
  var root2: UInt64
  var limit: UInt64
  /// For `resolvePage`: the tags of walk cache and stage-2 TLB without the address, and their salts.
  /// With it the first address beyond a stage-1 output. `walkKey` 0: a stream that goes the general way.
  var walkKey: UInt64 = 0
  var walkSalt: UInt64 = 0
  var stage2Key: UInt64 = 0
  var stage2Salt: UInt64 = 0
  var outputLimit1: UInt64 = 0

  static let absent = StreamContext(
    kind: Kind.none, outputBits1: 0, outputBits2: 0,
    stage1: TableShape(granuleShift: 12, inputBits: 48),
    stage2: TableShape(granuleShift: 12, inputBits: 48), space: 0, vmid: 0, root1: 0, root2: 0,
    limit: 0)
}
