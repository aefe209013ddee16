#define _GNU_SOURCE
#include "CLive.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int checked(int result) { return result < 0 ? -errno : result; }

int CLive_open(void) { return checked(open("/dev/kvm", O_RDWR | O_CLOEXEC)); }

int CLive_apiVersion(int kvm) { return checked(ioctl(kvm, KVM_GET_API_VERSION, 0)); }

int CLive_createVM(int kvm) { return checked(ioctl(kvm, KVM_CREATE_VM, 0)); }

int CLive_extension(int descriptor, int capability) {
  return checked(ioctl(descriptor, KVM_CHECK_EXTENSION, (unsigned long)capability));
}

int CLive_addMemory(int vm, uint32_t slot, uint64_t address, uint64_t bytes, void *memory) {
  struct kvm_userspace_memory_region region = {
      .slot = slot,
      .guest_phys_addr = address,
      .memory_size = bytes,
      .userspace_addr = (uintptr_t)memory,
  };
  return checked(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
}

int CLive_createVCPU(int vm, uint32_t number) {
  return checked(ioctl(vm, KVM_CREATE_VCPU, (unsigned long)number));
}

int CLive_runBytes(int kvm) { return checked(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)); }

int CLive_limitHaltPolling(int vm, uint64_t nanoseconds) {
  struct kvm_enable_cap capability = {.cap = KVM_CAP_HALT_POLL, .args = {nanoseconds}};
  return checked(ioctl(vm, KVM_ENABLE_CAP, &capability));
}

int CLive_statistics(int vcpu) { return checked(ioctl(vcpu, KVM_GET_STATS_FD, 0)); }

int CLive_setRoutes(int vm, const struct kvm_irq_routing *header) {
  return checked(ioctl(vm, KVM_SET_GSI_ROUTING, header));
}

int CLive_irqfd(int vm, int descriptor, uint32_t gsi, int assign) {
  struct kvm_irqfd request = {
      .fd = (uint32_t)descriptor, .gsi = gsi, .flags = assign ? 0 : KVM_IRQFD_FLAG_DEASSIGN};
  return checked(ioctl(vm, KVM_IRQFD, &request));
}

int CLive_signalMSI(int vm, struct kvm_msi message) {
  return checked(ioctl(vm, KVM_SIGNAL_MSI, &message));
}

int CLive_run(int vcpu) { return checked(ioctl(vcpu, KVM_RUN, 0)); }

CLiveExit CLive_exit(const void *page) {
  const struct kvm_run *run = page;
  CLiveExit found = {.reason = run->exit_reason};
  if (run->exit_reason == KVM_EXIT_MMIO) {
    found.address = run->mmio.phys_addr;
    found.bytes = run->mmio.len;
    found.is_write = run->mmio.is_write;
    memcpy(&found.data, run->mmio.data, sizeof found.data);
  } else if (run->exit_reason == KVM_EXIT_IO) {
    found.address = run->io.port;
    found.bytes = run->io.size;
    found.is_write = run->io.direction == KVM_EXIT_IO_OUT;
    memcpy(&found.data, (const char *)page + run->io.data_offset, run->io.size);
  } else if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR) {
    found.data = run->internal.suberror;
  } else if (run->exit_reason == KVM_EXIT_FAIL_ENTRY) {
    found.data = run->fail_entry.hardware_entry_failure_reason;
  }
  return found;
}

void CLive_answer(void *page, uint64_t value) {
  struct kvm_run *run = page;
  memcpy(run->mmio.data, &value, sizeof value);
}

void CLive_requestExit(void *page, int requested) {
  struct kvm_run *run = page;
  __atomic_store_n(&run->immediate_exit, (uint8_t)(requested != 0), __ATOMIC_SEQ_CST);
}

static void ignore(int number) { (void)number; }

int CLive_acceptKick(void) {
  // Without SA_RESTART: KVM_RUN is to come back.
  struct sigaction action = {.sa_handler = ignore};
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGUSR1, &action, NULL)) return -errno;
  sigset_t kick;
  sigemptyset(&kick);
  sigaddset(&kick, SIGUSR1);
  return -pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
}

#if defined(__x86_64__)

int CLive_createInterruptController(int vm) {
  // Three pages that a processor without unrestricted guest mode needs, at the address that
  // KVM_SET_TSS_ADDR's text recommends: below 4 GiB and off the guest's memory.
  if (ioctl(vm, KVM_SET_TSS_ADDR, 0xFFFBD000ul) < 0) return -errno;
  return checked(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
}

int CLive_setProcessor(int kvm, int vcpu) {
  enum { ROOM = 256 };
  struct kvm_cpuid2 *found = calloc(1, sizeof *found + ROOM * sizeof found->entries[0]);
  if (!found) return -ENOMEM;
  found->nent = ROOM;
  int result = checked(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, found));
  if (result >= 0) {
    // CPUID.01H:ECX[21] is x2APIC; KVM emulates it whatever the host has.
    for (uint32_t index = 0; index < found->nent; index++)
      if (found->entries[index].function == 1) found->entries[index].ecx |= 1u << 21;
    result = checked(ioctl(vcpu, KVM_SET_CPUID2, found));
  }
  free(found);
  return result;
}

int CLive_enterLongMode(
    int vcpu, uint64_t page_tables, uint64_t gdt, uint16_t gdt_limit, uint64_t idt,
    uint16_t idt_limit) {
  struct kvm_sregs special;
  if (ioctl(vcpu, KVM_GET_SREGS, &special) < 0) return -errno;
  struct kvm_segment code = {
      .limit = 0xFFFFFFFF, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
  struct kvm_segment data = {
      .limit = 0xFFFFFFFF, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
  special.cs = code;
  special.ds = special.es = special.fs = special.gs = special.ss = data;
  special.gdt.base = gdt;
  special.gdt.limit = gdt_limit;
  special.idt.base = idt;
  special.idt.limit = idt_limit;
  special.cr3 = page_tables;
  special.cr4 = 1u << 5;                           // PAE
  special.cr0 = 1u << 0 | 1u << 4 | 1u << 31;      // PE, ET, PG
  special.efer = 1u << 8 | 1u << 10;               // LME, LMA
  special.apic_base = 0xFEE00000u | 1u << 8 | 1u << 10 | 1u << 11;  // BSP, x2APIC, enabled
  if (ioctl(vcpu, KVM_SET_SREGS, &special) < 0) return -errno;
  struct kvm_lapic_state apic;
  if (ioctl(vcpu, KVM_GET_LAPIC, &apic) < 0) return -errno;
  uint32_t spurious = 0x1FF;  // software-enabled, vector FFh
  memcpy(apic.regs + 0xF0, &spurious, sizeof spurious);
  return checked(ioctl(vcpu, KVM_SET_LAPIC, &apic));
}

int CLive_setEntry(int vcpu, uint64_t rip, uint64_t rsp, uint64_t rdi, uint64_t rsi, uint64_t rcx) {
  struct kvm_regs registers = {
      .rip = rip, .rsp = rsp, .rdi = rdi, .rsi = rsi, .rcx = rcx, .rflags = 2};
  // A vCPU that was halted would go on to be, wherever its instruction pointer is.
  struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
  if (ioctl(vcpu, KVM_SET_MP_STATE, &runnable) < 0) return -errno;
  return checked(ioctl(vcpu, KVM_SET_REGS, &registers));
}

int CLive_setTSCOffset(int vcpu, uint64_t offset) {
  struct kvm_device_attr attribute = {
      .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET, .addr = (uintptr_t)&offset};
  return checked(ioctl(vcpu, KVM_SET_DEVICE_ATTR, &attribute));
}

#elif defined(__aarch64__)

static int device(int vm, uint32_t type) {
  struct kvm_create_device made = {.type = type};
  return ioctl(vm, KVM_CREATE_DEVICE, &made) < 0 ? -errno : (int)made.fd;
}

static int set(int descriptor, uint32_t group, uint64_t name, const void *value) {
  struct kvm_device_attr attribute = {.group = group, .attr = name, .addr = (uintptr_t)value};
  return checked(ioctl(descriptor, KVM_SET_DEVICE_ATTR, &attribute));
}

int CLive_createInterruptController(
    int vm, uint64_t distributor, uint64_t redistributors, uint64_t its) {
  // Documentation/virt/kvm/devices/arm-vgic-v3.rst and arm-vgic-its.rst. The VM keeps both devices.
  uint32_t interrupts = 96;
  int gic = device(vm, KVM_DEV_TYPE_ARM_VGIC_V3);
  if (gic < 0) return gic;
  int result = set(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &distributor);
  if (result >= 0)
    result = set(gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redistributors);
  if (result >= 0) result = set(gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &interrupts);
  if (result >= 0)
    result = set(gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
  close(gic);
  if (result < 0) return result;
  int translation = device(vm, KVM_DEV_TYPE_ARM_VGIC_ITS);
  if (translation < 0) return translation;
  result = set(translation, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, &its);
  if (result >= 0)
    result = set(translation, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
  close(translation);
  return result;
}

#endif

int CLive_userfault(void) {
  // Not blocking, because poll(2) refuses a blocking one (fs/userfaultfd.c, userfaultfd_poll).
  int descriptor = checked((int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY));
  if (descriptor < 0) return descriptor;
  struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP};
  if (ioctl(descriptor, UFFDIO_API, &api) < 0) {
    // The kernel says EINVAL to a feature that it does not have.
    int error = errno == EINVAL ? -EOPNOTSUPP : -errno;
    close(descriptor);
    return error;
  }
  return descriptor;
}

int CLive_userfaultRegister(int userfault, void *start, size_t bytes) {
  struct uffdio_register request = {
      .range = {.start = (uintptr_t)start, .len = bytes}, .mode = UFFDIO_REGISTER_MODE_WP};
  return checked(ioctl(userfault, UFFDIO_REGISTER, &request));
}

int CLive_userfaultProtect(int userfault, void *start, size_t bytes, int protect) {
  struct uffdio_writeprotect request = {
      .range = {.start = (uintptr_t)start, .len = bytes},
      .mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0};
  return checked(ioctl(userfault, UFFDIO_WRITEPROTECT, &request));
}

int CLive_userfaultWait(int userfault, int milliseconds, uint64_t *address) {
  struct pollfd waited = {.fd = userfault, .events = POLLIN};
  int ready = poll(&waited, 1, milliseconds);
  if (ready < 0) return -errno;
  if (ready == 0) return -ETIMEDOUT;
  struct uffd_msg message;
  ssize_t got = read(userfault, &message, sizeof message);
  // Somebody else may have opened the page in between: then there is nothing to read.
  if (got < 0) return errno == EAGAIN ? -ETIMEDOUT : -errno;
  if (got != (ssize_t)sizeof message || message.event != UFFD_EVENT_PAGEFAULT) return -EBADMSG;
  *address = message.arg.pagefault.address;
  return 0;
}
