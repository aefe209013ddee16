import ReferenceModel
import Testing

@Suite struct MSIXFunctionTests {
  private let message = MSIXMessage(address: 0xFFFF_F040, data: 3)

  private func programmed() -> MSIXFunction {
    var function = MSIXFunction(vectorCount: 4)
    function.control(enabled: true, masked: false)
    function.write(offset: 16, value: 0xFFFF_F040, sizeBytes: 4)
    function.write(offset: 20, value: 0, sizeBytes: 4)
    function.write(offset: 24, value: 3, sizeBytes: 4)
    function.write(offset: 28, value: 0, sizeBytes: 4)
    return function
  }

  @Test func afterResetEveryVectorIsMaskedAndMSIXIsOff() {
    var function = MSIXFunction(vectorCount: 4)
    #expect(function.entries.map(\.isMasked) == [true, true, true, true])
    #expect(function.raise(0) == .disabled && function.pendingBitArray(0) == 0)
    function.control(enabled: true, masked: false)
    #expect(function.raise(0) == .pending && function.pendingBitArray(0) == 1)
    #expect(function.raise(4) == .noSuchVector && function.raise(-1) == .noSuchVector)
  }

  @Test func aProgrammedVectorSendsItsMessage() {
    var function = programmed()
    #expect(function.raise(1) == .message(message))
    #expect(function.pendingBitArray(0) == 0)
  }

  @Test func quadwordsWriteTwoFieldsAtOnce() {
    var function = MSIXFunction(vectorCount: 4)
    function.control(enabled: true, masked: false)
    function.write(offset: 16, value: 0x12_FFFF_F040, sizeBytes: 8)
    #expect(function.raise(1) == .pending)
    let sent = function.write(offset: 24, value: 7, sizeBytes: 8)
    #expect(sent == [MSIXMessage(address: 0x12_FFFF_F040, data: 7)], "data and unmask together")
  }

  /// The four masks of function and vector: pending while any is set, sent when the last goes.
  @Test(arguments: [false, true], [false, true])
  func maskedVectorsWaitInThePendingBitArray(_ vectorMask: Bool, _ functionMask: Bool) {
    var function = programmed()
    function.write(offset: 28, value: vectorMask ? 1 : 0, sizeBytes: 4)
    function.control(enabled: true, masked: functionMask)
    let masked = vectorMask || functionMask
    #expect(function.raise(1) == (masked ? .pending : .message(message)))
    #expect(function.raise(1) == (masked ? .pending : .message(message)))
    #expect(function.pendingBitArray(0) == (masked ? 2 : 0))
    let first = function.write(offset: 28, value: 0, sizeBytes: 4)
    #expect(first == (vectorMask && !functionMask ? [message] : []))
    let second = function.control(enabled: true, masked: false)
    #expect(second == (functionMask ? [message] : []))
    #expect(function.pendingBitArray(0) == 0)
  }

  @Test func theMessageIsTheOneOfTheTimeOfUnmasking() {
    var function = programmed()
    function.write(offset: 28, value: 1, sizeBytes: 4)
    #expect(function.raise(1) == .pending)
    function.write(offset: 24, value: 9, sizeBytes: 4)
    let sent = function.write(offset: 28, value: 0, sizeBytes: 4)
    #expect(sent.map(\.data) == [9])
  }

  @Test func disablingMSIXKeepsThePendingBitButSendsNothing() {
    var function = programmed()
    function.control(enabled: true, masked: true)
    #expect(function.raise(1) == .pending)
    #expect(function.control(enabled: false, masked: false).isEmpty)
    #expect(function.control(enabled: true, masked: false) == [message])
  }

  @Test func severalPendingVectorsGoInOrder() {
    var function = MSIXFunction(vectorCount: 130)
    function.control(enabled: true, masked: true)
    for vector in [UInt32(129), 64, 0] {
      function.write(offset: vector * 16 + 8, value: UInt64(vector), sizeBytes: 8)
      #expect(function.raise(Int(vector)) == .pending)
    }
    #expect(function.pendingBitArray(0) == 1 && function.pendingBitArray(1) == 1)
    #expect(function.pendingBitArray(2) == 2 && function.pendingBitArray(3) == 0)
    #expect(function.control(enabled: true, masked: false).map(\.data) == [0, 64, 129])
  }

  @Test(
    arguments: [
      (16, 1), (16, 2), (18, 4), (20, 8), (12, 8), (64, 4), (0xFFFF_FFF8, 8), (16, 0),
    ] as [(UInt32, UInt32)])
  func otherWritesAreUndefinedAndIgnored(_ offset: UInt32, _ sizeBytes: UInt32) {
    var function = programmed()
    let before = function.entries
    #expect(function.write(offset: offset, value: UInt64.max, sizeBytes: sizeBytes).isEmpty)
    #expect(function.entries == before && function.undefinedWrites == 1)
  }

  @Test func addressBitsOneAndZeroAreZeroAndReservedControlBitsStay() {
    var function = MSIXFunction(vectorCount: 1)
    function.write(offset: 0, value: 0xFFFF_F043, sizeBytes: 4)
    function.write(offset: 12, value: 0xABCD_0001, sizeBytes: 4)
    #expect(function.entries[0].address == 0xFFFF_F040)
    #expect(function.entries[0][12] == 0xABCD_0001 && function.entries[0].isMasked)
    #expect(function.entries[0][0] == 0xFFFF_F040 && function.entries[0][4] == 0)
  }

  @Test func theTableHasAtMost2048Vectors() {
    #expect(MSIXFunction(vectorCount: 5000).entries.count == 2048)
    #expect(MSIXFunction(vectorCount: 0).entries.count == 1)
  }
}
