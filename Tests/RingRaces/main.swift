// The contention program of the ring's tests as a program of its own, to be built with
// ThreadSanitizer, which then checks each pair of accesses to a slot for an ordering between them:
//
//   swift run -c release --sanitize=thread --scratch-path .build-tsan RingRaces
//
// In a debug build it finds nothing: there the slots are reached through unspecialised code that
// is not instrumented. With any one of the ring's four acquire and release orderings relaxed, the
// release build reports races. They go to stderr with exit code 66 (the sanitizer's default); a
// wrong order exits with 1.
import Foundation

let count: UInt64 = 40_000
for capacity in [1, 2, 3, 8, 31, 64, 1000] {
  let arrived = Contention.arrivals(of: count, capacity: capacity, seed: UInt64(capacity))
  guard arrived == count else {
    print("capacity \(capacity): record \(arrived) of \(count) is wrong or missing")
    exit(1)
  }
}
for round in 0..<200 as Range<UInt64> {
  let sent = round % 7
  let arrived = Contention.arrivals(of: sent, capacity: 4, seed: round)
  guard arrived == sent else {
    print("round \(round): the end came after \(arrived) of \(sent) records")
    exit(1)
  }
}
print("7 capacities × \(count) records and 200 early ends: in order")
