// A bounded ring between exactly two threads.
//
// What it is: a fixed number of slots, one producer, one consumer, first in first out. Both sides
// are wait-free: an operation either succeeds or says "full" or "empty" at once; to wait, a caller
// names a `WaitStrategy`. Elements are plain bits (`BitwiseCopyable`), moved one by one or, without
// a copy, in batches that the producer writes into the slots and the consumer reads out of them.
//
// What it is not: a queue for several producers or several consumers, growable, or a store for
// class references. It never allocates after `init` and never blocks in the kernel by itself.
//
//   let ring = SPSCRing<UInt64>(capacity: 1024)
//   var producer = ring.producer          // moves the two ends out; `ring` is gone
//   var consumer = ring.consumer
//   producer.tryPush(7)                   // true
//   consumer.tryPop()                     // 7
//
// Across threads, each end moves into a `HandOff` and is taken out by the one thread that uses it:
//
//   let handOff = HandOff(producer)       // captured by the producer's thread
//   var producer = handOff.take()         // there, as a local variable
//
// Invariants, in sequences (the number of elements since the start, which never wraps):
//   released ≤ published ≤ released + capacity
//   the elements [released, published) belong to the consumer, all other slots to the producer
//
// Thread rules: the ends are `~Copyable`, so one thread at a time owns each of them, and there is
// no way to make a second one: a second producer or consumer does not compile. Ends may move
// between threads. Give the end to the function with the loop as a `consuming` parameter, or keep
// it in a local variable there: its private counters then live in registers, and the two ends
// cannot share a cache line. Passed as `inout` the counters stay in memory, about twice the cost
// one by one.
//
// Memory, one allocation aligned to 128 bytes, because x86 cores fetch 64-byte lines in adjacent
// pairs and some arm64 cores have 128-byte lines:
//
//   0     published sequence, closed flag       written by the producer only
//   128   released sequence, abandoned flag     written by the consumer only
//   256   slots, a power of two of them         padded to a multiple of 128
//
// Each end also remembers the last value that it saw of the other's sequence and reads the shared
// one again only when the remembered one does not suffice. In a half-full ring a push then touches
// no line that the consumer writes.

/// A ring that has not yet been given to its two threads. Move `producer` and `consumer` out of it.
@frozen @usableFromInline package struct SPSCRing<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline package var producer: RingProducer<Element>
  @usableFromInline package var consumer: RingConsumer<Element>

  /// The largest capacity that `init` accepts.
  package static var maximumCapacity: Int { 1 << 24 }

  /// Allocates a ring that holds exactly `capacity` elements, and zeroes its slots, so that no page
  /// fault is left for the first lap.
  ///
  /// Any capacity from 1 to `maximumCapacity` is exact: a ring of 5 is full with 5 elements. Slots
  /// are rounded up to a power of two (8 here), which costs memory, not meaning. Other capacities
  /// trap.
  @usableFromInline package init(capacity: Int) {
    let storage = RingStorage<Element>(capacity: capacity)
    producer = RingProducer(storage)
    consumer = RingConsumer(storage)
  }
}
