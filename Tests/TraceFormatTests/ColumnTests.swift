import TestSupport
import Testing

@testable import TraceFormat

@Suite struct ColumnTests {
  private func roundTrip(_ values: [UInt64], _ codec: TraceCodec) throws -> [UInt64] {
    var encoder = ColumnEncoder(codec: codec, level: 1)
    var bytes: [UInt8] = []
    encoder.append(values, column: 0, to: &bytes)
    bytes += [UInt8](repeating: 0xEE, count: 8)
    return try bytes.cursor { (cursor) throws(TraceError) in
      var decoded = [UInt64](repeating: 1, count: values.count)
      var failure: TraceError?
      // Safety: the array has room for as many values as the column.
      unsafe decoded.withUnsafeMutableBufferPointer { buffer in
        do throws(TraceError) {
          guard let base = buffer.baseAddress else { return }
          unsafe try decodeColumn(&cursor, count: values.count, into: base, subject: "test")
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
      #expect(cursor.remaining == 8)
      return decoded
    }
  }

  @Test(arguments: TraceCodec.allCases)
  func valuesOfEveryWidthAndShapeComeBack(codec: TraceCodec) throws {
    var random = SeededGenerator(seed: 7)
    for bits in 1...64 {
      let mask: UInt64 = bits == 64 ? .max : 1 << UInt64(bits) - 1
      for count in [1, 2, 7, 8, 9, 65] {
        let noise = (0..<count).map { _ in random.next() & mask }
        let steps = (0..<count).map { UInt64($0) &* (mask / 3) }
        let few = noise.map { $0 & 1 == 0 ? 5 & mask : mask }
        let runs = (0..<count).map { UInt64($0 / 9) &* 0x1_0000_0001 & mask }
        for values in [noise, steps, few, runs] {
          #expect(try roundTrip(values, codec) == values)
        }
      }
    }
  }

  @Test func aConstantColumnIsItsHeaderAlone() {
    var encoder = ColumnEncoder(codec: .none, level: 1)
    var bytes: [UInt8] = []
    encoder.append([UInt64](repeating: 0xABCD, count: 60_000), column: 0, to: &bytes)
    #expect(bytes.count == ColumnHeader.sizeBytes)
  }

  private func codingChosen(_ value: (UInt64) -> UInt64) -> ColumnCoding? {
    var encoder = ColumnEncoder(codec: .none, level: 1)
    var bytes: [UInt8] = []
    encoder.append((0..<4096).map(value), column: 0, to: &bytes)
    return ColumnCoding(rawValue: bytes[0])
  }

  @Test func theSmallestCodingIsChosen() {
    let large: UInt64 = 0x1234_5678_9ABC
    #expect(codingChosen { _ in large } == .constant)
    #expect(codingChosen { $0 * 7919 % 32 } == .packed)
    #expect(codingChosen { $0 * 7919 % 256 } == .plain)
    #expect(codingChosen { $0 * 7919 % 3 * large } == .dictionary)
    #expect(codingChosen { $0 / 512 * large } == .runs)
  }

  @Test func zigzagIsReversibleAtTheEnds() {
    for value: UInt64 in [0, 1, .max, .max - 1, 1 << 63, 1 << 63 - 1] {
      #expect(unzigzag(zigzag(value)) == value)
    }
    #expect(zigzag(.max) == 1)
  }
}
