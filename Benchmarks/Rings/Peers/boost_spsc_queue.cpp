// Boost.Lockfree's spsc_queue with its capacity fixed at compile time, its faster form. It keeps
// one slot free.
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>

#include "numbers.h"

static boost::lockfree::spsc_queue<uint64_t, boost::lockfree::capacity<RING_SLOTS - 1>> ring;

static inline int peer_push(uint64_t number) { return ring.push(number); }

static inline int peer_pop(uint64_t *number) { return ring.pop(*number); }

#define PEER_HAS_BATCHES

static inline size_t peer_push_batch(uint64_t first, size_t count) {
  uint64_t numbers[MAXIMUM_BATCH];
  fill_numbers(numbers, first, count);
  return ring.push(numbers, count);
}

static inline size_t peer_pop_batch(size_t count, uint64_t *sum, uint64_t expected) {
  uint64_t numbers[MAXIMUM_BATCH];
  size_t popped = ring.pop(numbers, count);
  check_numbers(numbers, expected, popped, sum);
  return popped;
}

static void peer_init(void) {}

#include "one_to_one.h"
