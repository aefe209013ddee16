#define _GNU_SOURCE
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "CLivePeer.h"
#include "ticks.h"

/// Waits until the vCPU sleeps in the kernel.
static int await_sleep(const CLivePeerDevice *device, uint64_t deadline) {
  for (;;) {
    uint64_t blocking = 0;
    if (pread(device->statistics, &blocking, sizeof blocking, device->blocking_offset) !=
        (ssize_t)sizeof blocking)
      return -EIO;
    if (blocking) return 0;
    if (ticks() > deadline) return -ETIME;
    pause_core();
  }
}

int CLivePeer_deliver(
    const CLivePeerDevice *device, CLivePeerStamps *stamps, size_t count, size_t *done) {
  uint64_t delivered = __atomic_load_n(device->delivered, __ATOMIC_ACQUIRE);
  uint64_t offered = *device->offered;
  for (*done = 0; *done < count;) {
    uint64_t start = ticks();
    uint64_t deadline = start + device->timeout_ticks;
    while (ticks() - start < device->gap_ticks) pause_core();
    if (device->statistics >= 0) {
      int error = await_sleep(device, deadline);
      if (error) return error;
    }
    __atomic_store_n(device->offered, ++offered, __ATOMIC_RELEASE);
    CLivePeerStamps *stamp = &stamps[(*done)++];
    uint64_t one = 1;
    stamp->before = ticks_ordered();
    ssize_t written = write(device->eventfd, &one, sizeof one);
    stamp->returned = ticks_ordered();
    if (written != (ssize_t)sizeof one) return -EIO;
    while (__atomic_load_n(device->delivered, __ATOMIC_ACQUIRE) == delivered) {
      if (ticks() > deadline) return -ETIME;
      if (device->yields)
        sched_yield();
      else
        pause_core();
    }
    stamp->seen = ticks_ordered();
    const CLivePeerRecord *record = &device->records[delivered & (device->record_count - 1)];
    delivered++;
    stamp->guest = record->tsc;
    if (record->sequence != delivered || record->vector != device->vector ||
        record->offered != offered)
      return -EBADMSG;
  }
  return 0;
}

struct CLivePeerBounce {
  pthread_t thread;
  int vm, eventfd;
  struct kvm_msi message;
  int stopping, error;
};

static void *bounce(void *argument) {
  CLivePeerBounce *bounce = argument;
  for (;;) {
    uint64_t count;
    ssize_t got = read(bounce->eventfd, &count, sizeof count);
    if (__atomic_load_n(&bounce->stopping, __ATOMIC_ACQUIRE)) return NULL;
    if (got < 0 && errno == EINTR) continue;
    if (got != (ssize_t)sizeof count) {
      bounce->error = -EIO;
      return NULL;
    }
    int result = ioctl(bounce->vm, KVM_SIGNAL_MSI, &bounce->message);
    if (result <= 0 && !bounce->error) bounce->error = result < 0 ? -errno : -ENODEV;
  }
}

CLivePeerBounce *CLivePeer_startBounce(int vm, int eventfd, uint32_t address, uint32_t data) {
  CLivePeerBounce *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  made->vm = vm;
  made->eventfd = eventfd;
  made->message.address_lo = address;
  made->message.data = data;
  if (pthread_create(&made->thread, NULL, bounce, made)) {
    free(made);
    return NULL;
  }
  return made;
}

int CLivePeer_stopBounce(CLivePeerBounce *bounce) {
  uint64_t one = 1;
  __atomic_store_n(&bounce->stopping, 1, __ATOMIC_RELEASE);
  // The write cannot fail: the descriptor is open, and the counter is far from its limit.
  ssize_t written = write(bounce->eventfd, &one, sizeof one);
  (void)written;
  pthread_join(bounce->thread, NULL);
  int error = bounce->error;
  free(bounce);
  return error;
}
