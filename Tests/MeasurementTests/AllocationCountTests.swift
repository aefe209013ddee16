import Measurement
import Testing

@Suite struct AllocationCountTests {
  /// One thread's allocations, and no other's. No macro between the readings: it allocates.
  @Test func everyAllocationOfTheThreadIsCounted() {
    let counter = AllocationCount()
    guard let before = counter.count else { return }
    for size in 1...64 {
      // Safety: given back at once, and not read.
      unsafe UnsafeMutableRawPointer.allocate(byteCount: size * 8, alignment: 8).deallocate()
    }
    let after = counter.count
    #expect(before == 0 && after == 64)
  }

  @Test func largeAlignmentsAreCountedAndKept() {
    let counter = AllocationCount()
    guard counter.count != nil else { return }
    let block = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 4_096)
    let found = counter.count
    let isAligned = UInt(bitPattern: block) % 4_096 == 0
    unsafe block.deallocate()
    #expect(found == 1 && isAligned)
  }
}
