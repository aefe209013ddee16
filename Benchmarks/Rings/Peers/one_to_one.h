// The same topology and the same checks as Swift/OneToOne.swift, for rings in C and C++. A peer
// defines, around its own API, before it includes this file:
//
//   static void peer_init(void);                                a ring with RING_SLOTS slots
//   static inline int peer_push(uint64_t);                      0 when full
//   static inline int peer_pop(uint64_t *);                     0 when empty
//   static inline size_t peer_push_batch(uint64_t first, size_t count);   numbers first, first+1, …
//   static inline size_t peer_pop_batch(size_t count, uint64_t *sum, uint64_t expected);
//                                                     calls check_numbers; how many were taken
//
// The last two only with `#define PEER_HAS_BATCHES`. Program arguments: items, batch, rounds.
#ifndef ONE_TO_ONE_H
#define ONE_TO_ONE_H

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "numbers.h"
#include "CRingPinning.h"

static uint64_t items;
static size_t batch;
static int ready, start;

static inline void spin_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void open_gate(int *gate) { __atomic_store_n(gate, 1, __ATOMIC_RELEASE); }

static void wait_for(int *gate) {
  for (int spins = 0; !__atomic_load_n(gate, __ATOMIC_ACQUIRE);)
    if (spins < 256) spins++, spin_pause();
    else sched_yield();
}

static void *produce(void *unused) {
  (void)unused;
  CRingPinning_pin(0);
  open_gate(&ready);
  wait_for(&start);
  if (batch == 1) {
    for (uint64_t number = 0; number < items; number++)
      while (!peer_push(number)) spin_pause();
    return NULL;
  }
#ifdef PEER_HAS_BATCHES
  for (uint64_t next = 0; next < items;) {
    size_t wanted = items - next < batch ? (size_t)(items - next) : batch, pushed;
    while (!(pushed = peer_push_batch(next, wanted))) spin_pause();
    next += pushed;
  }
#endif
  return NULL;
}

static uint64_t consume(void) {
  uint64_t sum = 0;
  if (batch == 1) {
    for (uint64_t expected = 0, number; expected < items; expected++) {
      while (!peer_pop(&number)) spin_pause();
      misplaced |= number ^ expected;
      sum += number;
    }
    return sum;
  }
#ifdef PEER_HAS_BATCHES
  for (uint64_t expected = 0; expected < items;) {
    size_t popped;
    while (!(popped = peer_pop_batch(batch, &sum, expected))) spin_pause();
    expected += popped;
  }
#endif
  return sum;
}

static uint64_t nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int main(int count, char **arguments) {
  if (count != 4) return 64;
  items = strtoull(arguments[1], NULL, 10);
  batch = strtoull(arguments[2], NULL, 10);
  if (batch < 1 || batch > MAXIMUM_BATCH) return 64;
  int rounds = atoi(arguments[3]);
#ifndef PEER_HAS_BATCHES
  if (batch != 1) return 64;
#endif
  CRingPinning_init();
  CRingPinning_pin(1);
  peer_init();
  for (int round = 0; round < rounds; round++) {
    pthread_t thread;
    ready = start = 0;
    if (pthread_create(&thread, NULL, produce, NULL)) return 3;
    wait_for(&ready);
    uint64_t begin = nanoseconds();
    open_gate(&start);
    uint64_t sum = consume();
    uint64_t elapsed = nanoseconds() - begin;
    pthread_join(thread, NULL);
    if (misplaced || sum != items * (items - 1) / 2) {
      puts("an item was lost, repeated or reordered");
      return 1;
    }
    printf("%f\n", (double)elapsed / (double)items);
  }
  return 0;
}

#endif
