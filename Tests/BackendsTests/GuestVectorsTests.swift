import EventModel
import Testing

@testable import Backends

@Suite struct GuestVectorsTests {
  private func acquire(
    _ vectors: inout GuestVectors, _ intid: UInt32, _ target: InterruptTarget, isEnabled: Bool
  ) throws -> GuestVectors.Place {
    let place = vectors.acquire(intid, target, isEnabled: isEnabled)
    return try #require(place)
  }

  @Test func vectorsAreGivenInOrderAndReusedWhenTheLastEventGoes() throws {
    var vectors = GuestVectors(intidBits: 16)
    let first = try acquire(&vectors, 8192, .pe(7), isEnabled: true)
    let second = try acquire(&vectors, 8193, .pe(7), isEnabled: true)
    let other = try acquire(&vectors, 8194, .pe(2), isEnabled: false)
    let again = vectors.acquire(8192, .pe(7), isEnabled: true)
    #expect(first == .init(vcpu: 0, vector: 0x20) && again == first)
    #expect(second == .init(vcpu: 0, vector: 0x21) && other == .init(vcpu: 1, vector: 0x20))
    let isFreeAfterOne = vectors.release(first)
    let isFreeAfterTwo = vectors.release(first)
    #expect(!isFreeAfterOne && isFreeAfterTwo)
    #expect(vectors.place(8192, .pe(7)) == nil)
    let reused = vectors.acquire(9000, .pe(7), isEnabled: true)
    #expect(reused == first)
    let interrupt = vectors.interrupt(vcpu: 0, vector: 0x20)
    #expect(interrupt.intid == 9000 && interrupt.target == .pe(7) && interrupt.isEnabled)
  }

  @Test func aVCPUHas223VectorsAndTheNextIsCounted() {
    var vectors = GuestVectors(intidBits: 16)
    for intid in UInt32(8192)..<8192 + 223 {
      let place = vectors.acquire(intid, .pe(0), isEnabled: true)
      #expect(place?.vector == UInt8(0x20 + intid - 8192))
    }
    let refused = vectors.acquire(8192 + 223, .pe(0), isEnabled: true)
    #expect(refused == nil && vectors.shortages == 1)
  }

  @Test func theSameINTIDOfAPEAndAVPEAreTwoInterrupts() throws {
    var vectors = GuestVectors(intidBits: 16)
    let pe = try acquire(&vectors, 8192, .pe(0), isEnabled: true)
    let vpe = try acquire(&vectors, 8192, .vpe(0), isEnabled: true)
    #expect(pe != vpe)
    #expect(vectors.place(8192, .pe(0)) == pe && vectors.place(8192, .vpe(0)) == vpe)
  }
}
