import Testing

@testable import Live

@Suite struct DeliveryAccountTests {
  /// Every small world: whatever the guest may have counted, the account is conserved or refused.
  @Test func everySmallWorldIsConservedOrRefused() throws {
    for offered in UInt64(0)...6 {
      for delivered in UInt64(0)...7 {
        for covered in UInt64(0)...7 {
          let isPossible = covered <= offered && delivered <= covered
          do {
            let account = try DeliveryAccount(
              offered: offered, delivered: delivered, covered: covered, masked: 3)
            #expect(isPossible)
            #expect(account.isConserved)
            #expect(account.offered == offered + 3 && account.masked == 3)
            #expect(account.lost == offered - covered)
            #expect(account.coalesced == covered - delivered)
          } catch {
            #expect(!isPossible, "\(offered) offered, \(delivered) delivered, \(covered) covered")
          }
        }
      }
    }
  }

}
