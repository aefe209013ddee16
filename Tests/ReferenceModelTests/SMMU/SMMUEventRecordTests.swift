import EventModel
import ReferenceModel
import Testing

@Suite struct SMMUEventRecordTests {
  /// Every number, with the doublewords that IHI 0070, §7.3 draws for it.
  static let golden: [(SMMUEventRecord, [UInt64])] = {
    func make(
      _ number: SMMUEventRecord.Number, _ dwords: [UInt64],
      _ change: (inout SMMUEventRecord) -> Void = { _ in }
    ) -> (SMMUEventRecord, [UInt64]) {
      var record = SMMUEventRecord(number, streamID: 0x108, substreamID: 0x12345)
      change(&record)
      return (record, dwords)
    }
    let head: UInt64 = 0x0000_0108_1234_5800
    let noValid: UInt64 = 0x0000_0108_1234_5000
    return [
      make(.unsupportedTransaction, [head | 0x01, 8 << 32, 0xFFFF_F040, 0]) {
        $0.read = true
        $0.inputAddress = 0xFFFF_F040
      },
      make(.badStreamID, [head | 0x02, 0, 0, 0]),
      make(.steFetch, [head | 0x03, 0, 0, 0xB9AC_0200]) { $0.address = 0xB9AC_0200 },
      make(.badSTE, [head | 0x04, 0, 0, 0]),
      make(.badATSRequest, [head | 0x05, 8 << 32, 0x1000, 0]) {
        $0.read = true
        $0.inputAddress = 0x1000
      },
      make(.streamDisabled, [head | 0x06, 0, 0, 0]),
      make(.translationForbidden, [head | 0x07, 0, 0x1000, 0]) { $0.inputAddress = 0x1000 },
      make(.badSubstreamID, [noValid | 0x08, 0, 0, 0]),
      make(.cdFetch, [head | 0x09, 0, 0, 0x434F_D000]) { $0.address = 0x434F_D000 },
      make(.badCD, [head | 0x0A, 0, 0, 0]),
      make(.walkExternalAbort, [head | 0x0B, 0x0000_0180_0000_0000, 0xFFFF_F040, 0x4D6F_5FF8]) {
        $0.stage2 = true
        $0.faultClass = .descriptor
        $0.inputAddress = 0xFFFF_F040
        $0.address = 0x4D6F_5FF8
      },
      make(.translation, [head | 0x10, 0x0000_0288_0000_0000, 0xFFFF_F040, 0x0809_0000]) {
        $0.read = true
        $0.stage2 = true
        $0.faultClass = .inputAddress
        $0.inputAddress = 0xFFFF_F040
        $0.address = 0x0809_0000
      },
      // The IPA belongs to stage 2 only.
      make(.addressSize, [head | 0x11, 0x0000_0200_0000_0000, 0x1234, 0]) {
        $0.faultClass = .inputAddress
        $0.inputAddress = 0x1234
      },
      // Stalled, privileged, an instruction fetch.
      make(.access, [head | 0x12, 0x0000_020E_8000_BEEF, 0x1234, 0]) {
        $0.stall = true
        $0.stag = 0xBEEF
        $0.privileged = true
        $0.instruction = true
        $0.read = true
        $0.faultClass = .inputAddress
        $0.inputAddress = 0x1234
      },
      make(.permission, [head | 0x13, 0x0000_1180_0000_0000, 0x1234, 0x1200_0000]) {
        $0.stage2 = true
        $0.faultClass = .descriptor
        $0.descriptorRead = true
        $0.inputAddress = 0x1234
        $0.address = 0x1200_0000
      },
      make(.tlbConflict, [head | 0x20, 0x0000_0200_0000_0000, 0x1234, 0]) {
        $0.faultClass = .inputAddress
        $0.inputAddress = 0x1234
      },
      make(.configurationConflict, [head | 0x21, 0, 0, 0]),
      make(.pageRequest, [head | 0x24, 0, 0x5000, 0]) { $0.inputAddress = 0x5000 },
    ]
  }()

  @Test func everyNumberHasAGoldenRecord() {
    #expect(
      Set(Self.golden.map(\.0.number)) == Set(SMMUEventRecord.Number.allCases))
    #expect(Set(SMMUEventRecord.Number.allCases.map(\.name)).count == 18)
  }

  @Test(arguments: golden)
  func recordHasTheBitsOfTheSpecification(record: SMMUEventRecord, dwords: [UInt64]) {
    #expect(record.dwords == dwords)
    #expect(SMMUEventRecord(dwords) == record)
  }

  @Test func aRecordWithoutSubstreamHasNoSSV() {
    let record = SMMUEventRecord(.badSTE, streamID: 8)
    #expect(record.dwords == [0x0000_0008_0000_0004, 0, 0, 0])
    #expect(SMMUEventRecord(record.dwords) == record)
  }

  @Test func unknownNumbersAndClassesAreNoRecords() {
    #expect(SMMUEventRecord([0x0C, 0, 0, 0]) == nil)
    #expect(SMMUEventRecord([0x10, 3 << 40, 0, 0]) == nil)
  }
}
