#define _GNU_SOURCE
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "CLivePeer.h"
#include "ticks.h"

/// One MSI-X table entry as it lies in the device (PCI Express base specification, 7.7.2).
typedef struct {
  uint32_t address_lo, address_hi, data, control;
} Entry;

/// Takes the guest's new entry into the routes, and ties its eventfd to it.
static int connect_vector(
    const CLivePeerSetUp *set_up, struct kvm_irq_routing *routes, const Entry *entry,
    uint32_t vector, CLivePeerSetUpTimes *times) {
  struct kvm_irq_routing_entry *route = &routes->entries[routes->nr++];
  memset(route, 0, sizeof *route);
  route->gsi = set_up->first_gsi + vector;
  route->type = KVM_IRQ_ROUTING_MSI;
  route->u.msi.address_lo = entry->address_lo;
  route->u.msi.address_hi = entry->address_hi;
  route->u.msi.data = entry->data;
  uint64_t start = ticks();
  if (ioctl(set_up->vm, KVM_SET_GSI_ROUTING, routes) < 0) return -errno;
  uint64_t routed = ticks();
  struct kvm_irqfd request = {.fd = (uint32_t)set_up->eventfds[vector], .gsi = route->gsi};
  if (ioctl(set_up->vm, KVM_IRQFD, &request) < 0) return -errno;
  times->routing += routed - start;
  times->assigning += ticks() - routed;
  return 0;
}

int CLivePeer_setUp(const CLivePeerSetUp *set_up, CLivePeerSetUpTimes *times) {
  struct kvm_run *run = set_up->run;
  memset(times, 0, sizeof *times);
  Entry *table = malloc(set_up->vectors * sizeof *table);
  struct kvm_irq_routing *routes =
      calloc(1, sizeof *routes + set_up->vectors * sizeof routes->entries[0]);
  int error = table && routes ? 0 : -ENOMEM;
  for (uint32_t vector = 0; !error && vector < set_up->vectors; vector++)
    table[vector] = (Entry){.control = 1};
  uint64_t start = ticks();
  while (!error) {
    if (ioctl(set_up->vcpu, KVM_RUN, 0) < 0) {
      // A signal that does not ask for the end: the guest goes on.
      if (errno == EINTR && !__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST)) continue;
      error = -errno;
      break;
    }
    if (run->exit_reason == KVM_EXIT_IO && run->io.port == set_up->end_port) break;
    uint64_t offset = run->mmio.phys_addr - set_up->table;
    if (run->exit_reason != KVM_EXIT_MMIO || run->mmio.len != 4 || offset % 4 ||
        offset >= set_up->vectors * sizeof *table) {
      error = -EPROTO;
      break;
    }
    times->exits++;
    Entry *entry = &table[offset / sizeof *table];
    uint32_t *word = (uint32_t *)table + offset / 4;
    if (!run->mmio.is_write) {
      memcpy(run->mmio.data, word, 4);
      continue;
    }
    uint32_t was_masked = entry->control & 1;
    memcpy(word, run->mmio.data, 4);
    if (was_masked && !(entry->control & 1))
      error = connect_vector(set_up, routes, entry, (uint32_t)(offset / sizeof *table), times);
  }
  times->all = ticks() - start;
  free(routes);
  free(table);
  return error;
}
