// Concurrency Kit's ck_ring, the single-producer, single-consumer pair. It has no batches.
#include <ck_ring.h>
#include <stdint.h>
#include <stdlib.h>

static ck_ring_t ring;
static ck_ring_buffer_t *slots;

static inline int peer_push(uint64_t number) {
  return ck_ring_enqueue_spsc(&ring, slots, (void *)(uintptr_t)number);
}

static inline int peer_pop(uint64_t *number) {
  return ck_ring_dequeue_spsc(&ring, slots, number);
}

static void peer_init(void) {
  slots = aligned_alloc(128, RING_SLOTS * sizeof *slots);
  ck_ring_init(&ring, RING_SLOTS);
}

#include "one_to_one.h"
