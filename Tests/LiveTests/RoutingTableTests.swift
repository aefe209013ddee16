import Testing

@testable import Live

/// The bytes of KVM_SET_GSI_ROUTING, by its documentation.
@Suite struct RoutingTableTests {
  private func words(_ table: borrowing RoutingTable) -> [UInt32] {
    let bytes = table.bytes
    return stride(from: 0, to: bytes.count, by: 4).map { offset in
      (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
    }
  }

  @Test func aRouteIsAMessageByItsGSI() {
    var table = RoutingTable(capacity: 2)
    table.set(.init(address: 0x1_FEE0_1000, data: 0x41), gsi: 30, at: 0)
    #expect(words(table) == [1, 0, 30, 2, 0, 0, 0xFEE0_1000, 1, 0x41, 0, 0, 0, 0, 0])
  }

  @Test func aDeviceIDIsMarkedAsValid() {
    var table = RoutingTable(capacity: 1)
    table.set(.init(address: 0x808_0040, data: 5, deviceID: 0x18), gsi: 96, at: 0)
    #expect(words(table) == [1, 0, 96, 2, 1, 0, 0x808_0040, 0, 5, 0x18, 0, 0, 0, 0])
  }

  @Test func routesAreReplacedInPlaceAndCounted() {
    var table = RoutingTable(capacity: 3)
    for index in 0..<3 {
      table.set(
        .init(address: 0xFEE0_0000, data: UInt32(index)), gsi: UInt32(24 + index), at: index)
    }
    table.set(.init(address: 0xFEE0_0000, data: 9), gsi: 25, at: 1)
    #expect(table.count == 3)
    let words = words(table)
    #expect(words.count == 2 + 3 * 12)
    #expect([8, 20, 32].map { words[$0] } == [0, 9, 2])
  }

  @Test func anEmptyTableIsItsHeader() {
    #expect(RoutingTable(capacity: 1).bytes == [UInt8](repeating: 0, count: 8))
  }
}
