// The only place that knows the machine: what Swift cannot call itself, because it is a macro, an
// instruction or a variadic function. It takes no decision and keeps no state; every function may be called
// from any thread and concerns the calling one.
#ifndef DOORBELL_CPLATFORM_H
#define DOORBELL_CPLATFORM_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/// Reads the cycle counter: TSC on x86-64 (about 25 cycles, not serialising), CNTVCT_EL0 on arm64.
static inline uint64_t CPlatform_cycles(void) {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  uint64_t value;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#else
  return 0;
#endif
}

/// `CPlatform_cycles`, not before everything earlier in the program is done: LFENCE waits for all
/// earlier instructions (Intel SDM volume 2B, RDTSC; on AMD where LFENCE is dispatch serialising, as
/// Linux sets it), ISB likewise (Arm ARM, D11.2). For stamps that cut one operation into stages.
static inline uint64_t CPlatform_cyclesOrdered(void) {
#if defined(__x86_64__)
  _mm_lfence();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
  return CPlatform_cycles();
}

/// Nanoseconds of the clock that no daemon slews (clock_gettime(2), CLOCK_MONOTONIC_RAW).
static inline uint64_t CPlatform_monotonicRawNanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/// Tells the core that this is a spin loop.
static inline void CPlatform_pause(void) {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Asks for the cache line at `address` to be read soon.
static inline void CPlatform_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

/// Restricts the calling thread to the given CPUs. 0, or an errno. (CPU_SET is a macro.)
int CPlatform_runOnCPUs(const int *cpus, int count);

/// Writes the numbers of the CPUs that the calling thread may use, at most `capacity`; returns how
/// many there are, or a negative errno.
int CPlatform_allowedCPUs(int *cpus, int capacity);

/// An eventfd (not a semaphore, blocking, close-on-exec), or a negative errno.
int CPlatform_eventfd(void);

/// Adds 1. 0, or an errno.
int CPlatform_eventfdSignal(int descriptor);

/// Blocks until the counter is not 0, takes it and resets it. 0, or an errno.
int CPlatform_eventfdWait(int descriptor, uint64_t *count);

/// Opens a counter of what the calling thread does outside of the kernel, stopped, on any CPU
/// (perf_event_open(2); `type` and `config` as there). A descriptor, or a negative errno.
int CPlatform_openCounter(uint32_t type, uint64_t config);

/// Lets a counter count, or stops it. 0, or an errno.
int CPlatform_runCounter(int descriptor, int runs);

/// Count, and for how many nanoseconds it should have counted and did: fewer where there were more
/// counters than the processor has. 0, or an errno.
int CPlatform_readCounter(int descriptor, uint64_t values[3]);

/// The name of an errno, such as "ENOENT"; NULL if it has none.
const char *CPlatform_errorName(int code);

/// Has the kernel end this process when the thread that started it ends (prctl is variadic).
void CPlatform_dieWithParent(void);

/// Resident set size in bytes, or 0 if the system does not tell.
uint64_t CPlatform_residentBytes(void);

#endif
