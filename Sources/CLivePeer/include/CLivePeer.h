// The loops of a live run in plain C, as a C programmer would write them: what stands beside each live
// figure in the same run, to see what Swift costs. The same system calls in the same order, the same
// stamps, the same checks. It is not a second product: nothing but these loops is here, and only `Live` calls them.
// A loop belongs to the thread that calls it, and ends when it is done or its deadline has passed.
#ifndef DOORBELL_CLIVEPEER_H
#define DOORBELL_CLIVEPEER_H

#include <stddef.h>
#include <stdint.h>

/// What the guest writes on each interrupt (`GuestRecord`).
typedef struct {
  uint64_t tsc, offered, vector, sequence;
} CLivePeerRecord;

/// A device that interrupts a guest.
typedef struct {
  uint64_t *_Nonnull offered;
  const uint64_t *_Nonnull delivered;
  const CLivePeerRecord *_Nonnull records;
  uint64_t record_count;  // a power of two
  int eventfd;
  /// Where KVM tells whether the vCPU sleeps, or -1 where that is not waited for.
  int statistics;
  int64_t blocking_offset;
  uint64_t vector;
  uint64_t gap_ticks, timeout_ticks;
  /// Whether to give the CPU away while waiting, because the thread that injects shares it.
  int yields;
} CLivePeerDevice;

/// TSC before the signal, after it, in the guest's handler, and when the host saw the record.
typedef struct {
  uint64_t before, returned, guest, seen;
} CLivePeerStamps;

/// Interrupts the guest `count` times, one in flight. 0; -ETIME if one did not come in time; -EBADMSG
/// if the guest saw another one than was offered; another negative errno of a system call. `done` is
/// how many were offered.
int CLivePeer_deliver(
    const CLivePeerDevice *_Nonnull device, CLivePeerStamps *_Nonnull stamps, size_t count,
    size_t *_Nonnull done);

/// A thread that waits on an eventfd and injects an MSI for each wake-up. NULL if there is no thread.
typedef struct CLivePeerBounce CLivePeerBounce;
CLivePeerBounce *_Nullable CLivePeer_startBounce(int vm, int eventfd, uint32_t address, uint32_t data);
/// Ends it; the first error that it met, or 0.
int CLivePeer_stopBounce(CLivePeerBounce *_Nonnull bounce);

/// A guest that programs an MSI-X table, and the host that traps it.
typedef struct {
  int vm, vcpu;
  void *_Nonnull run;
  uint64_t table;
  uint32_t vectors, first_gsi;
  const int *_Nonnull eventfds;
  uint16_t end_port;
} CLivePeerSetUp;

/// Ticks: all, in KVM_SET_GSI_ROUTING, in KVM_IRQFD.
typedef struct {
  uint64_t all, routing, assigning, exits;
} CLivePeerSetUpTimes;

/// Runs the guest until it says that the table is programmed. 0 or a negative errno; -EINTR if
/// `immediate_exit` asked for the end, -EPROTO at an exit that does not belong here.
int CLivePeer_setUp(
    const CLivePeerSetUp *_Nonnull set_up, CLivePeerSetUpTimes *_Nonnull times);

/// Ticks of one trapped write: until the store is done, and until the page is protected again.
typedef struct {
  uint64_t trapped, closed;
} CLivePeerTrap;

/// Writes to a page that mprotect(2) protects and a handler of SIGSEGV opens. 0 or a negative errno.
int CLivePeer_trapSignal(CLivePeerTrap *_Nonnull traps, size_t count);
/// The same with a userfaultfd that write-protects, and a thread that opens.
int CLivePeer_trapUserfault(CLivePeerTrap *_Nonnull traps, size_t count);

#endif
