#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

int CPlatform_pinToCPU(int cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int CPlatform_allowedCPUs(int *cpus, int capacity) {
  cpu_set_t set;
  int error = pthread_getaffinity_np(pthread_self(), sizeof set, &set);
  if (error) return -error;
  int count = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &set)) continue;
    if (count < capacity) cpus[count] = cpu;
    count++;
  }
  return count;
}

int CPlatform_eventfd(void) {
  int descriptor = eventfd(0, EFD_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}

int CPlatform_eventfdSignal(int descriptor) {
  uint64_t one = 1;
  for (;;) {
    ssize_t written = write(descriptor, &one, sizeof one);
    if (written == (ssize_t)sizeof one) return 0;
    if (written >= 0) return EIO;
    if (errno != EINTR) return errno;
  }
}

int CPlatform_eventfdWait(int descriptor, uint64_t *count) {
  for (;;) {
    ssize_t got = read(descriptor, count, sizeof *count);
    if (got == (ssize_t)sizeof *count) return 0;
    if (got >= 0) return EIO;
    if (errno != EINTR) return errno;
  }
}

uint64_t CPlatform_residentBytes(void) {
  unsigned long long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return 0;
  int fields = fscanf(file, "%llu %llu", &size, &resident);
  fclose(file);
  return fields == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
