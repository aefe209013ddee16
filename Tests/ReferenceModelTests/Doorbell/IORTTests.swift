import EventModel
import ReferenceModel
import Testing

@Suite struct IORTTests {
  /// Two root complexes and a platform device, one SMMU, one ITS group, two RMR nodes.
  ///
  ///     0 ITS group   1 SMMUv3   2 root complex behind it   3 root complex without SMMU
  ///     4 named component   5 RMR, fixed   6 RMR, remappable
  static let table = IORT([
    .init(.itsGroup),
    .init(
      .smmuV3,
      mappings: [
        .init(inputBase: 0x1_0000, idCount: 0xFFFF, outputBase: 0, outputNode: 0),
        .init(inputBase: 0x2_0000, idCount: 0xFF, outputBase: 0x8000, outputNode: 0),
      ]),
    .init(
      .rootComplex,
      mappings: [.init(inputBase: 0, idCount: 0xFFFF, outputBase: 0x1_0000, outputNode: 1)]),
    .init(
      .rootComplex,
      mappings: [.init(inputBase: 0x100, idCount: 0, outputBase: 0x9000, outputNode: 0)]),
    .init(
      .namedComponent,
      mappings: [
        .init(inputBase: 0, idCount: 0, outputBase: 0x2_0010, outputNode: 1, isSingle: true)
      ]),
    .init(
      .reservedMemory,
      mappings: [
        .init(inputBase: 0, idCount: 7, outputBase: 0x1_0100, outputNode: 1)
      ],
      reservedMemory: .init(
        flags: 0, descriptors: [.init(base: 0x0800_0000, length: 0x10_0000)])),
    .init(
      .reservedMemory,
      mappings: [
        .init(inputBase: 0, idCount: 0, outputBase: 0x1_0200, outputNode: 1, isSingle: true)
      ],
      reservedMemory: .init(
        flags: 5 << 2 | 3, descriptors: [.init(base: 0x9000_0000, length: 0x1_0000)])),
  ])

  @Test(
    arguments: [
      (2, 0x0008, 0x1_0008, 0x0008), (2, 0x0000, 0x1_0000, 0x0000), (2, 0xFFFF, 0x1_FFFF, 0xFFFF),
      (2, 0x1_0000, nil, nil), (3, 0x100, nil, 0x9000), (3, 0x101, nil, nil), (3, 0xFF, nil, nil),
      (4, 0x1234, 0x2_0010, 0x8010), (99, 0, nil, nil),
    ] as [(Int, UInt32, UInt32?, UInt32?)])
  func requesterBecomesStreamAndDevice(
    node: Int, rid: UInt32, streamID: UInt32?, deviceID: UInt32?
  ) {
    let identity = Self.table.resolve(rid, from: node)
    #expect(identity.streamID?.rawValue == streamID)
    #expect(identity.deviceID?.rawValue == deviceID)
  }

  /// "Number of IDs" is the count minus one: the last ID is base + count.
  @Test func rangeEndsAreInclusive() {
    let mapping = IORT.IDMapping(inputBase: 10, idCount: 5, outputBase: 100, outputNode: 0)
    #expect(
      [9, 10, 15, 16].map { mapping.map($0, from: .rootComplex) } == [nil, 100, 105, nil])
  }

  /// 10…15 and 15…20: the second begins where the first, off by one, ends. 12…13 lies within.
  @Test func theEndOfARangeGivesWayToTheBeginningOfAnother() {
    let table = IORT([
      .init(.itsGroup),
      .init(
        .rootComplex,
        mappings: [
          .init(inputBase: 10, idCount: 5, outputBase: 100, outputNode: 0),
          .init(inputBase: 12, idCount: 1, outputBase: 700, outputNode: 0),
          .init(inputBase: 14, idCount: 3, outputBase: 800, outputNode: 0),
          .init(inputBase: 15, idCount: 5, outputBase: 200, outputNode: 0),
        ]),
    ])
    let found = [10, 12, 13, 14, 15, 16, 17, 18, 20, 21].map {
      table.resolve($0, from: 1).deviceID?.rawValue
    }
    #expect(found == [100, 102, 103, 104, 200, 802, 803, 203, 205, nil])
  }

  @Test func singleMappingCountsForDevicesOnly() {
    let mapping = IORT.IDMapping(
      inputBase: 0, idCount: 0, outputBase: 0x10, outputNode: 0, isSingle: true)
    let kinds: [IORT.NodeKind] = [
      .itsGroup, .namedComponent, .rootComplex, .smmuV1V2, .smmuV3, .performanceCounters,
      .reservedMemory,
    ]
    #expect(
      kinds.map { mapping.map(77, from: $0) } == [nil, 0x10, 0x10, nil, nil, nil, nil])
  }

  @Test func malformedTablesEnd() {
    let loop = IORT([
      .init(
        .rootComplex,
        mappings: [.init(inputBase: 0, idCount: 9, outputBase: 0, outputNode: 1)]),
      .init(.smmuV3, mappings: [.init(inputBase: 0, idCount: 9, outputBase: 0, outputNode: 0)]),
    ])
    #expect(loop.resolve(3, from: 0).deviceID == nil)
    let overflow = IORT.IDMapping(inputBase: 0, idCount: .max, outputBase: .max, outputNode: 0)
    #expect(overflow.map(0, from: .smmuV3) == .max && overflow.map(1, from: .smmuV3) == nil)
  }

  @Test func flagsOfReservedMemoryGoBothWays() {
    for flags: UInt32 in 0..<64 {
      #expect(IORT.ReservedMemory(flags: flags, descriptors: []).flags == flags)
    }
    let memory = IORT.ReservedMemory(flags: 5 << 2 | 2, descriptors: [])
    #expect(memory.memoryAttributes == 5 && memory.privileged && !memory.remapPermitted)
    #expect(IORT.ReservedMemory.Descriptor(base: 0x0800_0000, length: 0x10_0000).isAligned)
    #expect(!IORT.ReservedMemory.Descriptor(base: 0x0800_1000, length: 0x1_0000).isAligned)
  }

  @Test(
    arguments: [
      (0x1_00FF, []), (0x1_0100, [ReservedRegion.Kind.direct]), (0x1_0107, [.direct]),
      (0x1_0108, []), (0x1_0200, [.directRelaxable]), (0x1_0201, []),
    ] as [(UInt32, [ReservedRegion.Kind])])
  func reservedMemoryAppliesToItsStreams(streamID: UInt32, kinds: [ReservedRegion.Kind]) {
    #expect(
      Self.table.reservedRegions(of: StreamID(streamID), smmuNode: 1).map(\.kind) == kinds)
    #expect(Self.table.reservedRegions(of: StreamID(streamID), smmuNode: 0).isEmpty)
  }

  /// Region kind × attachment: only a direct region refuses, and only what does not map it.
  @Test(arguments: ReservedRegion.Kind.allCases, AttachTarget.allCases)
  func directRegionsRefuseBlockingAndUserSpace(kind: ReservedRegion.Kind, target: AttachTarget) {
    let verdict = target.verdict([ReservedRegion(base: 0, length: 0x1_0000, kind: kind)])
    let refused = kind == .direct && (target == .blocking || target == .userSpace)
    #expect(verdict == (refused ? .refusedDirectRegion : .allowed))
    #expect(target.verdict([]) == .allowed)
  }

  /// The argument in one line: which doorbell policy lets a guest hand the device on.
  @Test func identityDoorbellsEndNestedAssignment() {
    let verdicts = DoorbellPolicyTests.all.map {
      AttachTarget.userSpace.verdict($0.reservedRegions)
    }
    #expect(verdicts == [.allowed, .refusedDirectRegion, .allowed, .allowed])
  }
}
