// What the peers send: consecutive numbers, checked on arrival.
#ifndef NUMBERS_H
#define NUMBERS_H

#include <stddef.h>
#include <stdint.h>

enum { MAXIMUM_BATCH = 256 };

/// Collects the bits in which any number differed from the expected one.
static uint64_t misplaced;

static inline void fill_numbers(void *slots, uint64_t first, size_t count) {
  uint64_t *numbers = (uint64_t *)slots;
  for (size_t index = 0; index < count; index++) numbers[index] = first + index;
}

static inline void check_numbers(
    const void *slots, uint64_t expected, size_t count, uint64_t *sum) {
  const uint64_t *numbers = (const uint64_t *)slots;
  for (size_t index = 0; index < count; index++) {
    misplaced |= numbers[index] ^ (expected + index);
    *sum += numbers[index];
  }
}

#endif
