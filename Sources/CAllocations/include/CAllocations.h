// Counts the calls of the C allocator, thread by thread, so that a run can say that it allocated
// nothing between its first and its last measured event, instead of hoping so.
//
// An executable that links this has malloc, calloc, realloc and the aligned allocators defined here;
// each counts and hands on to glibc's own. Cost: one increment of a thread-local word. free is glibc's.
// Each thread has its count; no thread sees another's.
// Under a sanitizer, which has an allocator of its own, and without glibc there is no meter.
#ifndef DOORBELL_CALLOCATIONS_H
#define DOORBELL_CALLOCATIONS_H

#include <stdint.h>

/// Allocations that the calling thread has made since it began.
uint64_t CAllocations_ofThisThread(void);

/// 1 if the count means something, else 0.
int CAllocations_isMetered(void);

#endif
