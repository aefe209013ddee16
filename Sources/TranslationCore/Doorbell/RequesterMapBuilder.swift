/// A node of IORT, as far as identifiers are concerned.
package struct RequesterNode: Hashable, Sendable {
  package struct Mapping: Hashable, Sendable {
    package var inputBase: UInt32
    /// The number of IDs minus one.
    package var idCount: UInt32
    package var outputBase: UInt32
    package var outputNode: Int
    package var isSingle: Bool

    package init(
      inputBase: UInt32, idCount: UInt32, outputBase: UInt32, outputNode: Int,
      isSingle: Bool = false
    ) {
      self.inputBase = inputBase
      self.idCount = idCount
      self.outputBase = outputBase
      self.outputNode = outputNode
      self.isSingle = isSingle
    }
  }

  /// Arm DEN 0049: 0 ITS group, 1 named component, 2 root complex, 3 SMMUv1/v2, 4 SMMUv3, …
  package var kind: UInt8
  package var mappings: [Mapping]

  package init(kind: UInt8, mappings: [Mapping]) {
    self.kind = kind
    self.mappings = mappings
  }

  fileprivate var isITS: Bool { kind == 0 }
  fileprivate var isSMMU: Bool { kind == 3 || kind == 4 }
  fileprivate var allowsSingle: Bool { kind == 1 || kind == 2 }
}

package enum RequesterMapError: Error, Hashable, Sendable, CustomStringConvertible {
  case tooManyNodes(found: Int, limit: Int)
  /// The chains of mappings split the identifiers into too many pieces.
  case tooManyRanges(limit: Int)

  package var description: String {
    switch self {
    case .tooManyNodes(let found, let limit):
      "IORT has \(found) nodes, more than \(limit); pass only those that devices lead to"
    case .tooManyRanges(let limit):
      "IORT's mappings make more than \(limit) ranges of identifiers; are they a loop?"
    }
  }
}

/// Follows all IDs of a node at once.
struct RequesterMapBuilder {
  struct Range {
    var start: UInt32
    var output: RequesterMap.Output
  }

  static let nodeLimit = 4096
  static let rangeLimit = 1 << 16
  /// Mappings looked at: what bounds the time for a hostile table.
  private static let workLimit = 1 << 22

  private let nodes: [RequesterNode]
  private var rangeCount = 0
  private var work = 0

  init(_ nodes: [RequesterNode]) throws(RequesterMapError) {
    guard nodes.count <= Self.nodeLimit else {
      throw .tooManyNodes(found: nodes.count, limit: Self.nodeLimit)
    }
    self.nodes = nodes
  }

  /// IDs that stay together so far.
  private struct Piece {
    /// Inputs at the first node.
    var start: UInt32
    var last: UInt32
    /// What `start` has become, and whether the rest still follows it.
    var id: UInt32
    var grows = true
    var output = RequesterMap.Output()

    var lastID: UInt32 { grows ? id + (last - start) : id }
  }

  mutating func ranges(from node: Int) throws(RequesterMapError) -> [Range] {
    var ranges: [Range] = []
    try follow(Piece(start: 0, last: .max, id: 0), node, depth: 0, &ranges)
    return ranges
  }

  private mutating func follow(
    _ piece: Piece, _ node: Int, depth: Int, _ ranges: inout [Range]
  ) throws(RequesterMapError) {
    guard depth < nodes.count else { return try append(piece, &ranges) }
    for part in try parts(of: piece, at: node) {
      guard let step = step(part.id, nodes[node]), nodes.indices.contains(step.outputNode) else {
        try append(part, &ranges)
        continue
      }
      var part = part
      if step.isSingle {
        part.id = step.outputBase
        part.grows = false
      } else {
        part.id = step.outputBase + (part.id - step.inputBase)
      }
      let next = nodes[step.outputNode]
      let growth: UInt32 = part.grows ? ~0 : 0
      if next.isSMMU {
        part.output.stream = part.id
        part.output.streamGrowth = growth
        part.output.flags |= 1
      } else if next.isITS {
        part.output.device = part.id
        part.output.deviceGrowth = growth
        part.output.flags |= 2
        try append(part, &ranges)
        continue
      }
      try follow(part, step.outputNode, depth: depth + 1, &ranges)
    }
  }

  /// Cuts a piece wherever a mapping begins, ends, or runs out of outputs: within a part, all IDs fare
  /// alike. The first and the last ID of a mapping are parts of their own.
  private mutating func parts(of piece: Piece, at node: Int) throws(RequesterMapError) -> [Piece] {
    work += nodes[node].mappings.count + 1
    guard work <= Self.workLimit else { throw .tooManyRanges(limit: Self.rangeLimit) }
    guard piece.grows else { return [piece] }
    let (first, last) = (UInt64(piece.id), UInt64(piece.lastID))
    var cuts: Set<UInt64> = [first]
    for mapping in nodes[node].mappings where !mapping.isSingle {
      let base = UInt64(mapping.inputBase)
      let end = base + UInt64(mapping.idCount)
      let room = base + UInt64(UInt32.max - mapping.outputBase)
      for cut in [base, base + 1, end, end + 1, room + 1] where cut > first && cut <= last {
        cuts.insert(cut)
      }
    }
    let sorted = cuts.sorted()
    return sorted.indices.map { index in
      let end = index + 1 < sorted.count ? sorted[index + 1] - 1 : last
      var part = piece
      part.start = piece.start + UInt32(sorted[index] - first)
      part.last = piece.start + UInt32(end - first)
      part.id = UInt32(sorted[index])
      // What was known about the first ID of the piece is now known about the first of the part.
      let offset = part.start - piece.start
      part.output.stream &+= offset & part.output.streamGrowth
      part.output.device &+= offset & part.output.deviceGrowth
      return part
    }
  }

  /// The mapping that counts for an ID: see the reference model's `IORT.IDMapping`.
  private func step(_ id: UInt32, _ node: RequesterNode) -> RequesterNode.Mapping? {
    var tentative: RequesterNode.Mapping?
    for mapping in node.mappings {
      if mapping.isSingle {
        if node.allowsSingle { return mapping }
        continue
      }
      guard id >= mapping.inputBase, id - mapping.inputBase <= mapping.idCount,
        id - mapping.inputBase <= UInt32.max - mapping.outputBase
      else { continue }
      if tentative != nil && id != mapping.inputBase { continue }
      guard mapping.idCount > 0, id - mapping.inputBase == mapping.idCount else { return mapping }
      tentative = mapping
    }
    return tentative
  }

  /// Ranges come in order; neighbours that are one function of the ID become one range.
  private mutating func append(_ piece: Piece, _ ranges: inout [Range]) throws(RequesterMapError) {
    if let previous = ranges.last {
      var continued = previous.output
      let distance = piece.start - previous.start
      continued.stream &+= distance & continued.streamGrowth
      continued.device &+= distance & continued.deviceGrowth
      if continued == piece.output { return }
    }
    rangeCount += 1
    guard rangeCount <= Self.rangeLimit else { throw .tooManyRanges(limit: Self.rangeLimit) }
    ranges.append(Range(start: piece.start, output: piece.output))
  }
}
