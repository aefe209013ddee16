// The counter and the pause of a spin loop, as the Swift side uses them.
#ifndef DOORBELL_CLIVEPEER_TICKS_H
#define DOORBELL_CLIVEPEER_TICKS_H

#include <stdint.h>

#if defined(__x86_64__)
#include <x86intrin.h>
static inline uint64_t ticks(void) { return __rdtsc(); }
static inline uint64_t ticks_ordered(void) {
  _mm_lfence();
  return __rdtsc();
}
static inline void pause_core(void) { _mm_pause(); }
#elif defined(__aarch64__)
static inline uint64_t ticks(void) {
  uint64_t value;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
}
static inline uint64_t ticks_ordered(void) {
  __asm__ volatile("isb" ::: "memory");
  return ticks();
}
static inline void pause_core(void) { __asm__ volatile("yield"); }
#endif

#endif
