package import EventModel

/// The I/O Remapping Table: how firmware describes the wiring between devices, SMMUs and ITSs (Arm
/// DEN 0049). It is data here, not the bytes of the ACPI table.
///
/// A root complex maps RequesterIDs to StreamIDs of an SMMU, and the SMMU maps StreamIDs to
/// DeviceIDs of an ITS group; a root complex without SMMU maps to DeviceIDs at once. The DeviceID
/// is wiring: no translated address has a part in it.
package struct IORT: Hashable, Sendable {
  package enum NodeKind: UInt8, Hashable, Sendable {
    case itsGroup = 0
    case namedComponent = 1
    case rootComplex = 2
    case smmuV1V2 = 3
    case smmuV3 = 4
    case performanceCounters = 5
    case reservedMemory = 6
  }

  package struct Node: Hashable, Sendable {
    package var kind: NodeKind
    package var mappings: [IDMapping]
    /// Of a reserved-memory node only.
    package var reservedMemory: ReservedMemory?

    package init(
      _ kind: NodeKind, mappings: [IDMapping] = [], reservedMemory: ReservedMemory? = nil
    ) {
      self.kind = kind
      self.mappings = mappings
      self.reservedMemory = reservedMemory
    }
  }

  /// One row of a node's ID mapping array.
  ///
  /// Ranges should not overlap. Where they do, the first that has the ID counts, with one exception:
  /// firmware that stores the count without the "minus one" makes each range claim the first ID of the
  /// next. So a match at the very end of a range gives way to a later range that begins there (Linux,
  /// drivers/acpi/arm64/iort.c, iort_id_map and iort_node_map_id).
  package struct IDMapping: Hashable, Sendable {
    package var inputBase: UInt32
    /// "Number of IDs": the count **minus one**, so that the last input is base + this.
    package var idCount: UInt32
    package var outputBase: UInt32
    /// Index of the node that the output belongs to.
    package var outputNode: Int
    /// Flags bit 0: the node has a single ID, `outputBase`, whatever comes in.
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

    /// The single-mapping flag has a meaning for named components and root complexes only; Linux
    /// refuses it elsewhere (drivers/acpi/arm64/iort.c, iort_id_map).
    package func map(_ id: UInt32, from kind: NodeKind) -> UInt32? {
      if isSingle {
        return kind == .namedComponent || kind == .rootComplex ? outputBase : nil
      }
      guard id >= inputBase, id - inputBase <= idCount else { return nil }
      let (output, overflow) = outputBase.addingReportingOverflow(id - inputBase)
      return overflow ? nil : output
    }
  }

  /// The nodes; mappings name each other by index.
  package var nodes: [Node]
  package init(_ nodes: [Node]) { self.nodes = nodes }

  /// The identifiers of one requester.
  package struct Identity: Hashable, Sendable {
    package var streamID: StreamID?
    package var deviceID: DeviceID?
  }

  /// Follows the mappings from `node` on. A chain that does not end (a malformed table) gives up
  /// after as many steps as there are nodes.
  package func resolve(_ id: UInt32, from node: Int) -> Identity {
    var identity = Identity()
    var (current, id) = (node, id)
    for _ in nodes.indices {
      guard nodes.indices.contains(current) else { break }
      guard let step = nodes[current].step(id), nodes.indices.contains(step.node) else { break }
      (current, id) = step
      switch nodes[current].kind {
      case .smmuV3, .smmuV1V2: identity.streamID = StreamID(id)
      case .itsGroup:
        identity.deviceID = DeviceID(id)
        return identity
      default: break
      }
    }
    return identity
  }
}

extension IORT.Node {
  /// Where `id` goes from here; nil if no mapping has it.
  func step(_ id: UInt32) -> (node: Int, id: UInt32)? {
    var tentative: (node: Int, id: UInt32)?
    for mapping in mappings {
      guard let output = mapping.map(id, from: kind) else { continue }
      let begins = mapping.isSingle || id == mapping.inputBase
      if tentative != nil && !begins { continue }
      if !mapping.isSingle, mapping.idCount > 0, id - mapping.inputBase == mapping.idCount {
        tentative = (mapping.outputNode, output)
        continue
      }
      return (mapping.outputNode, output)
    }
    return tentative
  }
}

extension IORT {
  /// A reserved memory range node (RMR): firmware's statement that streams need memory mapped 1:1.
  package struct ReservedMemory: Hashable, Sendable {
    package struct Descriptor: Hashable, Sendable {
      package var base: UInt64
      package var length: UInt64
      package init(base: UInt64, length: UInt64) {
        self.base = base
        self.length = length
      }
      /// Both should be multiples of 64 KiB.
      package var isAligned: Bool { (base | length) & 0xFFFF == 0 }
    }

    /// Flags bit 0, bit 1, bits 9:2.
    package var remapPermitted: Bool
    package var privileged: Bool
    package var memoryAttributes: UInt8
    package var descriptors: [Descriptor]

    package init(
      flags: UInt32, descriptors: [Descriptor]
    ) {
      remapPermitted = flags & 1 == 1
      privileged = flags & 2 == 2
      memoryAttributes = UInt8(truncatingIfNeeded: flags >> 2)
      self.descriptors = descriptors
    }

    package var flags: UInt32 {
      (remapPermitted ? 1 : 0) | (privileged ? 2 : 0) | UInt32(memoryAttributes) << 2
    }

    /// Linux's reading (drivers/acpi/arm64/iort.c, iort_get_rmrs). Nothing in the table can say
    /// "this is a window for MSIs", which is the trouble with describing one by an RMR.
    package var regions: [ReservedRegion] {
      descriptors.map {
        ReservedRegion(
          base: $0.base, length: $0.length, kind: remapPermitted ? .directRelaxable : .direct)
      }
    }
  }

  /// The regions that reserved-memory nodes impose on a stream of the SMMU at `smmuNode`.
  package func reservedRegions(of streamID: StreamID, smmuNode: Int) -> [ReservedRegion] {
    nodes.filter { node in
      node.kind == .reservedMemory
        && node.mappings.contains {
          // An RMR's mappings list StreamIDs as outputs; its inputs are unused.
          $0.outputNode == smmuNode && streamID.rawValue >= $0.outputBase
            && streamID.rawValue - $0.outputBase <= ($0.isSingle ? 0 : $0.idCount)
        }
    }.flatMap { $0.reservedMemory?.regions ?? [] }
  }
}
