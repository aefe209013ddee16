#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Room for 8,192 CPUs, the most that Linux can be built for on x86-64 (CONFIG_NR_CPUS_RANGE_END);
// a cpu_set_t ends at 1,024, and the kernel refuses to fill a set that is smaller than its own.
typedef union {
  cpu_set_t set;
  unsigned char bytes[8192 / 8];
} CPUSet;

int CPlatform_runOnCPUs(const int *cpus, int count) {
  CPUSet allowed;
  CPU_ZERO_S(sizeof allowed, &allowed.set);
  for (int index = 0; index < count; index++) {
    if (cpus[index] < 0 || cpus[index] >= 8 * (int)sizeof allowed) return EINVAL;
    CPU_SET_S((size_t)cpus[index], sizeof allowed, &allowed.set);
  }
  return pthread_setaffinity_np(pthread_self(), sizeof allowed, &allowed.set);
}

int CPlatform_allowedCPUs(int *cpus, int capacity) {
  CPUSet allowed;
  int error = pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed.set);
  if (error) return -error;
  int count = 0;
  for (int cpu = 0; cpu < 8 * (int)sizeof allowed; cpu++) {
    if (!CPU_ISSET_S((size_t)cpu, sizeof allowed, &allowed.set)) continue;
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

int CPlatform_openCounter(uint32_t type, uint64_t config) {
  struct perf_event_attr attributes = {
      .size = sizeof attributes,
      .type = type,
      .config = config,
      .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
      .disabled = 1,
      .exclude_kernel = 1,
      .exclude_hv = 1,
  };
  long opened = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  return opened < 0 ? -errno : (int)opened;
}

int CPlatform_runCounter(int descriptor, int runs) {
  return ioctl(descriptor, runs ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0) ? errno : 0;
}

int CPlatform_readCounter(int descriptor, uint64_t values[3]) {
  ssize_t got = read(descriptor, values, 3 * sizeof *values);
  return got == 3 * (ssize_t)sizeof *values ? 0 : got < 0 ? errno : EIO;
}

const char *CPlatform_errorName(int code) { return strerrorname_np(code); }

void CPlatform_dieWithParent(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

uint64_t CPlatform_residentBytes(void) {
  unsigned long long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return 0;
  int fields = fscanf(file, "%llu %llu", &size, &resident);
  fclose(file);
  return fields == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
