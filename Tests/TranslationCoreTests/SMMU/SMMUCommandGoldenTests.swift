import EventModel
import ReferenceModel
import Testing
import TranslationCore

/// Every command by its doublewords (IHI 0070, §4): the reference writes them, and the core forgets
/// what they name and nothing else.
@Suite struct SMMUCommandGoldenTests {
  struct Forgotten: OptionSet, Sendable {
    let rawValue: Int
    static let stream = Forgotten(rawValue: 1)
    static let context = Forgotten(rawValue: 2)
    static let combined = Forgotten(rawValue: 4)
    static let stage2 = Forgotten(rawValue: 8)
    static let tables = Forgotten(rawValue: 16)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var command: SMMUCommand
    var words: (UInt64, UInt64)
    var forgotten: Forgotten
    init(_ command: SMMUCommand, _ words: (UInt64, UInt64), _ forgotten: Forgotten = []) {
      self.command = command
      self.words = words
      self.forgotten = forgotten
    }
    var testDescription: String { "\(command)" }
  }

  /// The machine's stream is 5, its VMID 7, its ASID 3, and the access goes to 0x12345.
  static let cases: [Case] = [
    Case(.prefetchConfig(streamID: 5, substreamID: nil), (0x0000_0005_0000_0001, 0)),
    Case(
      .prefetchAddress(streamID: 5, substreamID: 2, address: 0x1_2000, log2Pages: 1),
      (0x0000_0005_0000_2802, 0x1_2001)),
    Case(
      .cfgiSTE(streamID: 5, leaf: true), (0x0000_0005_0000_0003, 1), [.stream, .context]),
    Case(.cfgiSTE(streamID: 4, leaf: true), (0x0000_0004_0000_0003, 1)),
    Case(
      .cfgiSTERange(streamID: 4, range: 0), (0x0000_0004_0000_0004, 0), [.stream, .context]),
    Case(.cfgiSTERange(streamID: 2, range: 0), (0x0000_0002_0000_0004, 0)),
    Case(.cfgiAll, (0x0000_0000_0000_0004, 31), [.stream, .context]),
    Case(
      .cfgiCD(streamID: 5, substreamID: 0, leaf: true), (0x0000_0005_0000_0005, 1), .context),
    Case(.cfgiCD(streamID: 5, substreamID: 1, leaf: true), (0x0000_0005_0000_1005, 1)),
    Case(.cfgiCDAll(streamID: 5), (0x0000_0005_0000_0006, 0), .context),
    Case(.tlbiNHAll(vmid: 7), (0x0000_0007_0000_0010, 0), [.combined, .tables]),
    Case(.tlbiNHAll(vmid: 8), (0x0000_0008_0000_0010, 0)),
    Case(.tlbiNHASID(vmid: 7, asid: 3), (0x0003_0007_0000_0011, 0), [.combined, .tables]),
    Case(.tlbiNHASID(vmid: 7, asid: 4), (0x0004_0007_0000_0011, 0)),
    Case(
      .tlbiNHVA(vmid: 7, asid: 3, TLBIRange(0x1_2000)), (0x0003_0007_0000_0012, 0x1_2000),
      [.combined, .tables]),
    Case(
      .tlbiNHVA(vmid: 7, asid: 3, TLBIRange(0x1_2000, leaf: true)),
      (0x0003_0007_0000_0012, 0x1_2001), .combined),
    Case(
      .tlbiNHVA(vmid: 7, asid: 3, TLBIRange(0x1_2000, leaf: true, tg: 1, ttl: 3)),
      (0x0003_0007_0000_0012, 0x1_2701), .combined),
    Case(
      .tlbiNHVA(vmid: 7, asid: 3, TLBIRange(0x1_2000, leaf: true, tg: 1, ttl: 2)),
      (0x0003_0007_0000_0012, 0x1_2601)),
    Case(
      .tlbiNHVA(vmid: 7, asid: 3, TLBIRange(0x1_0000, leaf: true, tg: 1, num: 2)),
      (0x0003_0007_0000_2012, 0x1_0401), .combined),
    Case(
      .tlbiNHVA(vmid: 7, asid: 3, TLBIRange(0x1_0000, leaf: true, tg: 1, num: 1)),
      (0x0003_0007_0000_1012, 0x1_0401)),
    Case(
      .tlbiNHVA(vmid: 7, asid: 3, TLBIRange(0, leaf: true, tg: 1, scale: 5)),
      (0x0003_0007_0050_0012, 0x401), .combined),
    Case(
      .tlbiNHVA(vmid: 7, asid: 3, TLBIRange(0x1_0000, leaf: true, tg: 3, num: 1)),
      (0x0003_0007_0000_1012, 0x1_0C01)),
    Case(
      .tlbiNHVAA(vmid: 7, TLBIRange(0x1_2000, leaf: true)), (0x0000_0007_0000_0013, 0x1_2001),
      .combined),
    Case(.tlbiEL2All, (0x20, 0)),
    Case(.tlbiEL2ASID(asid: 3), (0x0003_0000_0000_0021, 0)),
    Case(.tlbiEL2VA(asid: 3, TLBIRange(0x1_2000)), (0x0003_0000_0000_0022, 0x1_2000)),
    Case(.tlbiEL2VAA(TLBIRange(0x1_2000)), (0x23, 0x1_2000)),
    Case(
      .tlbiS12VMAll(vmid: 7), (0x0000_0007_0000_0028, 0), [.combined, .tables, .stage2]),
    // Entries combined from both stages stay (§4.4.3.1).
    Case(.tlbiS2IPA(vmid: 7, TLBIRange(0x60_0000)), (0x0000_0007_0000_002A, 0x60_0000)),
    Case(.tlbiNSNHAll, (0x30, 0), [.combined, .tables, .stage2]),
    Case(
      .atcInvalidate(streamID: 5, substreamID: nil, global: true, address: 0, log2Pages: 52),
      (0x0000_0005_0000_0240, 52)),
    Case(
      .priResponse(streamID: 5, substreamID: 1, group: 3, response: .success),
      (0x0000_0005_0000_1841, 0x2003)),
    Case(.resume(streamID: 5, stag: 9, response: .retry), (0x0000_0005_0000_1044, 9)),
    Case(.stallTerminate(streamID: 5), (0x0000_0005_0000_0045, 0)),
    Case(
      .sync(CommandSync(.interrupt, shareability: 3, attributes: 1, data: 6, address: 0x1000)),
      (0x0000_0006_01C0_1046, 0x1000)),
  ]

  @Test(arguments: cases)
  func aCommandForgetsWhatItNames(_ expected: Case) throws {
    #expect(expected.command.dwords == expected.words)
    #expect(try SMMUCommand(expected.words.0, expected.words.1) == expected.command)

    var machine = RawMachine(.of(3), .of(3)) {
      $0.walkCacheEntries = 0
      $0.stage1TableCacheEntries = 64
    }
    _ = machine.access()
    machine.core.command(expected.words.0, expected.words.1)
    #expect(machine.core.refusals.total == 0)
    let before = machine.core.cacheCounters
    #expect(machine.access().translation.fault == 0)
    let now = machine.core.cacheCounters
    var forgotten: Forgotten = []
    if now.streamMisses != before.streamMisses { forgotten.insert(.stream) }
    if now.contextMisses != before.contextMisses { forgotten.insert(.context) }
    if now.tlb.misses != before.tlb.misses { forgotten.insert(.combined) }
    if now.stage1Tables.misses != before.stage1Tables.misses { forgotten.insert(.tables) }
    if now.stage2TLB.misses != before.stage2TLB.misses { forgotten.insert(.stage2) }
    #expect(forgotten == expected.forgotten)
  }

  /// Every opcode, and the reserved fields that make a command illegal: both refuse the same.
  @Test func bothRefuseTheSameWords() {
    var machine = RawMachine(.of(3), .of(3))
    var reference = SMMU()
    var refused = 0
    for opcode in 0..<256 as Range<UInt64> {
      for (dword0, dword1) in [
        (0, 0), (0x400, 0), (0x3000, 0), (0, 0x3000), (0, 0x401), (0x1000, 0x401), (0, 53),
        (0, 0x901), (0x800, 0x901),
      ] as [(UInt64, UInt64)] {
        let before = machine.core.refusals.illegalCommand
        machine.core.command(opcode | dword0, dword1)
        var isIllegal = false
        do throws(SMMUCommandError) {
          try reference.command(opcode | dword0, dword1)
        } catch {
          isIllegal = true
          refused += 1
        }
        #expect(
          (machine.core.refusals.illegalCommand != before) == isIllegal,
          "opcode \(opcode), \(dword0), \(dword1)")
      }
    }
    #expect(refused > 2000)
  }
}
