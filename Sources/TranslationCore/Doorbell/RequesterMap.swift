package import EventModel

/// RequesterID → StreamID and DeviceID, as IORT wires them: the answers of the reference model's
/// `IORT.resolve` by one binary search.
///
/// A chain of mappings (root complex → SMMU → ITS) is followed once, when the map is made, for all IDs
/// at once: each node gets ranges of input IDs that do not overlap and cover everything, with what both
/// identifiers are at the start of the range and whether they grow with the input. Real firmware gives
/// a handful of ranges per root complex.
///
/// ```swift
/// let map = try RequesterMap([
///   .init(kind: 0, mappings: []),                                               // ITS group
///   .init(kind: 4, mappings: [.init(inputBase: 0, idCount: 0xFFFF, outputBase: 0, outputNode: 0)]),
///   .init(kind: 2, mappings: [.init(inputBase: 0, idCount: 0xFFFF, outputBase: 0, outputNode: 1)]),
/// ])
/// map.resolve(0x0008, from: 2)    // StreamID 8, DeviceID 8
/// ```
///
/// Firmware is not trusted: loops end, and a table whose ranges are too many is refused.
@safe
@usableFromInline
package struct RequesterMap: ~Copyable {
  /// First input ID of each range, ascending within a node.
  @usableFromInline let starts: UnsafeMutablePointer<UInt32>
  @usableFromInline let outputs: UnsafeMutablePointer<Output>
  /// Where the ranges of node n begin; one more entry gives the end of the last.
  @usableFromInline let nodes: UnsafeMutablePointer<UInt32>
  @usableFromInline let nodeCount: Int

  /// What a range of input IDs becomes.
  @frozen
  @usableFromInline
  struct Output: Hashable, BitwiseCopyable {
    @usableFromInline var stream: UInt32 = 0
    @usableFromInline var device: UInt32 = 0
    /// All ones where the identifier grows with the input, zero where it stays.
    @usableFromInline var streamGrowth: UInt32 = 0
    @usableFromInline var deviceGrowth: UInt32 = 0
    /// `RequesterIdentity.flags`.
    @usableFromInline var flags: UInt32 = 0
    init() {}
  }

  package init(_ nodes: [RequesterNode]) throws(RequesterMapError) {
    var builder = try RequesterMapBuilder(nodes)
    let ranges = try nodes.indices.map { (node) throws(RequesterMapError) in
      try builder.ranges(from: node)
    }
    let count = ranges.reduce(0) { $0 + $1.count }
    nodeCount = nodes.count
    // Safety: allocated for exactly what is stored below, released in `deinit` only.
    unsafe starts = .allocate(capacity: count)
    unsafe outputs = .allocate(capacity: count)
    unsafe self.nodes = .allocate(capacity: nodes.count + 1)
    var next = 0
    for (node, ranges) in ranges.enumerated() {
      unsafe (self.nodes + node).initialize(to: UInt32(next))
      for range in ranges {
        unsafe (starts + next).initialize(to: range.start)
        unsafe (outputs + next).initialize(to: range.output)
        next += 1
      }
    }
    unsafe (self.nodes + nodes.count).initialize(to: UInt32(next))
  }

  deinit {
    // Safety: made in `init`, of trivial type, and not handed out.
    unsafe starts.deallocate()
    unsafe outputs.deallocate()
    unsafe nodes.deallocate()
  }

  package var rangeCount: Int {
    // Safety: the table has `nodeCount` + 1 entries.
    unsafe Int(nodes[nodeCount])
  }

  /// The identifiers of requester `id` at a node. O(log of the node's ranges).
  @inlinable
  @inline(__always)
  package func resolve(_ id: UInt32, from node: Int) -> RequesterIdentity {
    guard node >= 0, node < nodeCount else { return RequesterIdentity() }
    // Safety: the node was checked; its ranges are `first` ..< `first + count`, at least one of them,
    // and the first of them starts at 0, so that the search ends at a range with start ≤ id.
    var first = unsafe Int(nodes[node])
    var count = unsafe Int(nodes[node &+ 1]) &- first
    while count > 1 {
      let half = count &>> 1
      first = unsafe starts[first &+ half] <= id ? first &+ half : first
      count &-= half
    }
    let offset = unsafe id &- starts[first]
    let output = unsafe outputs[first]
    return RequesterIdentity(
      stream: output.stream &+ offset & output.streamGrowth,
      device: output.device &+ offset & output.deviceGrowth, flags: output.flags)
  }
}

/// What a requester is to the SMMU and to the ITS.
@frozen
@usableFromInline
package struct RequesterIdentity: Hashable, Sendable, BitwiseCopyable {
  /// Meaningful with the flag only; else 0.
  @usableFromInline package var stream: UInt32
  @usableFromInline package var device: UInt32
  /// Bit 0: it has a StreamID, bit 1: a DeviceID.
  @usableFromInline package var flags: UInt32

  @inlinable
  init(stream: UInt32 = 0, device: UInt32 = 0, flags: UInt32 = 0) {
    self.stream = stream
    self.device = device
    self.flags = flags
  }

  package var streamID: StreamID? { flags & 1 != 0 ? StreamID(stream) : nil }
  package var deviceID: DeviceID? { flags & 2 != 0 ? DeviceID(device) : nil }
}
