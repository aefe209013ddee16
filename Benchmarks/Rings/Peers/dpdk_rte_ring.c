// DPDK's rte_ring in single-producer, single-consumer mode, on memory of our own: no EAL, no huge
// pages. Batches are bursts that copy, or with ZERO_COPY bursts that are written and read in place.
#include <rte_ring.h>
#include <rte_ring_peek_zc.h>
#include <stdint.h>
#include <stdlib.h>

#include "numbers.h"

static struct rte_ring *ring;

static inline int peer_push(uint64_t number) {
  return rte_ring_sp_enqueue_elem(ring, &number, sizeof number) == 0;
}

static inline int peer_pop(uint64_t *number) {
  return rte_ring_sc_dequeue_elem(ring, number, sizeof *number) == 0;
}

#define PEER_HAS_BATCHES

static inline size_t peer_push_batch(uint64_t first, size_t count) {
#ifdef ZERO_COPY
  struct rte_ring_zc_data slots;
  unsigned granted =
      rte_ring_enqueue_zc_burst_elem_start(ring, sizeof(uint64_t), (unsigned)count, &slots, NULL);
  if (granted == 0) return 0;
  fill_numbers(slots.ptr1, first, slots.n1);
  if (granted > slots.n1) fill_numbers(slots.ptr2, first + slots.n1, granted - slots.n1);
  rte_ring_enqueue_zc_elem_finish(ring, granted);
  return granted;
#else
  uint64_t numbers[MAXIMUM_BATCH];
  fill_numbers(numbers, first, count);
  return rte_ring_sp_enqueue_burst_elem(ring, numbers, sizeof *numbers, (unsigned)count, NULL);
#endif
}

static inline size_t peer_pop_batch(size_t count, uint64_t *sum, uint64_t expected) {
#ifdef ZERO_COPY
  struct rte_ring_zc_data slots;
  unsigned granted =
      rte_ring_dequeue_zc_burst_elem_start(ring, sizeof(uint64_t), (unsigned)count, &slots, NULL);
  if (granted == 0) return 0;
  check_numbers(slots.ptr1, expected, slots.n1, sum);
  if (granted > slots.n1)
    check_numbers(slots.ptr2, expected + slots.n1, granted - slots.n1, sum);
  rte_ring_dequeue_zc_elem_finish(ring, granted);
  return granted;
#else
  uint64_t numbers[MAXIMUM_BATCH];
  unsigned popped =
      rte_ring_sc_dequeue_burst_elem(ring, numbers, sizeof *numbers, (unsigned)count, NULL);
  check_numbers(numbers, expected, popped, sum);
  return popped;
#endif
}

static void peer_init(void) {
  ssize_t bytes = rte_ring_get_memsize_elem(sizeof(uint64_t), RING_SLOTS);
  ring = aligned_alloc(128, ((size_t)bytes + 127) / 128 * 128);
  rte_ring_init(ring, "benchmark", RING_SLOTS, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

#include "one_to_one.h"
