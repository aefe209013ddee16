import EventModel
import Testing

@testable import TraceImport

/// One line of each command, and the words that the specifications give for it: IHI 0069 §5.3 and
/// IHI 0070 §4, written out by hand.
@Suite struct CommandTests {
  @Test func everyITSCommandHasTheWordsOfTheSpecification() throws {
    let imported = try Imported(Golden.bytes("commands.log"))
    let valid: UInt64 = 1 << 63
    let expected: [[UInt64]] = [
      [0x100_0000_0008, 2, valid | 0x4D65_1E00, 0],
      [0x09, 0, valid | 2 << 16 | 3, 0],
      [0x100_0000_000A, 0x2003_0000_0001, 3, 0],
      [0x100_0000_000B, 0x2004, 3, 0],
      [0x100_0000_0001, 1, 1, 0],
      [0x0E, 0, 1 << 16, 2 << 16],
      [0x100_0000_000C, 1, 0, 0],
      [0x0D, 0, 0, 0],
      [0x100_0000_0003, 1, 0, 0],
      [0xFFFF_0000_0004, 1, 0, 0],
      [0x100_0000_000F, 1, 0, 0],
      [0x05, 0, 0, 0],
      [0x29, 1 << 32, valid | 1 << 16, 0x4A30_000F],
      [0x18_0000_002A, 1 << 32, 0x2001_0000_2006, 0],
      [0x18_0000_002B, 1 << 32 | 0x2007, 0x3FF_0000_0000, 0],
      [0x18_0000_0021, 1 << 32, 0x2001_0000_0001, 0],
      [0x22, 1 << 32, 3 << 16, 0],
      [0x25, 0, 0, 0],
      [0x2D, 1 << 32, 0, 0],
    ]
    let commands = imported.events(.itsCommand).map { [$0.word0, $0.word1, $0.word2, $0.word3] }
    #expect(commands == expected)
    #expect(imported.events(.itsRegisterWrite).map(\.value) == [0x260, 0x280])
    #expect(imported.report.geometry.vPECount == 2)
  }

  @Test func aFetchedCommandWithoutItsOwnLineIsNotUnderstood() throws {
    let imported = try Imported(Golden.bytes("commands.log"))
    let fetched = try #require(imported.tally("gicv3_its_process_command"))
    #expect(fetched.used == 19)
    #expect(fetched.notUnderstood == 1)
    #expect(fetched.firstNotUnderstoodLine == 40)
  }

  @Test func theFetchedOpcodeDecidesBetweenTheTwoMappings() {
    #expect(ITSCommandOpcode.vmapti.resolved(fetched: 0x2B) == .vmapi)
    #expect(ITSCommandOpcode.mapti.resolved(fetched: 0x0B) == .mapi)
    #expect(ITSCommandOpcode.mapti.resolved(fetched: nil) == .mapti)
    #expect(ITSCommandOpcode.inv.resolved(fetched: 0x2A) == .inv)
  }

  @Test func everySMMUCommandHasTheWordsOfTheSpecification() throws {
    let imported = try Imported(Golden.bytes("commands.log"))
    let expected: [[UInt64]] = [
      [0x04, 31],
      [0x30, 0],
      [0x100_0000_0003, 0],
      [0x100_0000_0005, 0],
      [0x8_0000_0006, 0],
      [5 << 48 | 0x11, 0],
      // 0x18000 pages from 0x10000000: NUM 2, SCALE 15, in two lines of the log.
      [3 << 48 | 15 << 20 | 2 << 12 | 0x12, 0x1000_0000 | 1 | 2 << 8 | 1 << 10],
      [0x13, 0x5000],
      [0x01, 0],
      [0x46, 0],
    ]
    #expect(imported.events(.smmuCommand).map { [$0.word0, $0.word1] } == expected)
    // The second CFGI_STE has no line with a StreamID, and one name is none of the SMMU's.
    let opcodes = try #require(imported.tally("smmuv3_cmdq_opcode"))
    #expect(opcodes.notUnderstood == 2)
    #expect(opcodes.firstNotUnderstoodLine == 60)
  }

  @Test func aRangeThatNoCommandCanHoldIsRefused() {
    var range = RangeInvalidation(
      start: 0x1000, pages: 33, asid: 1, vmid: 0, granuleCode: 1, ttl: 3, isLeaf: true,
      isStage2: false)
    #expect(SMMUOpcode.tlbiNHVA.invalidation(range) == nil)
    for scale in 0..<32 as Range<UInt64> {
      for factor in 1...32 as ClosedRange<UInt64> {
        range.pages = factor << scale
        // 32 × 2^31 is 1 × 2^36, whose scale does not fit the field: five values are lost at the
        // top, as for the hardware's own software.
        guard let words = SMMUOpcode.tlbiNHVA.invalidation(range) else {
          #expect(range.pages.trailingZeroBitCount > 31)
          continue
        }
        let number = words.dword0 >> 12 & 0x1F
        #expect((number + 1) << (words.dword0 >> 20 & 0x1F) == range.pages)
      }
    }
  }
}
