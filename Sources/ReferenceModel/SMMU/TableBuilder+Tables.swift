import EventModel

// Translation tables of both stages: leaves go in, leaves come out.

extension TableBuilder {
  /// One set of tables to edit.
  struct Tables {
    var base: UInt64
    var geometry: WalkGeometry
    /// The machine in whose IPA space the tables lie; nil for physical addresses.
    var machine: UInt16?

    init(_ root: Root) {
      base = root.geometry.rootAddress(root.base)
      geometry = root.geometry
      machine = root.machine
    }

    init(_ machine: Machine) {
      base = machine.geometry.rootAddress(machine.base)
      geometry = machine.geometry
      self.machine = nil
    }
  }

  /// The start table of the stream's address space. A table base that comes back with another ASID,
  /// and that no other stream uses, is a freed table that the guest took again: it is emptied.
  mutating func provideRoot(
    _ streamID: UInt32, _ configuration: StreamConfiguration, _ machine: UInt16?,
    for smmu: SMMU.Identification, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) -> RootKey {
    var shape = ContextDescriptor()
    shape.t0SZ = configuration.t0sz
    shape.tg0 = configuration.granule.tg0
    shape.ips = configuration.ips
    guard let geometry = WalkGeometry(stage1: shape, smmu) else {
      throw .illegalConfiguration(streamID: streamID)
    }
    let reserved = machine.map { machines[$0]!.arena.region } ?? arena.region
    guard !reserved.contains(configuration.ttb0) else {
      throw .illegalConfiguration(streamID: streamID)
    }
    let key = RootKey(
      machine: machine, ttb: configuration.ttb0,
      asid: configuration.ttb0 == 0 ? configuration.asid : 0)
    if let known = roots[key], known.geometry == geometry {
      let shared = streams.contains { $0.key != streamID && $0.value.root == key }
      if known.asid == configuration.asid || shared { return key }
    }
    var base = configuration.ttb0
    if base == 0 {
      base = roots[key]?.base ?? 0
      if base == 0 {
        base = try allocate(
          geometry.rootSizeBytes, alignment: max(geometry.rootSizeBytes, 64), machine: machine,
          in: &memory)
      }
    } else if let machine {
      try provideStage2(
        geometry.rootAddress(base), geometry.rootSizeBytes, machine, in: &memory)
    }
    let root = Root(base: base, geometry: geometry, machine: machine, asid: configuration.asid)
    let place = try physical(geometry.rootAddress(base), machine: machine, in: memory)
    memory.clear(place, sizeBytes: geometry.rootSizeBytes)
    roots[key] = root
    return key
  }

  /// Stores leaves of `level` for 2^log2Bytes from `input` on, with the tables above them.
  mutating func mapLeaves(
    _ tables: Tables, input: UInt64, output: UInt64, log2Bytes: UInt32, level: UInt32,
    attributes: UInt64, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) {
    let geometry = tables.geometry
    let granule = geometry.granule.rawValue
    guard level <= 3, Int(level) >= geometry.startLevel,
      level == 3 || geometry.allowsBlock(Int(level))
    else { throw .levelOutOfRange(level, granule: granule) }
    let shift = geometry.shift(Int(level))
    var span = UInt64(log2Bytes)
    var (first, target) = (input, output)
    if attributes.bit(52) {
      // The contiguous bit is a promise about the whole run, so the whole run is stored.
      span = max(span, shift + geometry.contiguousLog2(Int(level)))
      (first, target) = (first & ~(1 << span - 1), target & ~(1 << span - 1))
    }
    guard span >= shift, span <= shift + geometry.granule.bitsPerLevel else {
      throw .sizeOutOfRange(log2Bytes: log2Bytes, level: level)
    }
    for address in [first, target] where address & (1 << shift - 1) != 0 {
      throw .misaligned(address: address, log2Bytes: shift)
    }
    let size: UInt64 = 1 << span
    for (address, bits) in [(first, geometry.inputBits), (target, geometry.outputBits)] {
      guard address >> bits == 0, size <= (1 << bits) - address else {
        throw .addressOutOfRange(address, bits: bits)
      }
    }
    let type: UInt64 = level == 3 ? 3 : 1
    for offset in stride(from: 0, to: size, by: 1 << shift) {
      let place = try place(of: first + offset, Int(level), tables, in: &memory)
      let field = TranslationDescriptor.addressField(target + offset, geometry)
      memory.store(attributes & ~3 | type | field, at: place)
      descriptorWrites += 1
    }
  }

  /// Where the descriptor of `input` at `level` lies, after making the tables on the way. A leaf in
  /// the way gives way to a table: a walk that met a table there proves that the leaf is gone.
  private mutating func place(
    of input: UInt64, _ level: Int, _ tables: Tables, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) -> UInt64 {
    var table = tables.base
    for upper in tables.geometry.startLevel..<level {
      let place = try physical(
        table + tables.geometry.index(input, level: upper) * 8, machine: tables.machine, in: memory)
      let descriptor = TranslationDescriptor(memory.load(at: place))
      if descriptor.kind(upper, tables.geometry) == .table {
        table = descriptor.nextTable(tables.geometry)
      } else {
        table = try makeTable(tables, in: &memory)
        memory.store(TranslationDescriptor.table(table, tables.geometry).raw, at: place)
        descriptorWrites += 1
      }
    }
    return try physical(
      table + tables.geometry.index(input, level: level) * 8, machine: tables.machine, in: memory)
  }

  private mutating func makeTable(
    _ tables: Tables, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) -> UInt64 {
    let size: UInt64 = 1 << tables.geometry.granule.log2
    return try allocate(size, alignment: size, machine: tables.machine, in: &memory)
  }

  /// Clears every leaf in 2^log2Bytes from `input` on; a block that reaches beyond is split first.
  /// Tables stay, as the invalidation that goes with an unmap is often for leaves only.
  mutating func unmapLeaves(
    _ tables: Tables, input: UInt64, log2Bytes: UInt32, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) {
    guard input >> tables.geometry.inputBits == 0 else {
      throw .addressOutOfRange(input, bits: tables.geometry.inputBits)
    }
    // Whole granules only: no leaf is smaller.
    let granule = tables.geometry.granule.log2
    let first = AddressSpan(around: input, log2: UInt8(granule)).base
    let end: UInt64 = 1 << tables.geometry.inputBits
    let log2 = max(UInt64(log2Bytes), granule)
    let size: UInt64 = log2 < 64 ? 1 << log2 : .max
    let last = size >= end - first ? end - 1 : first + size - 1
    try clear(tables.base, tables.geometry.startLevel, 0, first...last, tables, in: &memory)
  }

  private mutating func clear(
    _ table: UInt64, _ level: Int, _ tableInput: UInt64, _ range: ClosedRange<UInt64>,
    _ tables: Tables, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) {
    let geometry = tables.geometry
    let shift = geometry.shift(level)
    let first = geometry.index(max(range.lowerBound, tableInput), level: level)
    let bits =
      level == geometry.startLevel ? geometry.inputBits - shift : geometry.granule.bitsPerLevel
    let tableLast = tableInput + (1 << (shift + bits) - 1)
    let last = geometry.index(min(range.upperBound, tableLast), level: level)
    for index in first...last {
      let place = try physical(table + index * 8, machine: tables.machine, in: memory)
      let descriptor = TranslationDescriptor(memory.load(at: place))
      let input = tableInput + index << shift
      let inputLast = input + (1 << shift - 1)
      switch descriptor.kind(level, geometry) {
      case .invalid: continue
      case .table:
        try clear(
          descriptor.nextTable(geometry), level + 1, input, range, tables, in: &memory)
      case .leaf:
        if range.lowerBound <= input && inputLast <= range.upperBound {
          memory.store(0 as UInt64, at: place)
          descriptorWrites += 1
          try breakRun(descriptor, table, index, level, tables, in: &memory)
        } else {
          let lower = try split(descriptor, at: place, level, tables, in: &memory)
          try clear(lower, level + 1, input, range, tables, in: &memory)
        }
      }
    }
  }

  /// The rest of a contiguous run is no run any more.
  private mutating func breakRun(
    _ descriptor: TranslationDescriptor, _ table: UInt64, _ index: UInt64, _ level: Int,
    _ tables: Tables, in memory: inout ReferenceMemory
  ) throws(SMMUTableError) {
    guard descriptor.isContiguous else { return }
    let run = AddressSpan(around: index, log2: UInt8(tables.geometry.contiguousLog2(level)))
    for member in run.base...run.last {
      let place = try physical(table + member * 8, machine: tables.machine, in: memory)
      let raw: UInt64 = memory.load(at: place)
      guard raw.bit(52) else { continue }
      memory.store(raw & ~(1 << 52), at: place)
      descriptorWrites += 1
    }
  }

  /// Replaces a block by a table of smaller leaves that map the same.
  private mutating func split(
    _ block: TranslationDescriptor, at place: UInt64, _ level: Int, _ tables: Tables,
    in memory: inout ReferenceMemory
  ) throws(SMMUTableError) -> UInt64 {
    let geometry = tables.geometry
    let table = try makeTable(tables, in: &memory)
    let output = block.leafAddress(level, geometry)
    let addressMask = TranslationDescriptor.addressField(~0, geometry)
    let attributes = block.raw & ~addressMask & ~3 & ~(1 << 52)
    let isLeaf = level + 1 == 3 || geometry.allowsBlock(level + 1)
    precondition(isLeaf, "below every block level there is a leaf level")
    for index in 0..<(1 as UInt64) << geometry.granule.bitsPerLevel {
      let field = TranslationDescriptor.addressField(
        output + index << geometry.shift(level + 1), geometry)
      memory.store(
        attributes | (level + 1 == 3 ? 3 : 1) | field,
        at: try physical(table + index * 8, machine: tables.machine, in: memory))
    }
    memory.store(TranslationDescriptor.table(table, geometry).raw, at: place)
    descriptorWrites += (1 << geometry.granule.bitsPerLevel) + 1
    return table
  }
}
