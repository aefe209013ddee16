#define _GNU_SOURCE
#include "CRingPinning.h"

#include <sched.h>

static cpu_set_t allowed;

int CRingPinning_init(void) {
  if (sched_getaffinity(0, sizeof allowed, &allowed)) CPU_ZERO(&allowed);
  return CPU_COUNT(&allowed);
}

void CRingPinning_pin(int wanted) {
  int count = CPU_COUNT(&allowed);
  if (count < 2) return;
  wanted %= count;
  for (int processor = 0; processor < CPU_SETSIZE; processor++)
    if (CPU_ISSET(processor, &allowed) && wanted-- == 0) {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(processor, &one);
      sched_setaffinity(0, sizeof one, &one);
      return;
    }
}
