import EventModel
import ReferenceModel
import Testing

/// Each command against each kind of remembered thing: does it remove it? (IHI 0070, §4.3, §4.4)
@Suite struct SMMUInvalidationTests {
  /// One thing in a cache. The letters stand in the matrix below.
  enum Probe: String, CaseIterable, CustomTestStringConvertible {
    case ste8, ste9, cd8, cd8Substream1, cd9
    /// IOTLB: VMID 7 ASID 3, ASID 4, global, another VMID, EL2&0.
    case asid3, asid4, global, otherVMID, el2
    /// Another page of VMID 7 ASID 3.
    case asid3Elsewhere
    /// Stage 1 table descriptors of VMID 7 ASID 3 and of another VMID.
    case table, otherTable
    /// IPA → PA of VMID 7, another page, another VMID; a stage 2 table descriptor.
    case ipa, ipaElsewhere, otherIPA, ipaTable
    var testDescription: String { rawValue }
  }

  static let va: UInt64 = 0x4000_1000
  static let ipa: UInt64 = 0x5000_1000

  /// A machine that remembers every probe. Nothing stands in memory, so that what is forgotten
  /// cannot come back.
  private func machine() -> SMMU {
    var smmu = SMMU()
    smmu.caches = SMMUCaches(.all)
    let ste = StreamTableEntry(config: StreamTableEntry.nested)
    for stream: UInt32 in [8, 9] { smmu.caches.remember(ste, stream) }
    let cd = ContextDescriptor()
    smmu.caches.remember(cd, StreamContext(streamID: 8, index: 0))
    smmu.caches.remember(cd, StreamContext(streamID: 8, index: 1))
    smmu.caches.remember(cd, StreamContext(streamID: 9, index: 0))
    for probe in Probe.allCases {
      if let (space, address) = Self.stage1(probe) {
        if probe == .table || probe == .otherTable {
          smmu.caches.remember(Self.walkEntry(address), in: space)
        } else {
          smmu.caches.remember(Self.entry(address), in: space)
        }
      } else if let (vmid, address) = Self.stage2(probe) {
        if probe == .ipaTable {
          smmu.caches.remember(Self.walkEntry(address), vmid: vmid)
        } else {
          smmu.caches.remember(Self.stage2Entry(address), vmid: vmid)
        }
      }
    }
    return smmu
  }

  private static func stage1(_ probe: Probe) -> (AddressSpace, UInt64)? {
    switch probe {
    case .asid3, .table: (AddressSpace(.nsEL1, vmid: 7, asid: 3), va)
    case .asid3Elsewhere: (AddressSpace(.nsEL1, vmid: 7, asid: 3), va + 0x40_0000)
    case .asid4: (AddressSpace(.nsEL1, vmid: 7, asid: 4), va)
    case .global: (AddressSpace(.nsEL1, vmid: 7, asid: nil), va)
    case .otherVMID, .otherTable: (AddressSpace(.nsEL1, vmid: 6, asid: 3), va)
    case .el2: (AddressSpace(.el2E2H, vmid: 0, asid: 3), va)
    default: nil
    }
  }

  private static func stage2(_ probe: Probe) -> (UInt16, UInt64)? {
    switch probe {
    case .ipa, .ipaTable: (7, ipa)
    case .ipaElsewhere: (7, ipa + 0x40_0000)
    case .otherIPA: (6, ipa)
    default: nil
    }
  }

  private static func entry(_ address: UInt64) -> TLBEntry {
    let page = AddressSpan(around: address, log2: 12)
    return TLBEntry(
      coverage: page, reach: page, granule: .kib4, level: 3, output: 0,
      stage1: .init(unprivileged: true, readOnly: false, pxn: false, uxn: false),
      isStage1Clean: false, intermediate: 0, stage2: nil, isStage2Clean: false)
  }

  private static func stage2Entry(_ address: UInt64) -> Stage2TLBEntry {
    Stage2TLBEntry(
      coverage: AddressSpan(around: address, log2: 12), granule: .kib4, level: 3, output: 0,
      permissions: .init(read: true, write: true, xn: false), isClean: false, isDevice: false)
  }

  private static func walkEntry(_ address: UInt64) -> WalkEntry {
    WalkEntry(
      coverage: AddressSpan(around: address, log2: 21), granule: .kib4, level: 2, nextTable: 0,
      limits: .init())
  }

  private func present(_ smmu: SMMU) -> Set<Probe> {
    let caches = smmu.caches
    return Set(
      Probe.allCases.filter { probe in
        switch probe {
        case .ste8: caches.stes[8] != nil
        case .ste9: caches.stes[9] != nil
        case .cd8: caches.cds[StreamContext(streamID: 8, index: 0)] != nil
        case .cd8Substream1: caches.cds[StreamContext(streamID: 8, index: 1)] != nil
        case .cd9: caches.cds[StreamContext(streamID: 9, index: 0)] != nil
        case .table, .otherTable:
          !caches.stage1Walk.lookup(Self.stage1(probe)!.0, Self.va).isEmpty
        case .ipaTable: !caches.stage2Walk.lookup(7, Self.ipa).isEmpty
        default:
          if let (space, address) = Self.stage1(probe) {
            !caches.iotlb.lookup(space, address).isEmpty
          } else {
            !caches.stage2TLB.lookup(Self.stage2(probe)!.0, Self.stage2(probe)!.1).isEmpty
          }
        }
      })
  }

  /// The command, and everything that it removes. What is not named must stay.
  static let matrix: [(SMMUCommand, Set<Probe>)] = {
    let stage1Of7: Set<Probe> = [.asid3, .asid4, .global, .asid3Elsewhere, .table]
    let stage2Of7: Set<Probe> = [.ipa, .ipaElsewhere, .ipaTable]
    return [
      (.prefetchConfig(streamID: 8, substreamID: nil), []),
      (.prefetchAddress(streamID: 8, substreamID: nil, address: va, log2Pages: 0), []),
      (.cfgiSTE(streamID: 8, leaf: true), [.ste8, .cd8, .cd8Substream1]),
      (.cfgiSTE(streamID: 9, leaf: false), [.ste9, .cd9]),
      (.cfgiSTE(streamID: 10, leaf: true), []),
      // 2^(0+1) streams around 9: 8 and 9. Around 10: neither.
      (.cfgiSTERange(streamID: 9, range: 0), [.ste8, .ste9, .cd8, .cd8Substream1, .cd9]),
      (.cfgiSTERange(streamID: 10, range: 0), []),
      (.cfgiSTERange(streamID: 15, range: 2), [.ste8, .ste9, .cd8, .cd8Substream1, .cd9]),
      (.cfgiSTERange(streamID: 0, range: 2), []),
      (.cfgiAll, [.ste8, .ste9, .cd8, .cd8Substream1, .cd9]),
      (.cfgiCD(streamID: 8, substreamID: 0, leaf: true), [.cd8]),
      (.cfgiCD(streamID: 8, substreamID: 1, leaf: false), [.cd8Substream1]),
      (.cfgiCDAll(streamID: 8), [.cd8, .cd8Substream1]),
      (.tlbiNHAll(vmid: 7), stage1Of7),
      (.tlbiNHAll(vmid: 5), []),
      (.tlbiNHASID(vmid: 7, asid: 3), [.asid3, .asid3Elsewhere, .table]),
      (.tlbiNHASID(vmid: 7, asid: 9), []),
      (.tlbiNHVA(vmid: 7, asid: 3, TLBIRange(va, leaf: true)), [.asid3, .global]),
      (.tlbiNHVA(vmid: 7, asid: 3, TLBIRange(va)), [.asid3, .global, .table]),
      (.tlbiNHVA(vmid: 7, asid: 9, TLBIRange(va)), [.global]),
      (.tlbiNHVA(vmid: 7, asid: 3, TLBIRange(va + 0x1000)), [.table]),
      (.tlbiNHVAA(vmid: 7, TLBIRange(va, leaf: true)), [.asid3, .asid4, .global]),
      // A range up to the other page; another granule; another level.
      (
        .tlbiNHVA(
          vmid: 7, asid: 3, TLBIRange(va, leaf: true, tg: 1, ttl: 3, num: 1, scale: 10)),
        [.asid3, .asid3Elsewhere, .global]
      ),
      (
        .tlbiNHVA(vmid: 7, asid: 3, TLBIRange(va, leaf: true, tg: 1, num: 31, scale: 5)),
        [.asid3, .global]
      ),
      (.tlbiNHVA(vmid: 7, asid: 3, TLBIRange(va, tg: 3, ttl: 3)), []),
      (.tlbiNHVA(vmid: 7, asid: 3, TLBIRange(va, leaf: true, tg: 1, ttl: 2)), []),
      // TTL 2: the leaf is at level 2, so only tables above it are concerned.
      (.tlbiNHVA(vmid: 7, asid: 3, TLBIRange(va, tg: 1, ttl: 2)), []),
      (.tlbiNHVA(vmid: 7, asid: 3, TLBIRange(va, tg: 1, ttl: 3)), [.asid3, .global, .table]),
      (.tlbiEL2All, [.el2]),
      (.tlbiEL2ASID(asid: 3), [.el2]),
      (.tlbiEL2ASID(asid: 4), []),
      (.tlbiEL2VA(asid: 3, TLBIRange(va)), [.el2]),
      (.tlbiEL2VA(asid: 4, TLBIRange(va)), []),
      (.tlbiEL2VAA(TLBIRange(va)), [.el2]),
      (.tlbiEL2VAA(TLBIRange(va + 0x1000)), []),
      (.tlbiS12VMAll(vmid: 7), stage1Of7.union(stage2Of7)),
      (.tlbiS12VMAll(vmid: 6), [.otherVMID, .otherTable, .otherIPA]),
      (.tlbiS2IPA(vmid: 7, TLBIRange(ipa, leaf: true)), [.ipa]),
      (.tlbiS2IPA(vmid: 7, TLBIRange(ipa)), [.ipa, .ipaTable]),
      (
        .tlbiS2IPA(vmid: 7, TLBIRange(ipa, leaf: true, tg: 1, num: 31, scale: 6)),
        [.ipa, .ipaElsewhere]
      ),
      // A VA is no IPA: combined entries at that address stay.
      (.tlbiS2IPA(vmid: 7, TLBIRange(va)), []),
      (
        .tlbiNSNHAll,
        Set(Probe.allCases).subtracting([
          .ste8, .ste9, .cd8, .cd8Substream1, .cd9, .el2,
        ])
      ),
      (.atcInvalidate(streamID: 8, substreamID: nil, global: false, address: 0, log2Pages: 52), []),
      (.priResponse(streamID: 8, substreamID: nil, group: 0, response: .success), []),
      (.resume(streamID: 8, stag: 0, response: .retry), []),
      (.stallTerminate(streamID: 8), []),
      (.sync(CommandSync()), []),
    ]
  }()

  @Test func theMatrixHasEveryCommandAndEveryProbe() {
    #expect(Set(Self.matrix.map(\.0.opcode)) == Set(SMMUCommand.Opcode.allCases))
    #expect(Self.matrix.reduce(into: Set()) { $0.formUnion($1.1) } == Set(Probe.allCases))
    #expect(present(machine()) == Set(Probe.allCases))
  }

  @Test(arguments: matrix)
  func commandRemovesWhatItMustAndNoMore(command: SMMUCommand, removed: Set<Probe>) throws {
    var smmu = machine()
    let (dw0, dw1) = command.dwords
    try smmu.command(dw0, dw1)
    #expect(Set(Probe.allCases).subtracting(present(smmu)) == removed)
  }

  @Test func el2CommandsFollowE2H() throws {
    var smmu = machine()
    smmu.registers.e2h = false
    try smmu.execute(.tlbiEL2VA(asid: 3, TLBIRange(Self.va)))
    #expect(present(smmu).contains(.el2), "entries of EL2&0 are not EL2's")
    smmu.caches.remember(
      Self.entry(Self.va), in: AddressSpace(.el2, vmid: 0, asid: nil))
    try smmu.execute(.tlbiEL2VA(asid: 9, TLBIRange(Self.va)))
    #expect(
      smmu.caches.iotlb.lookup(AddressSpace(.el2, vmid: 0, asid: nil), Self.va).isEmpty)
  }

  @Test func withoutRangeInvalidationTheFieldsAreIgnored() throws {
    var identification = SMMU.Identification()
    identification.rangeInvalidation = false
    var smmu = SMMU(identification)
    smmu.caches = machine().caches
    try smmu.execute(
      .tlbiNHVA(
        vmid: 7, asid: 3, TLBIRange(Self.va, leaf: true, tg: 1, ttl: 3, num: 1, scale: 10)))
    #expect(!present(smmu).contains(.asid3))
    #expect(present(smmu).contains(.asid3Elsewhere))
  }
}
