// Throughput of the ring between two threads. Prints nanoseconds per item, one line per round:
//
//   RingBenchmark <items> <batch> <rounds> [8 | 48]
//
// The last number is the size of an item in bytes. `../run` compares it with other rings, whose
// programs take the same arguments.
import CRingPinning
import EventModel
import Glibc

let numbers = CommandLine.arguments.dropFirst().map { Int($0) ?? 0 }
guard (3...4).contains(numbers.count), numbers.allSatisfy({ $0 > 0 }) else {
  print("usage: RingBenchmark <items> <batch> <rounds> [8 | 48]")
  exit(64)
}
let (items, batch, rounds) = (UInt64(numbers[0]), numbers[1], numbers[2])
let capacity = 1024

_ = CRingPinning_init()
CRingPinning_pin(1)
for _ in 0..<rounds {
  let nanosecondsPerItem =
    numbers.last == 48 && numbers.count == 4
    ? OneToOne<TraceEvent>(items: items, capacity: capacity, batch: batch).measure()
    : OneToOne<UInt64>(items: items, capacity: capacity, batch: batch).measure()
  guard let nanosecondsPerItem else {
    print("an item was lost, repeated or reordered")
    exit(1)
  }
  print(nanosecondsPerItem)
}
